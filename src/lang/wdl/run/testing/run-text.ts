/** Runs WDL texts in tests: documents in memory, commands as local processes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Diagnostic, defined, freshAsk, renderDiagnostic } from "../../../../kernel/index.ts";
import type { Value } from "../../../../task/index.ts";
import type { ProgramResult, SourceTree } from "../../../core/index.ts";
import { loadDocuments } from "../../check/load.ts";
import type { Target } from "../input-tree.ts";
import { wdlProgram } from "../program.ts";
import { type ProcessHost, processHost } from "./process-host.ts";

export interface TextRun {
  /** By file name; `main.wdl` is run. */
  readonly documents: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly target?: string;
  readonly failure?: "fast" | "slow";
  /** Where relative inputs start, and where calls leave their files. Default: a folder that is removed afterwards. */
  readonly folder?: string;
}

export interface TextEnd {
  readonly result: ProgramResult;
  readonly host: ProcessHost;
  /** Outputs without the target's name; files as their basenames. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Messages of everything that failed, joined by line breaks. */
  readonly failures: string;
}

export async function runText(run: TextRun): Promise<TextEnd> {
  const folder = run.folder ?? (await mkdtemp(join(tmpdir(), "memoir-wdl-")));
  try {
    const target = await targetOf(run.documents, run.target);
    const program = wdlProgram({
      target,
      interface: { kind: target.kind, name: target.name, parameters: [], outputs: [], tasks: [] },
      hostPathOf: (uri) => join(folder, uri),
    });
    const host = processHost({
      folder,
      env: { PATH: process.env["PATH"] ?? "" },
      ...defined({ failure: run.failure }),
    });
    const result = await program.run({ values: run.inputs ?? {}, baseDir: folder }, host, freshAsk());
    const outputs = Object.entries(result.outputs).map(
      ([name, value]) => [name.slice(target.name.length + 1), shown(value)] as const,
    );
    return { result, host, outputs: Object.fromEntries(outputs), failures: failuresOf(result) };
  } finally {
    if (run.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Evaluates expressions: the outputs of a workflow without calls. `body` stands before the output section. */
export async function evaluateText(
  outputs: Readonly<Record<string, string>>,
  options: { readonly version?: string; readonly body?: string } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const lines = Object.entries(outputs).map(([declaration, expression]) => `${declaration} = ${expression}`);
  const text = `version ${options.version ?? "1.2"}\n${options.body?.startsWith("struct") ? options.body : ""}
workflow t {
${options.body?.startsWith("struct") ? "" : (options.body ?? "")}
output {
${lines.join("\n")}
}
}`;
  const end = await runText({ documents: { "main.wdl": text } });
  if (end.result.kind !== "succeeded") throw new Error(end.failures);
  return end.outputs;
}

/** Every checked target has a document without errors. */
export async function targetOf(
  documents: Readonly<Record<string, string>>,
  name: string | undefined,
): Promise<Target> {
  const { main, diagnostics } = await loadDocuments(
    treeOf(documents),
    "main.wdl",
    { lenient: false },
    freshAsk(),
  );
  const errors = diagnostics.filter((each) => each.severity === "error");
  if (main === undefined || errors.length > 0) throw new Error(errors.map(renderDiagnostic).join("\n"));
  const target = name === undefined ? (main.workflow ?? [...main.tasks.values()][0]) : main.tasks.get(name);
  if (target === undefined) throw new Error("the document has nothing to run");
  return target;
}

function treeOf(documents: Readonly<Record<string, string>>): SourceTree {
  return {
    name: "documents",
    read: async (uri) => {
      const text = documents[uri];
      return text === undefined ? undefined : { name: uri, text };
    },
    resolve: (reference) => reference,
    hostPathOf: () => undefined,
    list: async () => Object.keys(documents),
    listFolder: async () => undefined,
  };
}

function shown(value: Value): unknown {
  if (value === null || typeof value !== "object") return typeof value === "bigint" ? Number(value) : value;
  if (isList(value)) return value.map(shown);
  if (value.kind === "record")
    return Object.fromEntries(value.entries.map(([name, item]) => [name, shown(item)]));
  return value.basename;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function failuresOf(result: ProgramResult): string {
  if (result.kind !== "failed") return "";
  return result.failures
    .map((failure) =>
      failure.kind === "task" ? `${failure.path}: ${failure.failure.message}` : line(failure.diagnostic),
    )
    .join("\n");
}

function line(diagnostic: Diagnostic): string {
  return diagnostic.help === undefined ? diagnostic.message : `${diagnostic.message}; ${diagnostic.help}`;
}
