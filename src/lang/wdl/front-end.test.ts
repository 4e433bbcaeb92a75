import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freshAsk, renderDiagnostic } from "../../kernel/index.ts";
import { createFolderSource, type Loaded } from "../core/index.ts";
import { createWdlFrontEnd } from "./front-end.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "memoir-wdl-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function load(
  files: Readonly<Record<string, string>>,
  options: { lenient?: boolean; target?: string } = {},
): Promise<Loaded> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  const { lenient = false, target } = options;
  const source = createFolderSource({ folder: dir, name: "flow" });
  return createWdlFrontEnd().load(source, undefined, { lenient, ...(target && { target }) }, freshAsk());
}

const workflow = `version 1.2
import "lib.wdl"
workflow main {
  meta { description: "Aligns reads" }
  parameter_meta {
    sample: "its name"
    reads: { help: "FASTQ files" }
    score: { description: "how well it went" }
  }
  input {
    String sample
    Array[File]+ reads
    Int threads = 2 * 4
    Float? cutoff
  }
  call lib.align { sample, threads }
  call lib.align as again { sample = "x" }
  output {
    Float score = align.score
  }
  hints { allow_nested_inputs: true }
}
`;
const lib = `version 1.2
task align {
  input {
    String sample
    Int threads
    String preset = "fast"
  }
  command <<< >>>
  output { Float score = 1.0 }
}
task other { command <<< >>> }
`;

describe("the interface", () => {
  test("names every parameter, nested ones too, as it is written", async () => {
    const { program, diagnostics } = await load({ "main.wdl": workflow, "lib.wdl": lib });
    expect(diagnostics.map(renderDiagnostic).join("\n")).toContain(
      "required inputs of align are left to the user: threads",
    );
    expect(program?.interface).toEqual({
      kind: "workflow",
      name: "main",
      description: "Aligns reads",
      parameters: [
        {
          name: "main.sample",
          type: "String",
          holds: { kind: "text" },
          required: true,
          description: "its name",
        },
        {
          name: "main.reads",
          type: "Array[File]+",
          holds: { kind: "list", items: { kind: "file" } },
          required: true,
          description: "FASTQ files",
        },
        {
          name: "main.threads",
          type: "Int",
          holds: { kind: "number" },
          required: false,
          defaultText: "2 * 4",
        },
        { name: "main.cutoff", type: "Float?", holds: { kind: "number" }, required: false },
        {
          name: "main.align.preset",
          type: "String",
          holds: { kind: "text" },
          required: false,
          defaultText: '"fast"',
        },
        { name: "main.again.threads", type: "Int", holds: { kind: "number" }, required: true },
        {
          name: "main.again.preset",
          type: "String",
          holds: { kind: "text" },
          required: false,
          defaultText: '"fast"',
        },
      ],
      outputs: [{ name: "main.score", type: "Float", description: "how well it went" }],
      tasks: ["align"],
    });
  });
});

test("the interface lists the members of structs", async () => {
  const { program } = await load({
    "main.wdl": `version 1.1
struct Lane { Int number File? reads }
struct Sample { String name Array[Lane]+ lanes }
workflow w { input { Map[String, Sample] samples Int n } }`,
  });
  expect(program?.interface.parameters).toMatchObject([
    {
      type: "Map[String, Sample]",
      names: { Sample: "{String name, Array[Lane]+ lanes}", Lane: "{Int number, File? reads}" },
    },
    { name: "w.n" },
  ]);
  expect(program?.interface.parameters[1]).not.toHaveProperty("names");
});

describe("what is run", () => {
  const tasks = "version 1.0\ntask one { command {} }\ntask two { command {} }\n";

  test("a task by its name", async () => {
    const { program } = await load({ "main.wdl": tasks }, { target: "two" });
    expect(program?.interface).toMatchObject({ kind: "task", name: "two", tasks: ["two"] });
  });
  test("a library of tasks is fine, yet no program", async () => {
    const { program, diagnostics } = await load({ "main.wdl": tasks });
    expect(program).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { code: "wdl-no-target", severity: "note", help: "choose what to run with --target: one, two" },
    ]);
  });
  test("something that is not there is an error with a suggestion", async () => {
    const { program, diagnostics } = await load({ "main.wdl": tasks }, { target: "twoo" });
    expect(program).toBeUndefined();
    expect(diagnostics).toMatchObject([{ severity: "error", help: "did you mean two?" }]);
  });
  test("an only task needs no name", async () => {
    const { program } = await load({ "main.wdl": "version 1.0\ntask one { command {} }\n" });
    expect(program?.interface.name).toBe("one");
  });
});

test("there is no program while there are errors, and every document's errors are reported", async () => {
  const { program, diagnostics } = await load({
    "main.wdl": 'version 1.0\nimport "lib.wdl"\nworkflow w {\n  Int x = y\n  Strng z = "a"\n}\n',
    "lib.wdl": "version 1.0\ntask t {\n  command { ~{nothing} }\n}\n",
  });
  expect(program).toBeUndefined();
  expect(diagnostics.map((each) => `${each.source.name} ${each.code}`)).toEqual([
    "flow/lib.wdl wdl-unknown-name",
    "flow/main.wdl wdl-unknown-name",
    "flow/main.wdl wdl-unknown-type",
  ]);
});

test("lenient mode turns what others accept into warnings", async () => {
  const files = { "main.wdl": "version 1.0\nworkflow w {\n  input { Int? n }\n  Int m = n\n}\n" };
  expect((await load(files)).program).toBeUndefined();
  const { program, diagnostics } = await load(files, { lenient: true });
  expect(program).toBeDefined();
  expect(diagnostics).toMatchObject([{ severity: "warning", code: "wdl-optional-for-required" }]);
});
