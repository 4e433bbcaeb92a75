/** Documents that are small and mean much, or in which as much is wrong as there is text. */
import { describe, expect, it } from "vitest";
import { freshAsk } from "../../../kernel/index.ts";
import type { Loaded, SourceTree } from "../../core/index.ts";
import { createCwlFrontEnd } from "../front-end.ts";

function load(documents: Readonly<Record<string, string>>): Promise<Loaded> {
  const tree: SourceTree = {
    name: "flow",
    read: async (uri) => (documents[uri] === undefined ? undefined : { name: uri, text: documents[uri] }),
    resolve: (reference) => reference,
    hostPathOf: () => undefined,
    list: async () => Object.keys(documents),
    listFolder: async () => undefined,
  };
  return createCwlFrontEnd().load(tree, "main.cwl", { lenient: false }, freshAsk());
}

const some = <T>(count: number, each: (n: number) => readonly [string, T]): Readonly<Record<string, T>> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => each(n)));

const tool = (more: object) =>
  JSON.stringify({
    cwlVersion: "v1.2",
    class: "CommandLineTool",
    baseCommand: "true",
    inputs: {},
    outputs: {},
    ...more,
  });

const workflow = (more: object) =>
  JSON.stringify({ cwlVersion: "v1.2", class: "Workflow", inputs: { x: "int" }, outputs: {}, ...more });

const bigTool = { class: "CommandLineTool", cwlVersion: "v1.2", baseCommand: "true", outputs: {} };

describe("large documents", () => {
  it("in which as much is wrong as there is text are refused, and everything is counted", async () => {
    const documents: Readonly<Record<string, readonly [count: number, text: string]>> = {
      "unknown fields": [30_000, tool(some(30_000, (n) => [`x${n}`, 1]))],
      "unknown types": [20_000, tool({ inputs: some(20_000, (n) => [`x${n}`, `Foo${n}`]) })],
      "unknown sources": [
        20_000,
        workflow({
          steps: { s: { run: JSON.parse(tool({})), in: some(20_000, (n) => [`k${n}`, `j${n}`]), out: [] } },
        }),
      ],
      "unknown outputs": [
        20_000,
        workflow({
          steps: {
            s: { run: JSON.parse(tool({})), in: {}, out: Array.from({ length: 20_000 }, (_, n) => `o${n}`) },
          },
        }),
      ],
    };
    for (const [what, [count, text]] of Object.entries(documents)) {
      const { diagnostics, program } = await load({ "main.cwl": text });
      expect(program, what).toBeUndefined();
      expect(diagnostics.length, what).toBe(count);
    }
  });

  it("whose steps give nothing to a tool of 20,000 inputs are refused, with some of them named", async () => {
    const text = workflow({ steps: some(5_000, (n) => [`s${n}`, { run: "t.cwl", in: {}, out: [] }]) });
    const { diagnostics } = await load({
      "main.cwl": text,
      "t.cwl": JSON.stringify({ ...bigTool, inputs: some(20_000, (n) => [`x${n}`, "int"]) }),
    });
    expect(new Set(diagnostics.map(({ code }) => code))).toEqual(new Set(["cwl-missing-step-input"]));
    expect(diagnostics.length).toBe(5_000 * 21);
  });

  it("that name 10,000 types of one document are read", async () => {
    const types = Array.from({ length: 10_000 }, (_, n) => ({ type: "enum", name: `T${n}`, symbols: ["a"] }));
    const { program } = await load({
      "main.cwl": tool({ inputs: some(10_000, (n) => [`x${n}`, { type: { $import: `types.json#T${n}` } }]) }),
      "types.json": JSON.stringify(types),
    });
    expect(program?.interface.parameters.length).toBe(10_000);
  });

  it("whose types are forty levels of two, or 1,000 levels deep, are refused", async () => {
    for (const [levels, fields] of [
      [40, (n: number) => ({ a: `T${n}`, b: `T${n}` })],
      [1_000, (n: number) => ({ a: `T${n}` })],
    ] as const) {
      const types = Array.from({ length: levels }, (_, n) => ({
        type: "record",
        name: `T${n}`,
        fields: n === 0 ? { a: "int" } : fields(n - 1),
      }));
      const text = tool({
        requirements: { SchemaDefRequirement: { types } },
        inputs: { x: `T${levels - 1}` },
      });
      const { diagnostics, program } = await load({ "main.cwl": text });
      expect(program).toBeUndefined();
      expect(diagnostics[0]).toMatchObject({ code: "cwl-type-too-large" });
    }
  });

  it("whose short types have 200,000 suffixes are refused", async () => {
    for (const suffix of ["[]", "?", "[]?"]) {
      const { diagnostics } = await load({
        "main.cwl": tool({ inputs: { x: `int${suffix.repeat(200_000)}` } }),
      });
      expect(diagnostics).toMatchObject([{ code: "cwl-unknown-type" }]);
    }
  });

  it("in YAML whose flow collections are all indented too little are refused", async () => {
    const inputs = Array.from({ length: 500 }, (_, n) => `  a${n}: {type: int,\nlabel: x}\n`).join("");
    const { diagnostics } = await load({
      "main.cwl": `cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: x\noutputs: {}\ninputs:\n${inputs}`,
    });
    expect(diagnostics[0]).toMatchObject({ code: "cwl-yaml", severity: "error" });
  });

  it("whose inputs are given 40,000 unknown names are checked", async () => {
    const { program } = await load({ "main.cwl": tool({ inputs: some(5_000, (n) => [`x${n}`, "int?"]) }) });
    const values = some(40_000, (n) => [`y${n}`, n]);
    const source = { name: "job.json", text: JSON.stringify(values) };
    const found = await program?.checkInputs({ values, baseDir: "/", source }, freshAsk());
    expect(found?.length).toBe(40_000);
    expect(found?.[39_999]?.span.start).toBe(source.text.indexOf('"y39999"'));
  });
});
