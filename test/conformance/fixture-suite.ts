/**
 * Runs engine fixtures: folders with `source.wdl`, `inputs.json` and either `outputs.json` or `error.txt`, as sprocket's
 * engine keeps them below `tests/tasks`, `tests/workflows` and `tests/inputs`.
 */
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJsonText } from "../../src/lang/wdl/values/json-reader.ts";
import type { CaseResult } from "./case-result.ts";
import { difference } from "./compare.ts";
import { runDocument } from "./run-document.ts";

export interface FixtureSuiteOptions {
  /** Holds one folder a case. */
  readonly folder: string;
  readonly only?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default `host`. */
  readonly executor?: "host" | "container" | "slurm";
}

export async function runFixtureSuite(options: FixtureSuiteOptions): Promise<readonly CaseResult[]> {
  const work = await mkdtemp(join(tmpdir(), "memoir-fixtures-"));
  try {
    const results: CaseResult[] = [];
    const entries = await readdir(options.folder, { withFileTypes: true });
    for (const entry of entries
      .filter((each) => each.isDirectory())
      .sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (options.only !== undefined && !entry.name.includes(options.only)) continue;
      const scratch = join(work, entry.name);
      await mkdir(scratch, { recursive: true });
      results.push(await runFixture(entry.name, scratch, options));
    }
    return results;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function runFixture(name: string, scratch: string, options: FixtureSuiteOptions): Promise<CaseResult> {
  const { env, executor } = options;
  const folder = join(options.folder, name);
  const files = await readdir(folder);
  if (!files.includes("source.wdl")) return { name, kind: "excluded", why: "there is no source.wdl" };
  const inputs = await json(join(folder, "inputs.json"));
  try {
    const target = targetNamed(inputs);
    const end = await runDocument({
      document: join(folder, "source.wdl"),
      ...(files.includes("inputs.json") ? { inputs: join(folder, "inputs.json") } : {}),
      scratch,
      env,
      ...(executor && { executor }),
      ...(target === undefined ? {} : { target }),
    });
    if (files.includes("error.txt") && (await readFile(join(folder, "error.txt"), "utf8")).trim() !== "") {
      return end.kind === "succeeded"
        ? { name, kind: "failed", why: "expected to fail, but it succeeded" }
        : { name, kind: "passed" };
    }
    if (end.kind !== "succeeded") return { name, kind: "failed", why: `${end.kind}: ${end.why}` };
    const expected = files.includes("outputs.json") ? await json(join(folder, "outputs.json")) : {};
    for (const [key, value] of Object.entries(expected)) {
      const why = difference(value, end.outputs[key] ?? null, key);
      if (why !== undefined) return { name, kind: "failed", why };
    }
    return { name, kind: "passed" };
  } catch (error) {
    return { name, kind: "failed", why: `threw ${error instanceof Error ? error.stack : String(error)}` };
  }
}

/** Fixtures with several tasks and no workflow name theirs in the inputs' keys. */
function targetNamed(inputs: Readonly<Record<string, unknown>>): string | undefined {
  const names = new Set(Object.keys(inputs).map((key) => key.split(".")[0] ?? ""));
  const [only] = names;
  return names.size === 1 ? only : undefined;
}

async function json(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, "utf8").catch(() => "{}");
  const read = readJsonText(text);
  return read.kind === "read" ? (read.value as Record<string, unknown>) : {};
}
