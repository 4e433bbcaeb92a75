/** `npm run conformance -- wdl FOLDER [--only NAME]`: bundled and started by scripts/conformance.mjs. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type KnownCases, summarise } from "./case-result.ts";
import { runFixtureSuite } from "./fixture-suite.ts";
import { runSpecSuite } from "./spec-suite.ts";

const [language, folder, ...rest] = process.argv.slice(2);
const only = rest.includes("--only") ? rest[rest.indexOf("--only") + 1] : undefined;
if (language !== "wdl" || folder === undefined) {
  process.stderr.write("usage: npm run conformance -- wdl FOLDER [--only NAME]\n");
  process.exit(2);
}
const env = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
);
const options = { folder, env, ...(only === undefined ? {} : { only }) };
const isSpec = (await readdir(folder)).includes("SPEC.md");
const results = isSpec ? await runSpecSuite(options) : await runFixtureSuite(options);
if (results.length === 0) {
  process.stderr.write(`no cases found in ${folder}: expected SPEC.md, or one folder a case\n`);
  process.exit(1);
}
const summary = summarise(results, await knownCases(isSpec));

for (const { name, known } of summary.known)
  process.stdout.write(`known   ${name} (${known.because}): ${known.reason}\n`);
for (const { name, why } of summary.failed) process.stdout.write(`\nfailed  ${name}: ${why ?? ""}\n`);
for (const name of summary.surprising) {
  process.stdout.write(`\npasses  ${name}, although it is listed as failing: remove it from the list\n`);
}
process.stdout.write(
  `\n${summary.passed} passed, ${summary.failed.length} failed, ${summary.known.length} known not to pass\n`,
);
process.exitCode = summary.failed.length + summary.surprising.length > 0 ? 1 : 0;

/** The list of a suite: specifications by the version that their text describes, fixtures by their folder's name. */
async function knownCases(spec: boolean): Promise<KnownCases> {
  const name = spec
    ? `spec-${await versionOf(join(folder ?? "", "SPEC.md"))}`
    : `fixtures-${folder?.replace(/\/+$/, "").split("/").at(-1)}`;
  const lists = JSON.parse(await readFile("test/conformance/wdl-known.json", "utf8")) as Record<
    string,
    KnownCases
  >;
  return lists[name] ?? {};
}

async function versionOf(path: string): Promise<string> {
  const counts = new Map<string, number>();
  for (const [, version = ""] of (await readFile(path, "utf8")).matchAll(/^\s*version (\S+)$/gm)) {
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}
