/**
 * `npm run conformance -- nextflow snippets CHECKOUT`: the examples of operators in the documentation of Nextflow, with
 * the outputs that are recorded there. A script without a recorded output has to end well.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshAsk, messageOf, renderDiagnostic } from "../../src/kernel/index.ts";
import { createFolderSource } from "../../src/lang/core/index.ts";
import { createNextflowFrontEnd } from "../../src/lang/nextflow/front-end.ts";
import { processHost } from "../../src/lang/nextflow/run/testing/process-host.ts";

const [, , , step, checkout] = process.argv;
if (step !== "snippets" || checkout === undefined) {
  process.stderr.write("usage: npm run conformance -- nextflow snippets CHECKOUT\n");
  process.exit(2);
}
const folder = join(checkout, "docs", "snippets");
const scripts = (await readdir(folder)).filter((name) => name.endsWith(".nf")).sort();
let passed = 0;
const failed: string[] = [];
for (const name of scripts) {
  const problem = await runSnippet(name);
  if (problem === undefined) passed++;
  else failed.push(`${name}: ${problem}`);
}
for (const each of failed) process.stdout.write(`${each}\n`);
process.stdout.write(`${passed} passed, ${failed.length} failed\n`);
// A folder without scripts proves nothing.
process.exitCode = failed.length > 0 || passed === 0 ? 1 : 0;

/** What is wrong; undefined: nothing. */
async function runSnippet(name: string): Promise<string | undefined> {
  const place = await mkdtemp(join(tmpdir(), "memoir-snippet-"));
  try {
    const launch = join(place, "launch");
    await cp(folder, launch, { recursive: true });
    await mkdir(join(place, "scratch"));
    let printed = "";
    const frontEnd = createNextflowFrontEnd({
      print: (text) => {
        printed += text;
      },
      log: () => {},
    });
    const { program, diagnostics } = await frontEnd.load(
      createFolderSource({ folder: launch }),
      name,
      { lenient: false },
      freshAsk(),
    );
    if (program === undefined) return diagnostics.map(renderDiagnostic).join("\n");
    const host = processHost({ folder: place });
    const result = await program.run({ values: {}, baseDir: launch }, host, freshAsk());
    if (result.kind === "failed")
      return result.failures
        .map((each) => (each.kind === "task" ? each.failure.message : renderDiagnostic(each.diagnostic)))
        .join("\n");
    const expected = await readFile(join(folder, name.replace(/\.nf$/, ".out")), "utf8").catch(
      () => undefined,
    );
    // Order is promised by few operators.
    const sorted = (text: string) =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .sort()
        .join("\n");
    if (expected === undefined || sorted(printed) === sorted(expected)) return undefined;
    return `expected\n${sorted(expected)}\ngot\n${sorted(printed)}`;
  } catch (error) {
    return messageOf(error);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
