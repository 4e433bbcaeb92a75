/** Runs pipelines in tests: files in a new folder, tasks as local processes. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freshAsk, renderDiagnostic } from "../../../../kernel/index.ts";
import { createFolderSource } from "../../../core/index.ts";
import { createNextflowFrontEnd } from "../../front-end.ts";
import type { NextflowOptions } from "../program-parts.ts";
import { processHost } from "./process-host.ts";

export interface TextRun extends NextflowOptions {
  /** By path; `main.nf` is run, `nextflow.config` read. */
  readonly files: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface TextEnd {
  readonly kind: "succeeded" | "failed" | "cancelled" | "refused";
  /** Lines that scripts print, sorted: order is promised by few operators. */
  readonly lines: readonly string[];
  /** In the order in which they came. */
  readonly printed: readonly string[];
  /** What went wrong, and warnings. */
  readonly trouble: string;
  /** Names of processes with their path, in the order of their calls. */
  readonly calls: readonly string[];
  /** Files below `results`, with their content. */
  readonly results: Readonly<Record<string, string>>;
}

export async function runPipeline({ files, params = {}, ...options }: TextRun): Promise<TextEnd> {
  const folder = await mkdtemp(join(tmpdir(), "memoir-nextflow-"));
  const launch = join(folder, "launch");
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(launch, name)), { recursive: true });
      await writeFile(join(launch, name), text, { mode: /(?:^|\/)bin\//.test(name) ? 0o755 : 0o644 });
    }
    await mkdir(join(folder, "scratch"));
    let printed = "";
    const trouble: string[] = [];
    const frontEnd = createNextflowFrontEnd({
      print: (text) => {
        printed += text;
      },
      log: (level, message) => {
        if (level !== "debug") trouble.push(message);
      },
      ...options,
    });
    const loaded = await frontEnd.load(
      createFolderSource({ folder: launch }),
      "main.nf",
      { lenient: false },
      freshAsk(),
    );
    trouble.push(...loaded.diagnostics.map(renderDiagnostic));
    const host = processHost({ folder });
    const result = await loaded.program?.run({ values: params, baseDir: launch }, host, freshAsk());
    if (result?.kind === "failed")
      for (const each of result.failures)
        trouble.push(
          each.kind === "task" ? `${each.path}: ${each.failure.message}` : renderDiagnostic(each.diagnostic),
        );
    const printedLines = printed
      .replaceAll(launch, "LAUNCH")
      .split("\n")
      .filter((line) => line !== "");
    return {
      kind: result?.kind ?? "refused",
      printed: printedLines,
      lines: [...printedLines].sort(),
      trouble: trouble.join("\n").replaceAll(launch, "LAUNCH"),
      calls: host.calls.map(({ path }) => path.slice(0, path.indexOf("/"))),
      results: await contentBelow(join(launch, "results")),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function contentBelow(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (place: string, prefix: string): Promise<void> => {
    for (const entry of await readdir(place, { withFileTypes: true }).catch(() => [])) {
      const path = join(place, entry.name);
      const directory = (await readdir(path).catch(() => undefined)) !== undefined;
      if (directory) await visit(path, `${prefix}${entry.name}/`);
      else found[prefix + entry.name] = await readFile(path, "utf8");
    }
  };
  await visit(folder, "");
  return found;
}
