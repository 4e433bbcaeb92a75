/** Runs a process or workflow as a test gives it its inputs, and collects what its channels emit. */

import { mkdtempSync, symlinkSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { freshAsk, renderDiagnostic } from "../../../src/kernel/index.ts";
import { createFolderSource, type SourceTree } from "../../../src/lang/core/index.ts";
import { createNextflowFrontEnd } from "../../../src/lang/nextflow/front-end.ts";
import { processHost } from "../../../src/lang/nextflow/run/testing/process-host.ts";
import { readJson, writeJson } from "../../../src/lang/nextflow/stdlib/json.ts";
import { parseScript } from "../../../src/lang/nextflow/syntax/script.ts";
import { outputSpecs } from "../../../src/lang/nextflow/task/output-spec.ts";
import { GroovyMap } from "../../../src/lang/nextflow/values/map.ts";
import { isList, type Value } from "../../../src/lang/nextflow/values/thing.ts";
import type { TaskFailure } from "../../../src/task/index.ts";
import { sortedChannel } from "./channel-order.ts";
import { type RecordedVersions, withVersions } from "./recorded-values.ts";
import type { TestData } from "./test-data.ts";
import type { Dependency, NfTest, NfTestFile } from "./test-file.ts";

export interface ComponentRun {
  readonly file: NfTestFile;
  readonly test: NfTest;
  /** New and empty. Absolute. */
  readonly folder: string;
  /** Of the repository; read before those of the test. */
  readonly config: string;
  readonly data: TestData;
  readonly versions: RecordedVersions;
}

export interface ComponentEnd {
  /** A task called a program that is not here. */
  readonly lacksTool: string | undefined;
  readonly succeeded: boolean;
  /** The text of the pipeline was not read. */
  readonly unread: boolean;
  /** Channels by their number and their name. */
  readonly out: GroovyMap;
  readonly printed: readonly string[];
  readonly trouble: string;
  readonly exitCode: number;
  readonly outputDir: string;
  readonly tasks: { readonly succeeded: number; readonly failed: number };
}

const mark = "@nf-test@ ";

export async function runComponent(run: ComponentRun): Promise<ComponentEnd> {
  const { file, test, folder, data } = run;
  const outputDir = join(folder, "output");
  await mkdir(outputDir, { recursive: true });
  await mkdir(join(folder, "scratch"));
  const names = await outputNames(file);
  await writeFile(join(folder, "main.nf"), pipeline(file, test, names, data));
  const params = plainParams(test.params, data);
  let printed = "";
  let unread = false;
  const trouble: string[] = [];
  const out = new GroovyMap(
    names.flatMap((name, index) => keysOf(name, index).map((key): [Value, Value] => [key, []])),
  );
  const frontEnd = createNextflowFrontEnd({
    stub: /(?:^|\s)-stub(?:-run)?\b/.test(test.options),
    configs: [run.config, ...test.configs],
    environment: { PATH: process.env["PATH"] ?? "", HOME: folder, NXF_OFFLINE: "true" },
    print: (text) => {
      printed += text;
    },
    log: (level, message) => {
      if (level !== "debug") trouble.push(message);
    },
  });
  const loaded = await frontEnd.load(overlaid(folder, run), "main.nf", { lenient: false }, freshAsk());
  const errors = loaded.diagnostics.filter(({ severity }) => severity === "error");
  trouble.push(...errors.map(renderDiagnostic));
  unread = loaded.program === undefined;
  const host = processHost({ folder });
  const result = await loaded.program?.run(
    {
      values: {
        ...params,
        modules_testdata_base_path: data.base,
        test_data_base: data.base.replace(/data\/$/, ""),
        outdir: params["outdir"] ?? outputDir,
        nf_test_output: join(folder, "meta"),
      },
      baseDir: folder,
    },
    host,
    freshAsk(),
  );
  let lacksTool: string | undefined;
  let exitCode = result?.kind === "succeeded" ? 0 : 1;
  if (result?.kind === "failed")
    for (const each of result.failures) {
      if (each.kind === "task") {
        lacksTool ??= missingTool(each.failure);
        trouble.push(`${each.path}: ${each.failure.message}\n${each.failure.stderrTail ?? ""}`);
      } else {
        // As Nextflow shows it: tests look for these lines.
        const { message, source } = each.diagnostic;
        trouble.push(`  ${message} -- Check script '${source.name}'`, renderDiagnostic(each.diagnostic));
        exitCode = each.exit?.code ?? exitCode;
      }
    }
  const lines = printed.split("\n");
  for (const line of lines)
    if (line.startsWith(mark)) {
      const item = readJson(line.slice(mark.length));
      if (!(item instanceof GroovyMap)) continue;
      const index = Number(item.at("index") ?? 0);
      for (const key of keysOf(names[index], index)) {
        const channel = out.at(key);
        if (isList(channel)) channel.push(withPaths(item.at("item") ?? null, folder));
      }
    }
  for (const key of out.keys()) {
    const channel = out.at(key);
    if (isList(channel)) out.put(key, sortedChannel(channel));
  }
  const failed = result?.kind === "failed" ? result.failures.filter(({ kind }) => kind === "task").length : 0;
  return {
    lacksTool,
    succeeded: result?.kind === "succeeded",
    unread,
    out,
    printed: [...lines.filter((line) => !line.startsWith(mark)), ...trouble.join("\n").split("\n")],
    trouble: trouble.join("\n"),
    exitCode,
    outputDir,
    tasks: { succeeded: host.calls.length - failed, failed },
  };
}

/** Some stubs are not free of tools. */
function missingTool({ exitCode, stderrTail = "" }: TaskFailure): string | undefined {
  const [, command, program, module] =
    /([\w./-]+): command not found|'(\w+)': No such file|No module named '?([\w.]+)/.exec(stderrTail) ?? [];
  return command ?? program ?? module ?? (exitCode === 127 ? "a program" : undefined);
}

/** Paths as texts, each under the name that it has for the pipeline. */
function withPaths(value: Value, folder: string): Value {
  if (isList(value)) return value.map((each) => withPaths(each, folder));
  if (!(value instanceof GroovyMap)) return value;
  const path = value.at("nfTestPath");
  if (typeof path !== "string")
    return new GroovyMap(
      Array.from(value.entries(), ([key, each]): [Value, Value] => [key, withPaths(each, folder)]),
    );
  const name = value.at("name");
  if (typeof name !== "string" || !path.startsWith("/")) return path;
  const own = basename(name);
  // The working folder itself (`path "./."`) has no other name.
  if (own === "" || own === "." || own === basename(path)) return path;
  const place = join(mkdtempSync(join(folder, "named-")), own);
  symlinkSync(path, place);
  return place;
}

function keysOf(name: string | undefined, index: number): readonly string[] {
  return name === undefined ? [String(index)] : [String(index), name];
}

/** Names of the outputs in their order; undefined: it has none. */
async function outputNames(file: NfTestFile): Promise<readonly (string | undefined)[]> {
  const { script } = parseScript({ name: file.script, text: await readFile(file.script, "utf8") });
  for (const item of script.items) {
    if (item.kind === "process" && item.name.text === file.subject)
      return outputSpecs(item)
        .filter(({ hidden }) => hidden !== true)
        .map(({ emit }) => emit);
    if (item.kind === "workflow" && item.name?.text === file.subject)
      return item.emits.map(
        ({ name, value }) => name?.text ?? (value.kind === "name" ? value.name : undefined),
      );
  }
  throw new Error(`${file.script} has no ${file.subject}`);
}

function pipeline(
  file: NfTestFile,
  test: NfTest,
  names: readonly (string | undefined)[],
  data: TestData,
): string {
  const includes = [
    ...test.setup.map(({ name, alias, script }) => include(name, alias, script)),
    include(file.subject, file.subject, file.script),
  ];
  const shown = names.map(
    (_, index) =>
      `  ${file.subject}.out[${index}].subscribe { println '${mark}' + groovy.json.JsonOutput.toJson([index: ${index}, item: nfTestPlain(it)]) }`,
  );
  return [
    ...new Set(includes),
    // A result may be a link to a file of another name: both are kept.
    "def nfTestPlain(value) {",
    "  if (value instanceof Path) return [nfTestPath: value.toString(), name: value.name]",
    "  if (value instanceof List) return value.collect { nfTestPlain(it) }",
    "  if (value instanceof Map) return value.collectEntries { k, v -> [(k): nfTestPlain(v)] }",
    "  return value",
    "}",
    "workflow {",
    ...test.setup.map((each) => called(each, data)),
    called({ alias: file.subject, mapping: test.mapping }, data),
    ...shown,
    "}",
    "",
  ].join("\n");
}

function include(name: string, alias: string, script: string): string {
  return `include { ${name === alias ? name : `${name} as ${alias}`} } from '${script.replace(/\.nf$/, "")}'`;
}

function called({ alias, mapping }: Pick<Dependency, "alias" | "mapping">, data: TestData): string {
  return `  if (true) {\n    def input = []\n${data.local(mapping())}\n    ${alias}(*input)\n  }`;
}

function plainParams(params: GroovyMap, data: TestData): Record<string, unknown> {
  return JSON.parse(data.local(writeJson(params))) as Record<string, unknown>;
}

/** The scripts as they are, but for versions of tools, which are those that the snapshot has. */
function overlaid(folder: string, { versions }: ComponentRun): SourceTree {
  const source = createFolderSource({ folder });
  return {
    ...source,
    read: async (uri, ask, use) => {
      const read = await source.read(uri, ask, use);
      return read === undefined || !uri.endsWith(".nf")
        ? read
        : { ...read, text: withVersions(uri, read.text, versions) };
    },
  };
}
