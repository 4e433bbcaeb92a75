import { describe, expect, it } from "vitest";
import type { Holding, WorkflowInterface } from "../../lang/core/index.ts";
import { flagInputs } from "./flag-inputs.ts";

const parameter = (name: string, type: string, holds: Holding) => ({ name, type, holds, required: true });
const list = (kind: "file" | "text" | "number"): Holding => ({ kind: "list", items: { kind } });
const pair = new Map([
  ["first", { type: "int", holds: { kind: "number" } }],
  ["second", { type: "string?", holds: { kind: "text" } }],
  ["file", { type: "File", holds: { kind: "file" } }],
] as const);
const about: WorkflowInterface = {
  kind: "tool",
  name: "align",
  parameters: [
    parameter("text", "string", { kind: "text" }),
    parameter("my_number", "int", { kind: "number" }),
    parameter("quick", "boolean?", { kind: "boolean" }),
    parameter("reads", "File[]", list("file")),
    parameter("words", "string[]?", list("text")),
    parameter("counts", "int[]", list("number")),
    parameter("kind", "enum {1, two}", { kind: "text" }),
    parameter("pair", "record {first: int, second: string?, file: File}", { kind: "record", fields: pair }),
    parameter("n", "int", { kind: "number" }),
    parameter("outdir", "string", { kind: "text" }),
  ],
  outputs: [],
  tasks: [],
};
const words = (...given: string[]) => flagInputs({ words: given, taken: [] }, about, "/here");

describe("flags of a process", () => {
  it("become words, whether joined with their value or not", () => {
    expect(words("--text", "a=b", "--my_number=-3", "-n", "4")).toEqual(["text=a=b", "my_number=-3", "n=4"]);
  });

  it("are true when they are boolean and stand alone", () => {
    expect(words("--quick", "--text", "x")).toEqual(["quick=true", "text=x"]);
    expect(words("--quick", "false")).toEqual(["quick=false"]);
    expect(words("--quick=false")).toEqual(["quick=false"]);
  });

  it("are repeated for each item of an array, and texts stay texts", () => {
    expect(words("--words", "1", "--words", "true")).toEqual(['words=["1","true"]']);
    expect(words("--counts", "1", "--counts", "2")).toEqual(["counts=[1,2]"]);
    expect(words("--reads", "a.fq", "--reads", "s3://b/c.fq")).toEqual([
      'reads=[{"class":"File","path":"/here/a.fq"},{"class":"File","location":"s3://b/c.fq"}]',
    ]);
  });

  it("set fields of records", () => {
    expect(words("--pair.first", "1", "--pair.second", "2", "--pair.file", "x")).toEqual([
      'pair={"first":1,"second":"2","file":{"class":"File","path":"/here/x"}}',
    ]);
  });

  it.each([
    [["--tex", "x"], /no input tex; did you mean text\?/],
    [["--text"], /--text: expected a value of type string/],
    [["stray"], /expected --name and its value, got "stray"/],
    [["--pair.first"], /expected a value of type int/],
  ])("that cannot be read are a mistake of the command line: %j", (given, why) => {
    expect(() => words(...given)).toThrow(why);
  });

  it("that are also the runner's have to be distinguished by the user", () => {
    const twofold = { words: [], taken: ["quiet", "outdir"] };
    expect(() => flagInputs(twofold, about, "/here")).toThrow(
      /--outdir is an input and a flag of the runner/,
    );
  });
});
