/**
 * `npm run conformance -- ro-crate SHAPES CONTEXTS CRATE…`: checks exported crates against the SHACL shapes of the profile
 * Provenance Run Crate, or of Process Run Crate for predictions, and of those that it extends. SHAPES is a checkout of crs4/rocrate-validator, CONTEXTS a folder with
 * checkouts of ResearchObject/ro-crate and ResearchObject/ro-terms, named so.
 *
 * SPARQL targets and triple rules, which the engine does not know, are carried out here before it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { checkCrate, kindOf, shapesIn } from "./ro-crate-shapes.ts";

const [, , , checkout, contexts, ...crates] = process.argv;
if (checkout === undefined || contexts === undefined || crates.length === 0) {
  process.stderr.write("usage: npm run conformance -- ro-crate SHAPES CONTEXTS CRATE…\n");
  process.exit(2);
}
const published = {
  workflow: shapesIn(checkout, "workflow"),
  process: shapesIn(checkout, "process"),
};
let failed = 0;
for (const crate of crates) {
  const metadata = readFileSync(join(crate, "ro-crate-metadata.json"), "utf8");
  const shapes = published[kindOf(metadata)];
  const faults = await checkCrate(metadata, { shapes, contexts, base: pathToFileURL(`${crate}/`).href });
  process.stdout.write(`${crate}: ${faults.length === 0 ? "accepted" : "refused"}\n`);
  for (const each of faults) process.stdout.write(`  ${each}\n`);
  if (faults.length > 0) failed++;
}
process.stdout.write(
  `${crates.length - failed} of ${crates.length} crates accepted, ${published.workflow.files} files of shapes\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
