/**
 * `npm run conformance -- wdl FOLDER [--only NAME] [--executor container|slurm] [--unlisted] [--as-written]`: bundled and started by
 * scripts/conformance.mjs. With containers, stand-in images are put into a separate storage; with `--executor slurm` a cluster is
 * started, and tasks run as its jobs, without images. `--unlisted`: what is
 * known not to pass is reported like anything else. `--as-written`: mistakes in the text of a specification stay in it.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { startPodman } from "../servers/podman.ts";
import { startSlurm } from "../servers/slurm.ts";
import { type CaseResult, type KnownCases, summarise } from "./case-result.ts";
import { runFixtureSuite } from "./fixture-suite.ts";
import type { Errata } from "./spec-examples.ts";
import { runSpecSuite } from "./spec-suite.ts";
import { makeStandInImages } from "./stand-in-images.ts";

const [language, folder, ...rest] = process.argv.slice(2);
const only = flagged("--only");
const asWritten = rest.includes("--as-written");
const executor = executorNamed(flagged("--executor"));
if (language !== "wdl" || folder === undefined) {
  process.stderr.write(
    "usage: npm run conformance -- wdl FOLDER [--only NAME] [--executor container|slurm] [--unlisted] [--as-written]\n",
  );
  process.exit(2);
}
const env = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
);
const isSpec = (await readdir(folder)).includes("SPEC.md");
const suite = isSpec
  ? `spec-${await versionOf(join(folder, "SPEC.md"))}`
  : `fixtures-${folder.replace(/\/+$/, "").split("/").at(-1)}`;
const errata = isSpec && !asWritten ? await listOf<Errata>("wdl-errata.json") : {};
const results = await runSuite(folder);
if (results.length === 0) {
  process.stderr.write(`no cases found in ${folder}: expected SPEC.md, or one folder a case\n`);
  process.exit(1);
}
const summary = summarise(results, rest.includes("--unlisted") ? {} : await knownHere());

for (const { name, known } of summary.known)
  process.stdout.write(`known   ${name} (${known.because}): ${known.reason}\n`);
for (const { name, why } of summary.failed) process.stdout.write(`\nfailed  ${name}: ${why ?? ""}\n`);
for (const name of summary.surprising) {
  process.stdout.write(`\npasses  ${name}, although it is listed as failing: remove it from the list\n`);
}
const fixes = results.filter(({ name, kind }) => kind === "passed" && name in errata).length;
process.stdout.write(
  `\n${summary.passed} passed${fixes === 0 ? "" : ` (${fixes} of them with a mistake of the text put right)`}, ${summary.failed.length} failed, ${summary.known.length} known not to pass\n`,
);
process.exitCode = summary.failed.length + summary.surprising.length > 0 ? 1 : 0;

function executorNamed(name: string | undefined): "host" | "container" | "slurm" {
  return name === "container" || name === "slurm" ? name : "host";
}

function flagged(flag: string): string | undefined {
  return rest.includes(flag) ? rest[rest.indexOf(flag) + 1] : undefined;
}

async function runSuite(path: string): Promise<readonly CaseResult[]> {
  const engine = executor === "container" ? await startPodman() : undefined;
  const cluster = executor === "slurm" ? await startSlurm() : undefined;
  try {
    if (engine !== undefined) await makeStandInImages(engine.env, join(engine.dir, "stand-ins"));
    const options = {
      folder: path,
      executor,
      env: { ...env, ...engine?.env, ...cluster?.env },
      ...(only !== undefined && { only }),
    };
    return isSpec ? await runSpecSuite({ ...options, errata }) : await runFixtureSuite(options);
  } finally {
    await engine?.stop();
    await cluster?.stop();
  }
}

async function knownHere(): Promise<KnownCases> {
  const all = Object.entries(await listOf<KnownCases>("wdl-known.json"));
  return Object.fromEntries(
    all.filter(([, known]) => known.executor === undefined || known.executor === executor),
  );
}

/** The suite's part of a list. Specifications go by the version that their text describes, fixtures by their folder. */
async function listOf<T>(file: string): Promise<T> {
  const lists = JSON.parse(await readFile(join("test/conformance", file), "utf8")) as Record<string, T>;
  return lists[suite] ?? ({} as T);
}

async function versionOf(path: string): Promise<string> {
  const counts = new Map<string, number>();
  for (const [, version = ""] of (await readFile(path, "utf8")).matchAll(/^\s*version (\S+)$/gm)) {
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}
