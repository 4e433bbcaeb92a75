/** Runs every example of a specification's text and says which passed. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readJsonText } from "../../src/lang/wdl/values/json-reader.ts";
import type { CaseResult } from "./case-result.ts";
import { difference } from "./compare.ts";
import { runDocument } from "./run-document.ts";
import {
  corrected,
  type Errata,
  readSpecText,
  type SpecExample,
  type SpecResource,
} from "./spec-examples.ts";

export interface SpecSuiteOptions {
  /** A checkout of the specification: SPEC.md and tests/data. */
  readonly folder: string;
  /** Only examples whose names contain this. */
  readonly only?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default `host`. */
  readonly executor?: "host" | "container" | "slurm";
  /** Corrections of the text, by example. Default: none. */
  readonly errata?: Errata;
}

export async function runSpecSuite(options: SpecSuiteOptions): Promise<readonly CaseResult[]> {
  const { examples: asWritten, resources } = readSpecText(
    await readFile(join(options.folder, "SPEC.md"), "utf8"),
  );
  const examples = asWritten.map((example) => {
    const erratum = options.errata?.[example.name];
    return erratum === undefined ? example : corrected(example, erratum);
  });
  const work = await mkdtemp(join(tmpdir(), "memoir-spec-"));
  try {
    const sources = join(work, "sources");
    await placeSources(sources, options.folder, examples, resources);
    const results: CaseResult[] = [];
    for (const example of examples) {
      if (options.only !== undefined && !example.name.includes(options.only)) continue;
      results.push(
        await unlessThrown(example.name, () =>
          runExample(example, sources, join(work, "runs", example.name), options),
        ),
      );
    }
    return results;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A bug in one example must not hide the others. */
async function unlessThrown(name: string, run: () => Promise<CaseResult>): Promise<CaseResult> {
  try {
    return await run();
  } catch (error) {
    return { name, kind: "failed", why: `threw ${error instanceof Error ? error.stack : String(error)}` };
  }
}

/** Examples import each other by name, and their inputs name data files without or with `data/`. */
async function placeSources(
  sources: string,
  folder: string,
  examples: readonly SpecExample[],
  resources: readonly SpecResource[],
): Promise<void> {
  const data = join(folder, "tests", "data");
  await cp(data, sources, { recursive: true });
  await cp(data, join(sources, "data"), { recursive: true });
  for (const { name, content } of resources) {
    await mkdir(dirname(join(sources, name)), { recursive: true });
    await writeFile(join(sources, name), content);
  }
  for (const { name, source } of examples) await writeFile(join(sources, `${name}.wdl`), source);
}

interface Config {
  readonly fail: boolean;
  readonly target?: string;
  readonly excluded: ReadonlySet<string>;
  readonly returnCodes?: readonly number[];
  readonly ignored: boolean;
}

async function runExample(
  example: SpecExample,
  sources: string,
  scratch: string,
  { env, executor }: SpecSuiteOptions,
): Promise<CaseResult> {
  const { name } = example;
  if (/_resource$/.test(name)) return { name, kind: "excluded", why: "a document that others import" };
  const [input, output, given] = [example.input, example.output, example.config].map((text) =>
    readJsonText(text),
  );
  if (input?.kind !== "read" || output?.kind !== "read" || given?.kind !== "read") {
    return { name, kind: "excluded", why: "the JSON in the specification cannot be read" };
  }
  const config = configOf(given.value, name);
  if (config.ignored) return { name, kind: "excluded", why: "the specification marks it as to be ignored" };
  await mkdir(scratch, { recursive: true });
  const inputs = join(sources, `${name}.inputs.json`);
  await writeFile(inputs, example.input);
  const end = await runDocument({
    document: join(sources, `${name}.wdl`),
    ...(config.target === undefined ? {} : { target: config.target }),
    inputs,
    scratch,
    env,
    ...(executor && { executor }),
  });
  if (config.fail) {
    if (end.kind === "succeeded") return { name, kind: "failed", why: "expected to fail, but it succeeded" };
    const code = end.kind === "failed" ? end.exitCode : undefined;
    if (config.returnCodes !== undefined && code !== undefined && !config.returnCodes.includes(code)) {
      return { name, kind: "failed", why: `expected return code ${config.returnCodes}, got ${code}` };
    }
    return { name, kind: "passed" };
  }
  if (end.kind !== "succeeded") return { name, kind: "failed", why: `${end.kind}: ${end.why}` };
  const prefix = `${end.name}.`;
  for (const [key, expected] of Object.entries(output.value as Record<string, unknown>)) {
    const short = key.startsWith(prefix) ? key.slice(prefix.length) : key.slice(key.indexOf(".") + 1);
    if (config.excluded.has(short) || config.excluded.has(key)) continue;
    const actual = end.outputs[prefix + short];
    if (actual === undefined) return { name, kind: "failed", why: `there is no output ${short}` };
    const why = difference(expected, actual, short);
    if (why !== undefined) return { name, kind: "failed", why };
  }
  return { name, kind: "passed" };
}

function configOf(given: unknown, name: string): Config {
  const config = given as Record<string, unknown>;
  const list = (value: unknown): unknown[] =>
    value === undefined ? [] : Array.isArray(value) ? value : [value];
  const codes = config["return_code"];
  const target = config["target"];
  return {
    fail: config["fail"] === true || /_fail(_task)?$/.test(name),
    ...(typeof target === "string" ? { target } : {}),
    excluded: new Set([...list(config["exclude_output"]), ...list(config["exclude_outputs"])].map(String)),
    ...(codes === undefined || codes === "*" ? {} : { returnCodes: list(codes).map(Number) }),
    ignored: config["ignore"] === true || config["priority"] === "ignore",
  };
}
