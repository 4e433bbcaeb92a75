import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Holding, WorkflowInterface } from "../../lang/core/index.ts";
import { type InputsRequest, inputArguments, inputsOrder, readInputs } from "./run-inputs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-inputs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const parameter = (name: string, type: string, holds: Holding) => ({
  name: `wf.${name}`,
  type,
  holds,
  required: true,
});
const about: WorkflowInterface = {
  kind: "workflow",
  name: "wf",
  parameters: [
    parameter("text", "String", { kind: "text" }),
    parameter("n", "Int", { kind: "number" }),
    parameter("file", "File?", { kind: "file" }),
    parameter("files", "Array[File]", { kind: "list", items: { kind: "file" } }),
    parameter("list", "Array[Int]+", { kind: "list", items: { kind: "number" } }),
  ],
  outputs: [],
  tasks: [],
};

const read = async (request: InputsRequest) => {
  const order = await inputsOrder(request, folder);
  return readInputs(order, inputArguments(order, about, folder), about, folder);
};
const inputsOf = async (...given: string[]) => (await read({ words: given })).values;
const file = async (name: string, text: string, ...given: string[]) => {
  await writeFile(join(folder, name), text);
  return read({ file: name, words: given });
};

it("the first word may name the file", async () => {
  await writeFile(join(folder, "job.yml"), "n: 1\ntext: a\n");
  expect(await inputsOf("job.yml", "n=2")).toEqual({ text: "a", n: 2 });
});

describe("inputs given as words", () => {
  it("are JSON, unless the parameter is text or a path", async () => {
    expect(await inputsOf("text=3", "n=3", "list=[1,2]", "file=7")).toEqual({
      text: "3",
      n: 3,
      list: [1, 2],
      file: "7",
    });
  });

  it("of one name make a list where the parameter is one", async () => {
    expect(await inputsOf("list=1", "list=2", "files=a", "wf.text=a=b")).toEqual({
      list: [1, 2],
      files: ["a"],
      "wf.text": "a=b",
    });
  });

  it("keep long integers exact", async () => {
    expect(await inputsOf("n=9007199254740993")).toEqual({ n: 9007199254740993n });
  });

  it("without a name are refused", async () => {
    await expect(inputsOf("value")).rejects.toMatchObject({ code: "CLI_USAGE" });
  });
});

describe("an inputs file", () => {
  it("is JSON or YAML by its name, and relative paths start in its folder", async () => {
    expect(await file("in.json", '{"wf.n": 1}')).toMatchObject({ values: { "wf.n": 1 }, baseDir: folder });
    expect((await file("in.yaml", "wf.n: 1\nwf.list: [1, 2]\n")).values).toEqual({
      "wf.n": 1,
      "wf.list": [1, 2],
    });
    expect((await file("empty.json", " ")).values).toEqual({});
  });

  it("keeps long integers exact", async () => {
    const { values } = await file(
      "in.json",
      '{"wf.n": 9007199254740993, "wf.m": 1.5, "t": "9007199254740993"}',
    );
    expect(values).toEqual({ "wf.n": 9007199254740993n, "wf.m": 1.5, t: "9007199254740993" });
  });

  it("gives way to words, whose relative paths start where the command runs", async () => {
    const { values } = await file(
      "in.json",
      '{"wf.n": 1, "wf.text": "a"}',
      "n=2",
      "file=x.txt",
      "file=s3://b/k",
    );
    expect(values).toEqual({ "wf.text": "a", n: 2, file: [join(folder, "x.txt"), "s3://b/k"] });
  });

  it.each([
    ["in.json", "{"],
    ["in.json", "[1]"],
    ["in.yaml", "a: ["],
  ])("%s with %s is reported with its position", async (name, text) => {
    await expect(file(name, text)).rejects.toMatchObject({
      code: "WORKFLOW_INPUTS_INVALID",
      message: expect.stringMatching(new RegExp(`${name}:1:[0-9]+: error`)),
    });
  });

  it("that does not exist is reported", async () => {
    await expect(read({ file: "none.json" })).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
  });
});
