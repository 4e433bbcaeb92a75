/** `npm run conformance -- wdl FOLDER [--only NAME] [--verbose]`: bundled and started by scripts/conformance.mjs. */
import { runSpecSuite } from "./spec-suite.ts";

const [language, folder, ...rest] = process.argv.slice(2);
const only = rest.includes("--only") ? rest[rest.indexOf("--only") + 1] : undefined;
if (language !== "wdl" || folder === undefined) {
  process.stderr.write("usage: npm run conformance -- wdl FOLDER [--only NAME]\n");
  process.exit(2);
}
const env = Object.fromEntries(
  Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
);
const results = await runSpecSuite({ folder, ...(only === undefined ? {} : { only }), env });
for (const result of results) {
  if (result.kind !== "passed") process.stdout.write(`${result.kind} ${result.name}: ${result.why}\n\n`);
}
const count = (kind: string) => results.filter((result) => result.kind === kind).length;
process.stdout.write(`${count("passed")} passed, ${count("failed")} failed, ${count("excluded")} excluded\n`);
