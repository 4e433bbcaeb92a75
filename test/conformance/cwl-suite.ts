/** Runs the tests of a CWL conformance suite as `memoir cwl-runner` runs processes. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { type App, createApp } from "../../src/app/index.ts";
import { freshAsk, isAppError, messageOf, withTimeout } from "../../src/kernel/index.ts";
import type { CaseResult } from "./case-result.ts";
import { difference } from "./cwl-compare.ts";

export interface CwlTest {
  readonly id: string;
  readonly tool: string;
  readonly job?: string | null;
  readonly output?: unknown;
  readonly should_fail?: boolean;
  readonly tags: readonly string[];
  /** Where its paths start. */
  readonly folder: string;
}

export interface CwlSuiteOptions {
  /** The file with the tests. */
  readonly suite: string;
  readonly env: Readonly<Record<string, string>>;
  /** A cache that all tests share; undefined = none. */
  readonly cache?: string;
  readonly containers: "allowed" | "never";
  /** In place of local processes and containers. */
  readonly executor?: { readonly name: string; readonly options: Readonly<Record<string, string>> };
  /** Tests at the same time. */
  readonly jobs: number;
  readonly only?: readonly string[];
  /** Called for every tool that was reused or computed, and again for those that were computed since they may not be reused. */
  readonly onCall?: (how: "reused" | "computed" | "notReusable") => void;
}

const timeLimitMs = 120_000;

export async function runCwlSuite(options: CwlSuiteOptions): Promise<readonly CaseResult[]> {
  const all = await readTests(resolve(options.suite));
  const { only } = options;
  const tests = only === undefined ? all : all.filter((test) => only.includes(test.id));
  const scratch = await mkdtemp(join(tmpdir(), "memoir-cwl-suite-"));
  try {
    const app = createApp({
      env: { ...options.env, MEMOIR_HOME: join(scratch, "home") },
      cwd: scratch,
      parentPid: process.pid,
    });
    const results: CaseResult[] = [];
    const waiting = [...tests.entries()];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        results[next[0]] = await runTest(app, next[1], options, join(scratch, "out", String(next[0])));
    };
    await Promise.all(Array.from({ length: options.jobs }, work));
    return results;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The tests of a suite and of those that it imports. */
export async function readTests(path: string): Promise<readonly CwlTest[]> {
  const entries = readYaml(await readFile(path, "utf8")) as readonly (Omit<CwlTest, "folder"> & {
    readonly $import?: string;
  })[];
  const folder = dirname(path);
  const tests = await Promise.all(
    entries.map(
      async ({ $import: imported, ...test }): Promise<readonly CwlTest[]> =>
        imported === undefined ? [{ ...test, folder }] : readTests(resolve(folder, imported)),
    ),
  );
  return tests.flat();
}

/** Some expectations are in separate files. */
async function imported(value: unknown, folder: string): Promise<unknown> {
  if (typeof value !== "object" || value === null || !("$import" in value)) return value;
  return readYaml(await readFile(resolve(folder, String(value.$import)), "utf8"));
}

/** The suites indent lists in brackets less than YAML wants: such lines are moved until they are right. */
function readYaml(text: string): unknown {
  for (let moved = text; ; ) {
    const document = parseDocument(moved, { uniqueKeys: false });
    const at = document.errors.find(({ code }) => code === "BAD_INDENT")?.pos[0];
    if (at === undefined) return document.toJS();
    moved = `${moved.slice(0, at)}${" ".repeat(8)}${moved.slice(at)}`;
  }
}

async function runTest(
  app: App,
  test: CwlTest,
  options: CwlSuiteOptions,
  outdir: string,
): Promise<CaseResult> {
  const name = test.id;
  const { ask, done } = withTimeout(freshAsk(), timeLimitMs);
  const unkeyed = new Set<string>();
  try {
    const result = await app.workflows.cwlRunner(
      {
        process: resolve(test.folder, test.tool),
        ...(test.job === undefined || test.job === null ? {} : { job: resolve(test.folder, test.job) }),
        outdir,
        flags: { words: [], taken: [] },
        failure: "fast",
        lenient: false,
        containers: options.containers,
        ...(options.executor === undefined ? {} : { executor: options.executor }),
        cache: options.cache === undefined ? { off: true } : { place: options.cache },
      },
      (event) => {
        if (event.kind === "call.reused") options.onCall?.("reused");
        else if (event.kind === "call.computed") options.onCall?.("computed");
        else if (event.kind === "call.missed" && event.reason.kind === "not-reusable")
          unkeyed.add(event.call);
        if (event.kind === "call.computed" && unkeyed.has(event.call)) options.onCall?.("notReusable");
      },
      ask,
    );
    switch (result.kind) {
      case "succeeded": {
        if (test.should_fail === true)
          return { name, kind: "failed", why: "succeeds, although it should fail" };
        const expected = await imported(test.output ?? {}, test.folder);
        const why = await difference(expected, JSON.parse(result.text));
        return why === undefined ? { name, kind: "passed" } : { name, kind: "failed", why };
      }
      case "unsupported":
        // Not supporting something is not a failure that a test could have wanted, unless every runner must support it.
        if (test.should_fail === true && test.tags.includes("required")) return { name, kind: "passed" };
        return { name, kind: "failed", why: `unsupported: ${result.why}` };
      case "cancelled":
        return { name, kind: "failed", why: "timed out" };
      case "failed": {
        if (test.should_fail === true) return { name, kind: "passed" };
        const words = result.failures.map((each) =>
          each.kind === "task"
            ? `${each.call}: ${each.failure.message}\n${each.failure.stderrTail ?? ""}`
            : each.diagnostic.text,
        );
        return { name, kind: "failed", why: words.join("\n") };
      }
    }
  } catch (error) {
    if (isAppError(error) && test.should_fail === true) return { name, kind: "passed" };
    const stack = error instanceof Error && !isAppError(error) ? `\n${error.stack ?? ""}` : "";
    return { name, kind: "failed", why: messageOf(error) + stack };
  } finally {
    done();
  }
}
