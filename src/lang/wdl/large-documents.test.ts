/** Documents that are small and mean much, or long and mean little: nothing takes more than its share of time. */
import { describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { Loaded, SourceTree } from "../core/index.ts";
import { createWdlFrontEnd } from "./front-end.ts";
import { runText } from "./run/testing/run-text.ts";

const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join("\n");

function load(documents: Readonly<Record<string, string>>): Promise<Loaded> {
  const tree: SourceTree = {
    name: "flow",
    read: async (uri) => (documents[uri] === undefined ? undefined : { name: uri, text: documents[uri] }),
    resolve: (reference) => reference,
    hostPathOf: () => undefined,
    list: async () => Object.keys(documents),
    listFolder: async () => undefined,
  };
  return createWdlFrontEnd().load(tree, "main.wdl", { lenient: false }, freshAsk());
}

/** Each workflow calls the one below twice: 2^40 calls of one task. */
function doubling(input: string): Readonly<Record<string, string>> {
  const documents: Record<string, string> = {
    "w0.wdl": `version 1.0\ntask t {\n  input {\n    ${input}\n  }\n  command <<<>>>\n}\nworkflow w0 {\n  call t\n}\n`,
  };
  for (let n = 1; n <= 40; n++)
    documents[n === 40 ? "main.wdl" : `w${n}.wdl`] =
      `version 1.0\nimport "w${n - 1}.wdl" as below\nworkflow w${n} {\n  if (false) {\n    call below.w${n - 1} as a\n    call below.w${n - 1} as b\n  }\n}\n`;
  return documents;
}

describe("large documents", () => {
  it("with a workflow that calls another twice, and so on forty times, are read, and their run ends", async () => {
    const { program } = await load(doubling("Int? x"));
    expect(program?.interface.tasks).toEqual(["t"]);
    expect(await program?.checkInputs({ values: {}, baseDir: "/" }, freshAsk())).toEqual([]);
    const open = await load(doubling("Int x"));
    const missing = await open.program?.checkInputs({ values: {}, baseDir: "/" }, freshAsk());
    expect(missing?.length).toBe(100);
    expect(missing?.[0]?.message).toMatch(/^the input "w40\.a\.a\..*t\.x" of type Int is missing$/);
  });

  it("with 10,000 calls run", async () => {
    const text = `version 1.1\ntask t {\n  command <<<>>>\n}\nworkflow w {\n${lines(10_000, (n) => `if (false) { call t as t${n} }`)}\noutput { Int n = 1 }\n}\n`;
    expect((await runText({ documents: { "main.wdl": text } })).outputs).toEqual({ n: 1 });
  });

  it("with an array or a map of 200,000 items in one expression run", async () => {
    const items = lines(200_000, (n) => `${n}, `);
    const entries = lines(100_000, (n) => `"${n}": ${n}, `);
    const text = `version 1.1\nworkflow w {\n  Array[Int] a = [${items}]\n  Map[String, Int] m = {${entries}}\n  output {\n    Int i = length(a)\n    Int j = m["99999"]\n  }\n}\n`;
    expect((await runText({ documents: { "main.wdl": text } })).outputs).toEqual({ i: 200_000, j: 99_999 });
  });

  it("with 5,000 inputs that are described, given and required are read", async () => {
    const text = `version 1.1\nworkflow w {\n  parameter_meta {\n${lines(5_000, (n) => `x${n}: "d${n}"`)}\n}\n  input {\n${lines(5_000, (n) => `Int x${n}`)}\n}\n}\n`;
    const { program } = await load({ "main.wdl": text });
    expect(program?.interface.parameters.at(-1)).toMatchObject({ name: "w.x4999", description: "d4999" });
    const values = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`x${n}`, n]));
    expect(await program?.checkInputs({ values, baseDir: "/" }, freshAsk())).toEqual([]);
    const wrong = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`y${n}`, n]));
    expect((await program?.checkInputs({ values: wrong, baseDir: "/" }, freshAsk()))?.length).toBe(100);
  });
});
