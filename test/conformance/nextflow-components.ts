/**
 * The stub tests of a checkout of nf-core/modules: every process and workflow runs as its test file says, and what comes
 * out is compared with the recorded snapshots. Tests run in this process, over the front end and a host of tests.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { scriptFiles } from "../../src/lang/nextflow/run/script-files.ts";
import type { Outside } from "../../src/lang/nextflow/stdlib/outside.ts";
import { GroovyMap } from "../../src/lang/nextflow/values/map.ts";
import { ScriptFailure } from "../../src/lang/nextflow/values/throwable.ts";
import type { CaseResult } from "./case-result.ts";
import { NotComparable, type TestState, testNames } from "./nf-test/helpers.ts";
import { versionsIn } from "./nf-test/recorded-values.ts";
import { runComponent } from "./nf-test/run-component.ts";
import { TestData } from "./nf-test/test-data.ts";
import { type NfTest, type NfTestFile, readTestFile } from "./nf-test/test-file.ts";

export interface ComponentSuite {
  /** Of nf-core/modules. Absolute. */
  readonly checkout: string;
  /** Folders of components, as `modules/nf-core/bwa/mem`. Default: all that have tests. */
  readonly components?: readonly string[];
  /** Texts of which one is in the name of a test. Empty: all. */
  readonly only: readonly string[];
  /** Below the checkout; read before the configuration of a test. */
  readonly config?: string;
  /** Default: tests with `-stub`. */
  readonly all?: boolean;
}

/** `of` of a case that is not compared. */
export const notComparable = "not comparable";

export async function runComponents(suite: ComponentSuite): Promise<readonly CaseResult[]> {
  const { checkout } = suite;
  const scratch = await mkdtemp(join(tmpdir(), "memoir-components-"));
  try {
    const files = (suite.components ?? componentsOf(checkout)).flatMap((each) =>
      testFilesOf(join(checkout, each)),
    );
    await makeTools(join(scratch, "tools"));
    const data = new TestData(join(scratch, "data"));
    data.add(files.flatMap((each) => textsNear(each)));
    const results: CaseResult[] = [];
    for (const path of files) results.push(...(await runFile({ suite, path, data, scratch })));
    return results;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What stubs pack their empty files with, where it is not installed. */
async function makeTools(folder: string): Promise<void> {
  await mkdir(folder);
  for (const name of ["bgzip", "pigz"])
    await writeFile(
      join(folder, name),
      '#!/bin/sh\nfor word; do shift; case $word in --threads|--processes|-p|-@) ;; --no-name) set -- "$@" -n ;; [0-9]*) ;; *) set -- "$@" "$word" ;; esac; done\n[ $# -eq 0 ] && set -- -c\nexec gzip "$@"\n',
      { mode: 0o755 },
    );
  process.env["PATH"] = `${process.env["PATH"] ?? ""}:${folder}`;
}

function componentsOf(checkout: string): readonly string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const each of readdirSync(folder, { withFileTypes: true }))
      if (each.isDirectory() && each.name === "tests") found.push(relative(checkout, folder));
      else if (each.isDirectory() && each.name !== ".git") visit(join(folder, each.name));
  };
  visit(checkout);
  return found.sort();
}

function testFilesOf(component: string): readonly string[] {
  const folder = join(component, "tests");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".nf.test"))
    .sort()
    .map((name) => join(folder, name));
}

/** Configuration and other files next to a test may name data, too. */
function textsNear(path: string): readonly string[] {
  return readdirSync(dirname(path))
    .filter((name) => /\.(?:test|config|nf|csv|ya?ml)$/.test(name))
    .map((name) => readFileSync(join(dirname(path), name), "utf8"));
}

interface FileRun {
  readonly suite: ComponentSuite;
  readonly path: string;
  readonly data: TestData;
  readonly scratch: string;
}

async function runFile({ suite, path, data, scratch }: FileRun): Promise<readonly CaseResult[]> {
  const label = relative(suite.checkout, dirname(dirname(path)));
  const place = path.endsWith("/main.nf.test") ? label : `${label} ${path.slice(path.lastIndexOf("/") + 1)}`;
  const snapshots = snapshotsOf(`${path}.snap`);
  const parts = { path, scratch, snapshots, data };
  // What the file's own setup writes while it is read; each test finds it.
  const read = await mkdtemp(join(scratch, "read-"));
  await mkdir(join(read, "output"));
  let state = stateOf("", { ...parts, run: read, params: new GroovyMap() });
  let file: NfTestFile;
  try {
    file = readTestFile(
      path,
      suite.checkout,
      testNames(() => state),
    );
  } catch (error) {
    return [failure(`${place}`, "harness", error)];
  }
  const results: CaseResult[] = [];
  for (const test of file.tests) {
    const name = `${place}: ${test.name}${test.setup.length > 0 ? " (with setup)" : ""}`;
    if (suite.all !== true && !/(?:^|\s)-stub(?:-run)?\b/.test(test.options)) continue;
    if (suite.only.length > 0 && !suite.only.some((each) => name.includes(each))) continue;
    const run = await mkdtemp(join(scratch, "run-"));
    await cp(read, run, { recursive: true });
    state = stateOf(test.name, { ...parts, run, params: test.params });
    try {
      const end = await runComponent({
        file,
        test,
        folder: run,
        config: join(suite.checkout, suite.config ?? "tests/config/nf-test.config"),
        data,
        versions: state.versions,
      });
      state = { ...state, end };
      if (process.env["NFTEST_DEBUG"] !== undefined)
        process.stderr.write(`${end.trouble}\n${end.printed.join("\n")}\n`);
      results.push(judged(name, test, state));
    } catch (error) {
      results.push(failure(name, "harness", error));
    } finally {
      await rm(run, { recursive: true, force: true });
    }
  }
  process.stderr.write(
    `${place}: ${results.filter(({ kind }) => kind === "passed").length} of ${results.length}\n`,
  );
  return results;
}

function judged(name: string, test: NfTest, state: TestState): CaseResult {
  try {
    test.check?.call([]);
    return { name, kind: "passed" };
  } catch (error) {
    if (error instanceof NotComparable)
      return { name, kind: "excluded", of: notComparable, why: error.message };
    const { end } = state;
    if (end?.lacksTool !== undefined)
      return {
        name,
        kind: "excluded",
        of: notComparable,
        why: `its stub calls ${end.lacksTool}, which is not here`,
      };
    if (end?.unread === true) return failure(name, "parse", end.trouble);
    if (end !== undefined && !end.succeeded)
      return failure(name, "run", `${messageOf(error)}\n${end.trouble.slice(0, 1500)}`);
    return failure(
      name,
      error instanceof Error && error.name === "Different" ? "output" : "assertion",
      error,
    );
  }
}

function failure(name: string, of: string, error: unknown): CaseResult {
  return { name, kind: "failed", of, why: messageOf(error) };
}

function messageOf(error: unknown): string {
  if (error instanceof ScriptFailure) return `${error.thrown.type}: ${error.thrown.message ?? ""}`;
  return error instanceof Error
    ? process.env["NFTEST_DEBUG"] === undefined
      ? error.message
      : String(error.stack)
    : String(error);
}

type Snapshots = Readonly<Record<string, unknown>>;

function snapshotsOf(path: string): Snapshots {
  if (!existsSync(path)) return {};
  const all = JSON.parse(readFileSync(path, "utf8")) as Record<string, { readonly content?: unknown }>;
  return Object.fromEntries(Object.entries(all).map(([name, { content }]) => [name, content]));
}

interface StateParts {
  readonly path: string;
  readonly scratch: string;
  readonly snapshots: Snapshots;
  readonly run: string;
  readonly data: TestData;
  readonly params: GroovyMap;
}

function stateOf(name: string, { path, scratch, snapshots, run, data, params }: StateParts): TestState {
  return {
    name,
    end: undefined,
    outside: outsideOf(run, scratch),
    folders: {
      outputDir: join(run, "output"),
      launchDir: run,
      workDir: join(run, "calls"),
      metaDir: join(run, "meta"),
      projectDir: run,
      baseDir: run,
      moduleDir: dirname(dirname(path)),
      moduleTestDir: dirname(path),
    },
    params,
    data,
    versions: versionsIn([snapshots[name], snapshots]),
    snapshot: (wanted) => snapshots[wanted],
  };
}

/** What the code of tests may reach: it reads what was made, and writes nothing but below the folder of the run. */
function outsideOf(run: string, scratch: string): Outside {
  return {
    files: scriptFiles({ launchDir: run, writable: [scratch] }),
    env: () => undefined,
    environment: {},
    nowMs: () => Date.now(),
    print: () => undefined,
    newFolder: () => run,
    log: () => undefined,
  };
}
