/**
 * `npm run conformance -- nextflow STEP CHECKOUT …`: bundled and started by scripts/conformance.mjs. Steps: `snippets`,
 * the examples of the documentation; `tests` and `tests-v1`, the scripts of these folders with their checks. With a folder
 * of checkouts of pipelines: `parse`, all their files; `runs`, whole pipelines; `config`, their configuration; `C`, the stub
 * tests of nf-core/modules; `D`, nf-core/rnaseq, sarek and fetchngs as stubs; `sarek`, the scenarios of the tests of sarek.
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { defined } from "../../src/kernel/index.ts";
import { startPodman } from "../servers/podman.ts";
import { findProgram } from "../servers/requirement.ts";
import { startSlurm } from "../servers/slurm.ts";
import { type CaseResult, type KnownCases, summarise } from "./case-result.ts";
import { runChecks } from "./nextflow-checks.ts";
import { runComponents } from "./nextflow-components.ts";
import { showConfigurations } from "./nextflow-config.ts";
import { parseAll } from "./nextflow-parse.ts";
import { runNfCore } from "./nextflow-pipelines.ts";
import { runPipelines } from "./nextflow-runs.ts";
import { runSarek } from "./nextflow-sarek.ts";
import { runSnippets } from "./nextflow-snippets.ts";
import { makeStandInImages, nextflowNames } from "./stand-in-images.ts";

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true },
    jobs: { type: "string", default: "2" },
    containers: { type: "boolean", default: false },
    repository: { type: "string", multiple: true },
    keep: { type: "string" },
    components: { type: "string" },
    unlisted: { type: "boolean", default: false },
    executor: { type: "string" },
  },
});
const [, step = "", checkout] = positionals;
if (
  !["snippets", "tests", "tests-v1", "parse", "runs", "config", "C", "D", "sarek"].includes(step) ||
  checkout === undefined ||
  (values.executor !== undefined && (values.executor !== "slurm" || !step.startsWith("tests")))
) {
  process.stderr.write(
    "usage: npm run conformance -- nextflow snippets|tests|tests-v1|parse|runs|config|C|D|sarek CHECKOUT(S) [--only NAME]… [--jobs N] [--containers] [--repository ADDRESS=FOLDER]… [--keep FOLDER] [--components FILE] [--executor slurm] [--unlisted]\n",
  );
  process.exit(2);
}
const known = values.unlisted ? {} : await knownCases();
const results = await runStep(resolve(checkout));
if (results.length === 0) {
  process.stderr.write(`no scripts found in ${checkout}\n`);
  process.exit(1);
}
const summary = summarise(results, known);
for (const { name, known: listed } of summary.known)
  process.stdout.write(`known   ${name} (${listed.because}): ${listed.reason}\n`);
// What a suite cannot compare is neither passed nor failed.
const excluded = summary.failed.filter(({ kind }) => kind === "excluded");
const failed = summary.failed.filter(({ kind }) => kind !== "excluded");
for (const { name, why = "" } of excluded) process.stdout.write(`not comparable  ${name}: ${why}\n`);
for (const { name, of = "", why = "" } of failed) process.stdout.write(`\nfailed  ${name} (${of}): ${why}\n`);
for (const name of summary.surprising)
  process.stdout.write(`\npasses  ${name}, although it is listed as failing: remove it from the list\n`);
for (const kind of new Set(failed.map(({ of = "other" }) => of)))
  process.stdout.write(`\n${failed.filter(({ of = "other" }) => of === kind).length} failed: ${kind}`);
process.stdout.write(
  `\n${summary.passed} passed, ${failed.length} failed${excluded.length === 0 ? "" : `, ${excluded.length} not comparable`}${summary.known.length === 0 ? "" : `, ${summary.known.length} known not to pass`}\n`,
);
// Tests with a setup depend on more components than their own.
if (step === "C")
  for (const [which, isMeant] of [
    ["without setup", (name: string) => !name.endsWith("(with setup)")],
    ["with setup", (name: string) => name.endsWith("(with setup)")],
  ] as const) {
    const all = results.filter(({ name }) => isMeant(name));
    const passed = all.filter(({ kind }) => kind === "passed").length;
    const share = all.length === 0 ? "" : `, ${((100 * passed) / all.length).toFixed(1)} %`;
    process.stdout.write(`${which}: ${passed} of ${all.length} passed${share}\n`);
  }
process.exitCode = failed.length + summary.surprising.length > 0 || summary.passed === 0 ? 1 : 0;

async function runStep(folder: string): Promise<readonly CaseResult[]> {
  const only = values.only ?? [];
  if (step === "snippets") return runSnippets({ checkout: folder, only });
  if (step === "parse") return parseAll(folder, only);
  if (step === "runs") return runPipelines(folder, only);
  if (step === "C")
    return runComponents({
      checkout: join(folder, "modules"),
      ...defined({ components: await listed(values.components) }),
      only,
    });
  if (step === "sarek")
    return runSarek({
      checkout: join(folder, "sarek"),
      only,
      jobs: Number(values.jobs),
      keep: values.keep === undefined ? undefined : resolve(values.keep),
    });
  if (step === "D") return runNfCore({ checkouts: folder, only });
  if (step === "config") return showConfigurations(folder, only);
  const engine = values.containers ? await startPodman() : undefined;
  const cluster = values.executor === "slurm" ? await startSlurm() : undefined;
  try {
    if (engine !== undefined)
      await makeStandInImages(engine.env, join(engine.dir, "stand-ins"), nextflowNames);
    return await check(folder, only, {
      ...engine?.env,
      ...cluster?.env,
      // What the scripts' configuration says of an executor takes precedence.
      ...(cluster !== undefined && { NXF_EXECUTOR: "slurm" }),
    });
  } finally {
    await cluster?.stop();
    await engine?.stop();
  }
}

function check(
  folder: string,
  only: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<readonly CaseResult[]> {
  return runChecks({
    checkout: folder,
    env,
    suite: step,
    only,
    // What needs something that is not here is started only when it is asked for by name.
    leftOut: Object.keys(known).filter((name) => known[name]?.because === "needs" && !only.includes(name)),
    jobs: Number(values.jobs),
    repositories: (values.repository ?? []).map((each) => {
      const at = each.lastIndexOf("=");
      return { address: each.slice(0, at), folder: resolve(each.slice(at + 1)) };
    }),
    ...(values.keep !== undefined && { keep: resolve(values.keep) }),
  });
}

async function knownCases(): Promise<KnownCases> {
  const lists = JSON.parse(await readFile("test/conformance/nextflow-known.json", "utf8")) as Record<
    string,
    KnownCases
  >;
  const withEngine = values.containers;
  return Object.fromEntries(
    Object.entries(lists[step] ?? {}).filter(
      ([, { reason, programs }]) =>
        !(withEngine && reason === "a container engine") &&
        !programs?.every((name) => findProgram(name) !== undefined),
    ),
  );
}

/** Names in a file, one a line. */
async function listed(path: string | undefined): Promise<readonly string[] | undefined> {
  if (path === undefined) return undefined;
  return (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
}
