import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { freshAsk } from "../../../kernel/index.ts";
import { createFolderSource } from "../../core/index.ts";
import { literalText } from "../model/expression.ts";
import { printType } from "../model/type.ts";
import { loadText } from "../testing/memory-tree.ts";
import { loadDocument } from "./load.ts";

const tool = (version: string, body: string) => `cwlVersion: ${version}\nclass: CommandLineTool\n${body}`;
const echo = tool("v1.2", "inputs: {in: string}\noutputs: []\nbaseCommand: echo\n");

async function toolOf(text: string) {
  const { document, said } = await loadText(text);
  expect(said).toEqual([]);
  if (document?.process.kind !== "tool") throw new Error("no tool");
  return document.process;
}

describe("short forms of types", () => {
  it.each(["string?[]", "string??", "string[][]", "?", "[]"])("%s is none", async (type) => {
    const { said } = await loadText(
      `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {a: "${type}"}\noutputs: []\n`,
    );
    expect(said.join()).toContain("main.cwl:3:13: error");
  });
});

describe("short forms", () => {
  it("maps stand for lists, and types are written short", async () => {
    const process = await toolOf(
      tool(
        "v1.2",
        "inputs:\n  a: File[]?\n  b: {type: [int, 'null'], default: 3}\n  c: {type: {type: enum, symbols: [x, '#y/z']}}\noutputs: {o: stdout}\n",
      ),
    );
    expect(process.inputs.map((each) => [each.name, printType(each.type), each.default])).toEqual([
      ["a", "File[]?", undefined],
      ["b", "int?", 3],
      ["c", "enum {x, z}", undefined],
    ]);
    const [output] = process.outputs;
    expect(output && printType(output.type)).toBe("File");
    expect(process.stdout?.text).toMatch(/^[0-9a-f]{40}$/);
    expect(output?.outputBinding?.glob).toEqual([process.stdout]);
  });

  it("the type stdin becomes a File that the tool reads", async () => {
    const process = await toolOf(tool("v1.1", "inputs: {x: string, f: stdin}\noutputs: []\n"));
    expect(process.inputs.map((each) => each.name)).toEqual(["x", "f"]);
    expect(process.stdin?.text).toBe('$(inputs["f"].path)');
  });

  it("secondary files ending in ? are optional from v1.1 on", async () => {
    const text = (version: string) =>
      tool(version, "inputs: {f: {type: File, secondaryFiles: [.bai?, ^.fai]}}\noutputs: []\n");
    const patterns = async (version: string) =>
      (await toolOf(text(version))).inputs[0]?.secondaryFiles.map((each) => [
        literalText(each.pattern),
        each.required,
      ]);
    expect(await patterns("v1.1")).toEqual([
      [".bai", false],
      ["^.fai", undefined],
    ]);
    expect(await patterns("v1.0")).toEqual([
      [".bai?", undefined],
      ["^.fai", undefined],
    ]);
  });
});

describe("several documents", () => {
  it("imports, includes and processes of other files are put together", async () => {
    const { document, said } = await loadText({
      "main.cwl":
        "cwlVersion: v1.2\nclass: Workflow\nrequirements:\n  - class: InlineJavascriptRequirement\n    expressionLib: [{$include: lib.js}]\n  - $import: types.yml\ninputs: {x: 'types.yml#pair'}\noutputs: {o: {type: Any, outputSource: s/out}}\nsteps:\n  s: {run: sub/tool.cwl#b, in: {p: x}, out: [out]}\n",
      "lib.js": "var one = 1;",
      "types.yml":
        "class: SchemaDefRequirement\ntypes:\n  - {name: pair, type: record, fields: {a: int, b: File}}\n",
      "sub/tool.cwl":
        "cwlVersion: v1.0\n$graph:\n- {id: a, class: ExpressionTool, inputs: [], outputs: [], expression: $(null)}\n- {id: b, class: CommandLineTool, inputs: {p: Any, f: {type: File, default: {class: File, location: x%20y.txt}}}, outputs: {out: Any}}\n",
    });
    expect(said).toEqual([]);
    if (document?.process.kind !== "workflow") throw new Error("no workflow");
    expect(document.process.requirements.inlineJavascript?.expressionLib).toEqual(["var one = 1;"]);
    expect(document.process.inputs.map((each) => printType(each.type))).toEqual(["record pair"]);
    const run = document.process.steps[0]?.run;
    expect([run?.id, run?.name, run?.version]).toEqual(["/docs/sub/tool.cwl#b", "b", "v1.0"]);
    expect(run?.requirements.networkAccess?.networkAccess).toBe(true);
    expect(run?.inputs[1]?.default).toEqual({ class: "File", location: "file:///docs/sub/x%20y.txt" });
  });

  it("a packed document runs main, and any other process by its name", async () => {
    const text =
      '{"cwlVersion": "v1.2", "$graph": [{"id": "#main", "class": "Workflow", "inputs": [{"id": "#main/i", "type": "string"}], "outputs": [{"id": "#main/o", "type": "string", "outputSource": "#main/s/r"}], "steps": [{"id": "#main/s", "run": "#t.cwl", "in": [{"id": "#main/s/x", "source": "#main/i"}], "out": ["#main/s/r"]}]}, {"id": "#t.cwl", "class": "ExpressionTool", "inputs": [{"id": "#t.cwl/x", "type": "string"}], "outputs": [{"id": "#t.cwl/r", "type": "string"}], "expression": "$(inputs)"}]}';
    expect((await loadText(text)).document?.process).toMatchObject({ kind: "workflow", name: "main" });
    expect((await loadText(text, "t.cwl")).document?.process).toMatchObject({
      kind: "expression",
      name: "t.cwl",
    });
    expect((await loadText(text, "u")).said).toEqual([
      "main.cwl:1:1: error: the document has no process #u [cwl-no-process]",
    ]);
  });

  it.each([
    [
      "a file that is not there",
      {
        "main.cwl":
          "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps: {s: {run: no.cwl, in: [], out: []}}",
      },
      "main.cwl:5:18: error: there is no document /docs/no.cwl [cwl-document-missing]",
    ],
    [
      "an import of itself",
      {
        "main.cwl": "cwlVersion: v1.2\nclass: Workflow\ninputs: {$import: a.yml}\noutputs: []\nsteps: []",
        "a.yml": "- $import: a.yml",
      },
      "a.yml:1:12: error: /docs/a.yml imports itself: /docs/main.cwl -> /docs/a.yml -> /docs/a.yml [cwl-import-cycle]",
    ],
    [
      "a workflow that runs itself",
      {
        "main.cwl":
          "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps: {s: {run: main.cwl, in: [], out: []}}",
      },
      "main.cwl:5:18: error: a step of main.cwl runs main.cwl, which runs itself [cwl-recursive-run]",
    ],
  ])("%s is reported", async (_what, texts, words) => {
    expect((await loadText(texts)).said).toContain(words);
  });
});

describe("what is wrong is shown where it is", () => {
  it.each([
    [
      echo.replace("baseCommand", "basCommand"),
      "main.cwl:5:1: error: a CommandLineTool has no field basCommand [cwl-unknown-field]",
    ],
    [
      echo.replace("v1.2", "v1.7"),
      'main.cwl:1:13: error: cwlVersion is the text "v1.7", expected v1.0, v1.1 or v1.2 [cwl-unsupported-version]',
    ],
    [
      echo.replace("cwlVersion: v1.2\n", ""),
      "main.cwl:1:1: error: the document needs the field cwlVersion [cwl-missing-field]",
    ],
    [echo.replace("string", "strng"), "main.cwl:3:14: error: there is no type strng [cwl-unknown-type]"],
    [
      echo.replace("outputs: []\n", ""),
      "main.cwl:1:1: error: a CommandLineTool needs the field outputs [cwl-missing-field]",
    ],
    [
      echo.replace("Tool", "Tol"),
      'main.cwl:2:8: error: expected a class of process, found the text "CommandLineTol" [cwl-unknown-class]',
    ],
    [
      `${echo}requirements: {Magic: {}}\n`,
      "main.cwl:6:16: error: the requirement Magic is not known [cwl-unsupported-requirement]",
    ],
    [`${echo}hints: {Magic: {}}\n`, "main.cwl:6:9: warning: the hint Magic is not known [cwl-unknown-hint]"],
    [
      `${echo}requirements: {ResourceRequirement: {coresMin: -1}}\n`,
      "main.cwl:6:48: error: coresMin is -1, expected 0 or more [cwl-wrong-type]",
    ],
    [
      `${echo}arguments: [$(inputs.in]\n`,
      "main.cwl:6:13: error: an expression begins and does not end: $(inputs.in [cwl-expression-open]",
    ],
    [
      `${echo}arguments: [$(1 + 1)]\n`,
      "main.cwl:6:13: error: this is JavaScript, and InlineJavascriptRequirement is not among the requirements [cwl-javascript-off]",
    ],
    [
      tool("v1.0", "inputs: []\noutputs: []\nrequirements: {WorkReuse: {enableReuse: true}}\n"),
      "main.cwl:5:16: error: the requirement WorkReuse is not part of v1.0 [cwl-unsupported-requirement]",
    ],
    [
      tool("v1.1", "inputs: []\noutputs: []\nintent: [x]\n"),
      "main.cwl:5:1: error: a CommandLineTool has no field intent in v1.1, which this document is written in [cwl-unknown-field]",
    ],
    [tool("v1.2", "inputs: {a: int}\noutputs: []\ninputs: ["), "main.cwl:5:10: error: Flow sequence"],
  ])("%#", async (text, words) => {
    const { said } = await loadText(text);
    expect(said).toContainEqual(expect.stringContaining(words));
  });

  it("metadata with a prefix is ignored, and hints may be anything", async () => {
    expect(
      (
        await loadText(
          `${echo}s:author: {s:name: me}\n$namespaces: {s: http://schema.org/}\nhints:\n  - {class: s:Wish, x: 1}\n`,
        )
      ).said,
    ).toEqual(["main.cwl:9:13: warning: the hint s:Wish is not known [cwl-unknown-hint]"]);
  });
});

describe("hostile texts", () => {
  it.each([
    ["nested brackets", `a: ${"[".repeat(100_000)}`],
    ["nested maps", `a: ${"{a: ".repeat(5000)}1${"}".repeat(5000)}`],
    ["nested dashes", `${"- ".repeat(5000)}1`],
    [
      "aliases that multiply",
      `a: &a [1,1,1,1,1,1,1,1,1,1]\n${"bcdefghij"
        .split("")
        .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${"abcdefghij"[index]}`).join(",")}]`)
        .join("\n")}\n`,
    ],
    ["an alias of itself", "a: &a [*a]\n"],
    ["no text at all", ""],
    ["several documents", "a: 1\n---\nb: 2\n"],
    ["binary data", "\u0000\u0001\u0002"],
  ])("%s are refused, not suffered", async (_what, text) => {
    const { document, said } = await loadText(text);
    expect(document).toBeUndefined();
    expect(said[0]).toMatch(/^main\.cwl:\d+:\d+: error: /);
  });

  it("flow collections that are indented too little are understood, and places stay right", async () => {
    const process = await toolOf(
      tool(
        "v1.2",
        "inputs: []\noutputs: []\narguments:\n  [\n # first\n  a,\n  'b c'\n  ]\nbaseCommand: [\ntrue2\n]\n",
      ),
    );
    expect(process.arguments.map((each) => each.valueFrom?.text)).toEqual(["a", "b c"]);
    expect(process.baseCommand).toEqual(["true2"]);
  });

  it("of a name that is given twice the last counts, with a warning", async () => {
    const { said, document } = await loadText(`${echo}baseCommand: cat\n`);
    expect(said).toEqual([
      "main.cwl:6:1: warning: baseCommand is given twice; the last one counts [cwl-duplicate-name]",
    ]);
    expect(document?.process).toMatchObject({ baseCommand: ["cat"] });
  });

  it("names of JavaScript's own are names like any other", async () => {
    const { said } = await loadText(`${echo}__proto__: 1\nconstructor: 2\n`);
    expect(said).toHaveLength(2);
  });
});

it("documents on the web run others next to them, and their files are on the web, too", async () => {
  const texts: Readonly<Record<string, string>> = {
    "/wf/main.cwl":
      "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps: {s: {run: ../tool.cwl, in: [], out: []}}\n",
    "/tool.cwl":
      "cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {f: {type: File, default: {class: File, location: data/x.txt}}}\noutputs: []\n",
  };
  const server = createServer((request, response) => {
    const text = texts[request.url ?? ""];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const tree = createFolderSource({ folder: "/nowhere" });
    const { document, diagnostics } = await loadDocument(
      { tree, uri: `${origin}/wf/main.cwl`, fragment: "", lenient: false },
      freshAsk(),
    );
    expect(diagnostics).toEqual([]);
    const run = document?.process.kind === "workflow" ? document.process.steps[0]?.run : undefined;
    expect(run?.id).toBe(`${origin}/tool.cwl`);
    expect(run?.inputs[0]?.default).toEqual({ class: "File", location: `${origin}/data/x.txt` });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
