/** Where files came from, through WDL, CWL, Nextflow and predictions, over several runs. */
import { createHash } from "node:crypto";
import { appendFile, copyFile, readFile, rm } from "node:fs/promises";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";

const wdl = `version 1.1
task shout {
  input { File text }
  command <<< tr a-z A-Z < '~{text}' > up.txt; touch empty.txt >>>
  output { File up = "up.txt" File empty = "empty.txt" }
}
task copy {
  input { File text }
  command <<< cat '~{text}' > same.txt >>>
  output { File same = "same.txt" }
}
workflow first {
  input { File text }
  call shout { input: text }
  call copy { input: text }
  output { File up = shout.up File same = copy.same File empty = shout.empty }
}
`;
const cwl = `cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand: [sh, -c]
arguments: ['mkdir dir && sort "$0" > dir/sorted.txt && cp "$0" dir/whole.txt', $(inputs.text.path)]
inputs: {text: File}
outputs: {dir: {type: Directory, outputBinding: {glob: dir}}}
`;
const nextflow = `process TABLE {
  publishDir 'published', mode: 'copy'
  input: path dir
  output: path 'all.csv'
  script:
  """
  (echo smiles; head -n 1 $dir/sorted.txt) > all.csv
  """
}
workflow { TABLE(Channel.fromPath(params.dir, type: 'dir')) }
`;

/** Checkouts: see `test/conformance/ro-crate.process.ts`. */
const shapes = process.env["MEMOIR_TEST_ROCRATE_SHAPES"];
const contexts = process.env["MEMOIR_TEST_ROCRATE_CONTEXTS"];

interface Call {
  readonly id: string;
  readonly run: string;
  readonly call: string;
  readonly task: string;
  readonly language: string;
  readonly state: string;
  readonly command?: string;
  readonly computedBy?: { readonly run: string; readonly call: string };
  readonly isCut?: boolean;
  readonly predictions?: {
    readonly release: string;
    readonly batches: readonly { readonly rows: number; readonly run?: string; readonly toolkit?: string }[];
  };
}

interface Trace {
  readonly file: { readonly kind: string; readonly identity?: string };
  readonly found: string;
  readonly recorded?: string;
  readonly madeBy: string;
  readonly calls: readonly Call[];
  readonly edges: readonly {
    readonly from?: string;
    readonly to: string;
    readonly by?: string;
    readonly location?: string;
  }[];
  readonly firstInputs: readonly { readonly location?: string; readonly usedBy: readonly string[] }[];
}

describe("provenance", () => {
  let sandbox: Sandbox;
  const runs: Record<string, string> = {};
  const memoir = async (...words: readonly string[]): Promise<unknown> => {
    const { code, out, err } = await sandbox.run(...words, "--json");
    expect(code, err).toBe(0);
    return JSON.parse(out);
  };
  const trace = async (...words: readonly string[]) => (await memoir("trace", ...words)) as Trace;
  const run = async (name: string, ...words: readonly string[]) => {
    const result = (await memoir("run", ...words, "--executor", "host", "--cache-host-tasks")) as {
      readonly run: string;
    };
    runs[name] = result.run;
  };
  const edgesOf = ({ calls, edges }: Trace) =>
    edges.map(({ from, to, location, by }) => {
      const task = (id: string | undefined) => calls.find((call) => call.id === id)?.task;
      return [task(from) ?? basename(location ?? ""), task(to), by];
    });

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.write("first.wdl", wdl);
    await sandbox.write("second.cwl", cwl);
    await sandbox.write("third.nf", nextflow);
    await sandbox.write("in.txt", "cco\nccn\n");
    await run("before", "first.wdl", "text=in.txt");
    await run("first", "first.wdl", "text=in.txt", "--out", "one");
    await run("second", "second.cwl", "text=one/up/up.txt", "--out", "two");
    await run("third", "third.nf", "dir=two/dir/dir");
    const predicted = ["run", "--model", "eos3b5e", "--cache-only", "--json"];
    await memoir(...predicted, "-i", "published/all.csv", "-o", "predicted.csv");
    await sandbox.write("two.csv", "smiles\nCCN\nCCC\n");
    await memoir(...predicted, "-i", "two.csv", "-o", "again.csv");
  }, 6 * limitMs);

  it("is followed edge by edge over three languages, two runs of one workflow, and predictions", async () => {
    const traced = await trace("predicted.csv");
    expect(traced.found).toBe("content");
    expect(traced.calls.map(({ task, language, state }) => [task, language, state])).toEqual([
      ["eos3b5e", "predictions", "computed"],
      ["TABLE", "nextflow", "computed"],
      [expect.any(String), "cwl", "computed"],
      ["shout", "wdl", "reused"],
    ]);
    const [, table, tool, shout] = traced.calls;
    expect(table?.run).toBe(runs["third"]);
    expect(table?.command).toContain("head -n 1");
    expect(tool?.run).toBe(runs["second"]);
    expect(shout?.run).toBe(runs["first"]);
    expect(shout?.computedBy).toEqual({ run: runs["before"], call: "first.shout" });
    expect(edgesOf(traced)).toEqual([
      ["TABLE", "eos3b5e", "content"],
      [tool?.task, "TABLE", "content"],
      ["shout", tool?.task, "content"],
      ["in.txt", "shout", undefined],
    ]);
    expect(traced.firstInputs).toMatchObject([{ location: sandbox.path("in.txt"), usedBy: [shout?.id] }]);
  });

  it("of predictions names the runs that computed the rows, with release, runner and toolkit", async () => {
    const [call] = (await trace("again.csv")).calls;
    const [earlier] = (await trace("predicted.csv")).calls;
    expect(call?.predictions).toMatchObject({
      release: "v1.0.0",
      batches: [
        { rows: 1, run: call?.run, runner: "builtin", toolkit: expect.stringContaining("rdkit") },
        { rows: 1, run: earlier?.run, runner: "builtin", toolkit: expect.stringContaining("rdkit") },
      ],
    });
    const found = (await memoir("lookup", "CCN")) as { readonly found: readonly { readonly run?: string }[] };
    expect(found.found.map((each) => each.run)).toContain(earlier?.run);
  });

  it("finds a copy by its content, and a folder and a file in it", async () => {
    await copyFile(sandbox.path("one/up/up.txt"), sandbox.path("elsewhere.txt"));
    const copied = await trace("elsewhere.txt");
    expect([copied.found, copied.calls[0]?.call]).toEqual(["content", "first.shout"]);
    const folder = await trace("two/dir/dir");
    expect([folder.file.kind, folder.found, folder.calls[0]?.run]).toEqual([
      "directory",
      "content",
      runs["second"],
    ]);
    // `whole.txt` is equal to what WDL made: its path says which of them it is.
    expect((await trace("two/dir/dir/whole.txt")).calls[0]?.run).toBe(runs["second"]);
    expect((await trace("one/up/up.txt")).calls[0]?.run).toBe(runs["first"]);
  });

  it("finds a file that was changed since by its path, and says so", async () => {
    const before = await trace("one/same/same.txt");
    await appendFile(sandbox.path("one/same/same.txt"), "more\n");
    const after = await trace("one/same/same.txt");
    expect(after).toMatchObject({ found: "path", recorded: before.file.identity, madeBy: before.madeBy });
    const { out } = await sandbox.run("trace", "one/same/same.txt");
    expect(out).toContain("changed since");
  });

  it("does not claim that a call made what had been there before it, or a file because both are empty", async () => {
    const input = await sandbox.run("trace", "in.txt");
    expect([input.code, input.err]).toEqual([3, expect.stringContaining("TRACE_NOT_FOUND")]);
    await sandbox.write("other.txt", "");
    expect((await sandbox.run("trace", "other.txt")).err).toContain("TRACE_NOT_FOUND");
    // By its path it is known.
    expect((await trace("one/empty/empty.txt")).calls[0]?.call).toBe("first.shout");
    expect((await sandbox.run("trace", "nowhere.txt")).err).toContain("FILE_NOT_FOUND");
  });

  it("stops at the depth, and prints with --format json what --json prints", async () => {
    const traced = await trace("published/all.csv", "--depth", "2");
    expect(traced.calls.map(({ isCut }) => isCut ?? false)).toEqual([false, true]);
    expect(traced.firstInputs).toEqual([]);
    const { out } = await sandbox.run("trace", "published/all.csv", "--depth", "2", "--format", "json");
    expect(JSON.parse(out)).toEqual(traced);
    expect((await sandbox.run("trace", "in.txt", "--depth", "0")).code).toBe(2);
  });

  it("of results that no cache holds is known by their content, too", async () => {
    await sandbox.write("unrecorded.txt", "nobody else has this\n");
    const { run: id } = (await memoir(
      ...["run", "first.wdl", "text=unrecorded.txt", "--executor", "host", "--no-cache", "--out", "three"],
    )) as { readonly run: string };
    await copyFile(sandbox.path("three/up/up.txt"), sandbox.path("moved.txt"));
    const traced = await trace("moved.txt");
    expect(traced.calls.map(({ run: of, call }) => [of, call])).toEqual([[id, "first.shout"]]);
    expect(traced.firstInputs.map(({ location }) => location)).toEqual([sandbox.path("unrecorded.txt")]);
  });

  it("is exported as a crate, with the outputs under their checksums", async () => {
    await memoir("runs", "export", runs["first"] ?? "", "--output", sandbox.path("crate"));
    const metadata = JSON.parse(await sandbox.read("crate/ro-crate-metadata.json")) as {
      readonly "@graph": readonly Readonly<Record<string, unknown>>[];
    };
    const entity = (id: string) => metadata["@graph"].find((each) => each["@id"] === id);
    const ofType = (type: string) =>
      metadata["@graph"].filter((each) => [each["@type"]].flat().includes(type));
    expect(entity("./")).toMatchObject({ mainEntity: { "@id": "workflow/first.wdl" } });
    expect(await sandbox.read("crate/workflow/first.wdl")).toBe(wdl);
    expect(await sandbox.read("crate/outputs/up.txt")).toBe("CCO\nCCN\n");
    const up = createHash("sha256").update("CCO\nCCN\n").digest("hex");
    expect(entity("outputs/up.txt")).toMatchObject({ "@type": "File", contentSize: "8", sha256: up });
    const [shout] = ofType("CreateAction").filter(({ name }) => name === "first.shout");
    expect(shout).toMatchObject({
      description: expect.stringContaining(`computed by run ${runs["before"]}`),
      result: expect.arrayContaining([{ "@id": "outputs/up.txt" }]),
    });
    expect(ofType("ControlAction")).toHaveLength(2);
    // Every reference leads somewhere, or to another vocabulary.
    const referred = [...JSON.stringify(metadata).matchAll(/\{"@id":"([^"]*)"\}/g)].map(([, id]) => id ?? "");
    expect(referred.filter((id) => !id.startsWith("http") && entity(id) === undefined)).toEqual([]);
    const again = await sandbox.run("runs", "export", runs["first"] ?? "", "--output", "crate");
    expect([again.code, again.err]).toEqual([2, expect.stringContaining("not empty")]);
  });

  it("is exported as a plain graph of calls and edges", async () => {
    const { graph } = (await memoir("runs", "export", runs["third"] ?? "", "--format", "json")) as {
      readonly graph: { readonly calls: readonly Call[]; readonly edges: Trace["edges"] };
    };
    expect(graph.calls.map(({ task }) => task)).toEqual(["TABLE"]);
    expect(graph.edges).toMatchObject([{ place: "inputs/1/dir", location: sandbox.path("two/dir/dir") }]);
    const printed = await sandbox.run("runs", "export", runs["third"] ?? "", "--format", "json");
    expect(JSON.parse(printed.out)).toEqual(graph);
  });

  it("exports no output that was changed since under the checksum that it had", async () => {
    await appendFile(sandbox.path("published/all.csv"), "C\n");
    const refused = await sandbox.run("runs", "export", runs["third"] ?? "", "--output", "changed");
    expect([refused.code, refused.err]).toEqual([4, expect.stringContaining("FILE_CHANGED")]);
    expect(
      (await sandbox.run("runs", "export", runs["third"] ?? "", "--files", "none", "--output", "changed"))
        .code,
    ).toBe(0);
  });

  it.skipIf(shapes === undefined || contexts === undefined)(
    "is exported so that the published shapes accept it (MEMOIR_TEST_ROCRATE_SHAPES and MEMOIR_TEST_ROCRATE_CONTEXTS)",
    async () => {
      const predictions = (await trace("again.csv")).calls[0]?.run;
      for (const name of ["before", "first", "second", "third", "predictions"]) {
        await memoir(
          "runs",
          "export",
          (name === "predictions" ? predictions : runs[name]) ?? "",
          "--files",
          "none",
          "--output",
          sandbox.path(`shaped-${name}`),
        );
        const metadata = await sandbox.read(`shaped-${name}/ro-crate-metadata.json`);
        const { checkCrate, kindOf, shapesIn } = await import("../conformance/ro-crate-shapes.ts");
        const base = pathToFileURL(`${sandbox.path(`shaped-${name}`)}/`).href;
        expect(
          await checkCrate(metadata, {
            shapes: shapesIn(shapes ?? "", kindOf(metadata)),
            contexts: contexts ?? "",
            base,
          }),
          name,
        ).toEqual([]);
      }
    },
  );

  it("is still known when the cache was emptied", async () => {
    await rm(sandbox.path("home/cache"), { recursive: true, force: true });
    const traced = await trace("one/up/up.txt");
    expect(traced.calls.map(({ call }) => call)).toEqual(["first.shout"]);
    expect(traced.firstInputs.map(({ location }) => location)).toEqual([sandbox.path("in.txt")]);
    expect(await readFile(sandbox.path("one/up/up.txt"), "utf8")).toBe("CCO\nCCN\n");
  });
});
