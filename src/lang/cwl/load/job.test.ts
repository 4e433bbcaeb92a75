import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk, renderDiagnostic } from "../../../kernel/index.ts";
import { createFileSource, parseParameters } from "../../core/index.ts";
import { createEvaluator } from "../expr/create-evaluator.ts";
import { createCwlFrontEnd } from "../front-end.ts";
import { bindInputs } from "../values/bind-inputs.ts";
import { createFiles } from "../values/files.ts";
import { readJob } from "./job.ts";
import { loadDocument } from "./load.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-cwl-job-"));
  await Promise.all(
    ["reads #1.bam", "reads #1.bam.bai", "ref.fa", "big.txt"].map((name) =>
      writeFile(join(folder, name), name === "big.txt" ? "x".repeat(65_537) : name),
    ),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const head = (version: string) => `cwlVersion: ${version}\nclass: CommandLineTool\noutputs: []\n`;

async function bind(document: string, job: string) {
  const file = join(folder, "tool.cwl");
  await writeFile(file, document);
  const tree = createFileSource({ file, name: "tool.cwl" });
  const loaded = await loadDocument({ tree, uri: file, fragment: "", lenient: false }, freshAsk());
  if (loaded.document === undefined) throw new Error(loaded.diagnostics.map(renderDiagnostic).join("\n"));
  const source = { name: "job.yml", text: job };
  const { values = {} } = await parseParameters(source);
  const read = await readJob(loaded.document, { values, baseDir: folder, source });
  const evaluator = createEvaluator();
  const bound = await bindInputs(
    read.given,
    {
      process: read.process,
      requirements: read.process.requirements,
      runtime: {},
      evaluator,
      files: createFiles(undefined),
      ontology: loaded.document.ontology,
      siblings: "discover",
    },
    freshAsk(),
  );
  await evaluator.close();
  const said = [
    ...read.diagnostics,
    ...(bound.kind === "faults" ? bound.faults.map(read.diagnosticOf) : []),
  ].map((each) => renderDiagnostic(each).split("\n")[0]);
  return { said, inputs: bound.kind === "bound" ? bound.inputs : undefined, process: read.process };
}

describe("files of a job", () => {
  it("get their names, sizes and secondary files", async () => {
    const { inputs, said } = await bind(
      `${head("v1.2")}inputs: {f: {type: File, secondaryFiles: [.bai, .csi?]}}\n`,
      "f: {class: File, location: 'reads%20%231.bam'}\n",
    );
    expect(said).toEqual([]);
    expect(inputs?.["f"]).toMatchObject({
      basename: "reads #1.bam",
      nameroot: "reads #1",
      nameext: ".bam",
      size: 12,
      secondaryFiles: [{ class: "File", basename: "reads #1.bam.bai", size: 16 }],
    });
  });

  it.each([
    [
      "one that is not there",
      "f: {class: File, path: no.bam}",
      /^job\.yml:1:4: error: f: there is no file file:.*no\.bam \[cwl-input\]$/,
    ],
    [
      "a required secondary file that is not there",
      "f: {class: File, path: ref.fa}",
      /^job\.yml:1:4: error: f: the secondary file ref\.fa\.bai of ref\.fa is missing/,
    ],
    [
      "a name with a slash",
      "f: {class: File, path: ref.fa, basename: ../x}",
      /basename is "\.\.\/x", which no file can be called/,
    ],
    ["a folder", "f: {class: File, path: .}", /is a directory, expected a file/],
    ["neither location nor contents", "f: {class: File}", /a File needs location, path or contents/],
    ["a number", "f: 3", /^job\.yml:1:4: error: f: expected File, found the number 3 \[cwl-input\]$/],
    ["nothing", "{}", /^tool\.cwl:4:10: error: the input f is missing \[cwl-input\]$/],
  ])("%s is refused", async (_what, job, words) => {
    const { said } = await bind(`${head("v1.2")}inputs: {f: {type: File, secondaryFiles: .bai}}\n`, job);
    expect(said).toEqual([expect.stringMatching(words)]);
  });

  it("contents are read up to 64 KiB: longer files are an error from v1.2 on, and cut before", async () => {
    const document = (version: string) => `${head(version)}inputs: {f: {type: File, loadContents: true}}\n`;
    const job = "f: {class: File, path: big.txt}";
    expect((await bind(document("v1.2"), job)).said[0]).toContain(
      "loadContents reads at most 65536 bytes, big.txt has 65537",
    );
    const before = await bind(document("v1.1"), job);
    expect(before.inputs?.["f"]).toMatchObject({ contents: "x".repeat(65_536) });
  });

  it("listings are as deep as the parameter or the requirement says", async () => {
    const document = (more: string) => `${head("v1.2")}inputs: {d: {type: Directory${more}}}\n`;
    const listing = async (more: string) => {
      const { inputs } = await bind(document(more), "d: {class: Directory, path: .}");
      const value = inputs?.["d"];
      return typeof value === "object" && value !== null && "listing" in value
        ? Object.keys(value["listing"] ?? []).length
        : undefined;
    };
    expect(await listing("")).toBeUndefined();
    expect(await listing(", loadListing: shallow_listing")).toBe(5);
  });
});

describe("values of a job", () => {
  it("defaults stand for what is missing or null, never for what is false", async () => {
    const { inputs } = await bind(
      `${head("v1.2")}inputs: {a: {type: boolean, default: true}, b: {type: int, default: 3}, c: {type: int, default: 4}}\n`,
      "a: false\nb: null\n",
    );
    expect(inputs).toEqual({ a: false, b: 3, c: 4 });
  });

  it.each([
    ["int", "3000000000", "expected int, found the number 3000000000"],
    ["long", "3000000000", undefined],
    ["int", "1.5", "expected int, found the number 1.5"],
    ["float", "2", undefined],
    ["string", "yes", undefined],
    ["boolean", "yes", 'expected boolean, found the text "yes"'],
    ["Any", "null", "expected Any, found null"],
    ["'int[]'", "[1, x]", 'expected int, found the text "x"'],
    ["{type: record, fields: {a: int, b: int?}}", "{a: 1}", undefined],
    ["{type: record, fields: {a: int, b: int?}}", "{b: 1}", "expected int, found null"],
    ["{type: enum, symbols: [a, b]}", "c", 'expected enum {a, b}, found the text "c"'],
    ["[int, string]", "[]", "expected int | string, found an array of 0"],
  ])("%s from %s", async (type, value, message) => {
    const { said } = await bind(`${head("v1.2")}inputs: {x: {type: ${type}}}\n`, `x: ${value}`);
    if (message === undefined) expect(said).toEqual([]);
    else expect(said[0]).toContain(message);
  });

  it("a name that is not declared is a warning, and left out", async () => {
    const { said, inputs } = await bind(`${head("v1.2")}inputs: {threads: int}\n`, "threads: 1\nthread: 2\n");
    expect(said).toEqual([
      "job.yml:2:1: warning: tool has no input thread; it is left out [cwl-unknown-input]",
    ]);
    expect(inputs).toEqual({ threads: 1 });
  });

  it("cwl:requirements stand above those of the document, from v1.1 on", async () => {
    const job = "cwl:requirements:\n  - {class: EnvVarRequirement, envDef: {A: job}}\n";
    const document = (version: string) =>
      `${head(version)}inputs: []\nrequirements: {EnvVarRequirement: {envDef: {A: document}}}\n`;
    const { process } = await bind(document("v1.1"), job);
    expect(process.requirements.envVar?.definitions.map((each) => each.value.text)).toEqual(["job"]);
    expect((await bind(document("v1.0"), job)).said[0]).toContain("cwl:requirements in inputs need CWL v1.1");
  });
});

describe("formats", () => {
  const rdf =
    '<rdf:RDF xmlns:rdf="r" xmlns:owl="o" xmlns:rdfs="s"><owl:Class rdf:about="http://e/fastq"><rdfs:subClassOf rdf:resource="http://e/text"/></owl:Class></rdf:RDF>';
  const turtle =
    "@prefix e: <http://e/> .\n@prefix owl: <http://www.w3.org/2002/07/owl#> .\ne:plain a owl:Class ; owl:equivalentClass e:text .";
  const document = `${head("v1.2")}$namespaces: {e: "http://e/"}\n$schemas: [o.rdf, o.ttl]\ninputs: {f: {type: File, format: e:text}}\n`;
  const job = (format: string) => `f: {class: File, path: ref.fa${format}}`;

  it.each([
    [", format: e:text", undefined],
    [", format: 'http://e/fastq'", undefined],
    [", format: e:plain", undefined],
    [", format: e:other", "ref.fa has the format http://e/other, expected http://e/text"],
    ["", "ref.fa says no format, expected http://e/text"],
  ])("%s", async (format, message) => {
    await Promise.all([writeFile(join(folder, "o.rdf"), rdf), writeFile(join(folder, "o.ttl"), turtle)]);
    const { said } = await bind(document, job(format));
    if (message === undefined) expect(said).toEqual([]);
    else expect(said[0]).toContain(message);
  });
});

it("the front end answers an interface, and finds faults of inputs before a run", async () => {
  const file = join(folder, "tool.cwl");
  await writeFile(
    file,
    `${head("v1.2")}label: Counts\ninputs:\n  f: {type: File, doc: What to count}\n  n: {type: int?, default: 2}\nbaseCommand: wc\n`,
  );
  const frontEnd = createCwlFrontEnd();
  const { program } = await frontEnd.load(
    createFileSource({ file }),
    undefined,
    { lenient: false },
    freshAsk(),
  );
  expect(program?.interface).toEqual({
    kind: "tool",
    name: "tool",
    description: "Counts",
    parameters: [
      { name: "f", type: "File", holds: { kind: "file" }, required: true, description: "What to count" },
      { name: "n", type: "int?", holds: { kind: "number" }, required: false, defaultText: "2" },
    ],
    outputs: [],
    tasks: ["tool"],
  });
  const faults = await program?.checkInputs({ values: { f: 3 }, baseDir: folder }, freshAsk());
  expect(faults?.map((each) => each.message)).toEqual(["f: expected File, found the number 3"]);
});
