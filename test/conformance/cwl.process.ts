/** `npm run conformance -- cwl CHECKOUT …`: bundled and started by scripts/conformance.mjs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startPodman } from "../servers/podman.ts";
import { startSlurm } from "../servers/slurm.ts";
import { type KnownCases, summarise } from "./case-result.ts";
import { runCwlSuite } from "./cwl-suite.ts";
import { cwlNames, makeStandInImages } from "./stand-in-images.ts";
import { startWebStandIn } from "./web-stand-in.ts";

/** Files with tests, by the layout of the three suites' repositories. */
const suiteFiles = [
  "conformance_tests.yaml",
  "conformance_test_v1.0.yaml",
  "v1.0/conformance_test_v1.0.yaml",
];

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true },
    cache: { type: "string" },
    containers: { type: "boolean", default: false },
    jobs: { type: "string", default: "2" },
    command: { type: "string" },
    executor: { type: "string" },
  },
});
const [, checkout] = positionals;
const usable = values.executor === undefined || (values.executor === "slurm" && !values.containers);
const suite = checkout === undefined || !usable ? undefined : await suiteOf(resolve(checkout));
if (suite === undefined) {
  process.stderr.write(
    "usage: npm run conformance -- cwl CHECKOUT [--only ID]… [--cache FOLDER] [--containers] [--executor slurm] [--jobs N] [--command TEXT]\n",
  );
  process.exit(2);
}
const env = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
);
const engine = values.containers ? await startPodman() : undefined;
if (engine !== undefined) await makeStandInImages(engine.env, join(engine.dir, "stand-ins"), cwlNames);
const web = engine === undefined ? undefined : await startWebStandIn("commonwl.org", engine.dir);
const cluster = values.executor === "slurm" ? await startSlurm() : undefined;
const suiteEnv = { ...env, ...engine?.env, ...web?.env, ...cluster?.env };
const stop = async () => {
  await cluster?.stop();
  await web?.stop();
  await engine?.stop();
};
if (values.command !== undefined) {
  // Another program drives Memoir and compares; it only gets the engine and the images.
  const program = spawn("sh", ["-c", values.command], {
    cwd: dirname(suite),
    env: suiteEnv,
    stdio: "inherit",
  });
  const [code] = await once(program, "exit");
  await stop();
  process.exit(typeof code === "number" ? code : 1);
}
const calls = { reused: 0, computed: 0, notReusable: 0 };
const results = await runCwlSuite({
  suite,
  onCall: (how) => {
    calls[how]++;
  },
  env: suiteEnv,
  containers: values.containers ? "allowed" : "never",
  jobs: Number(values.jobs),
  ...(cluster === undefined ? {} : { executor: { name: "slurm", options: { "job-engine": "none" } } }),
  ...(values.cache === undefined ? {} : { cache: values.cache }),
  ...(values.only === undefined ? {} : { only: values.only }),
});
await stop();
if (results.length === 0) {
  process.stderr.write(`no tests found in ${suite}\n`);
  process.exit(1);
}
const summary = summarise(results, await knownCases(suite));
for (const { name, known } of summary.known)
  process.stdout.write(`known   ${name} (${known.because}): ${known.reason}\n`);
for (const { name, why } of summary.failed) process.stdout.write(`\nfailed  ${name}: ${why ?? ""}\n`);
for (const name of summary.surprising)
  process.stdout.write(`\npasses  ${name}, although it is listed as failing: remove it from the list\n`);
process.stdout.write(
  `\n${summary.passed} passed, ${summary.failed.length} failed, ${summary.known.length} known not to pass; ${calls.reused} calls reused, ${calls.computed} computed, ${calls.notReusable} of them not reusable\n`,
);
process.exitCode = summary.failed.length + summary.surprising.length > 0 ? 1 : 0;

async function suiteOf(folder: string): Promise<string | undefined> {
  for (const file of suiteFiles) {
    const path = join(folder, file);
    if (await stat(path).catch(() => undefined)) return path;
  }
  return undefined;
}

/** By the version of the suite and by whether containers may be used. */
async function knownCases(path: string): Promise<KnownCases> {
  const version = basename(path).includes("v1.0") ? "v1.0" : await versionOf(path);
  const mode = values.containers ? "containers" : "host";
  const lists = JSON.parse(await readFile("test/conformance/cwl-known.json", "utf8")) as Record<
    string,
    KnownCases
  >;
  return { ...lists[version], ...lists[`${version} ${mode}`] };
}

/** v1.2 is the first whose tests know conditionals. */
async function versionOf(path: string): Promise<"v1.1" | "v1.2"> {
  return (await readFile(path, "utf8")).includes("tests/conditionals/") ? "v1.2" : "v1.1";
}
