/**
 * The examples of operators in the documentation of Nextflow, with the outputs that are recorded there. A script
 * without a recorded output has to end well.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshAsk, messageOf, renderDiagnostic } from "../../src/kernel/index.ts";
import { createFolderSource } from "../../src/lang/core/index.ts";
import { createNextflowFrontEnd } from "../../src/lang/nextflow/front-end.ts";
import { processHost } from "../../src/lang/nextflow/run/testing/process-host.ts";
import type { CaseResult } from "./case-result.ts";

export async function runSnippets({
  checkout,
  only,
}: {
  readonly checkout: string;
  readonly only: readonly string[];
}): Promise<readonly CaseResult[]> {
  const folder = join(checkout, "docs", "snippets");
  const results: CaseResult[] = [];
  for (const name of (await readdir(folder))
    .filter((each) => each.endsWith(".nf") && (only.length === 0 || only.includes(each)))
    .sort()) {
    const why = await runSnippet(name, folder);
    results.push(
      why === undefined ? { name, kind: "passed" } : { name, kind: "failed", of: kindOf(why), why },
    );
  }
  return results;
}

function kindOf(why: string): string {
  return why.startsWith("expected\n") ? "output" : "run";
}

/** What is wrong; undefined: nothing. */
async function runSnippet(name: string, folder: string): Promise<string | undefined> {
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
