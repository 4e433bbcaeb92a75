/** Every script and configuration file of the checkouts is parsed; each refusal is named. */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { freshAsk, renderDiagnostic } from "../../src/kernel/index.ts";
import { createFolderSource } from "../../src/lang/core/index.ts";
import { createNextflowFrontEnd } from "../../src/lang/nextflow/front-end.ts";
import { parseConfig } from "../../src/lang/nextflow/syntax/config.ts";
import { parseScript } from "../../src/lang/nextflow/syntax/script.ts";
import type { CaseResult } from "./case-result.ts";

export async function parseAll(checkouts: string, only: readonly string[]): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  const names = (await readdir(checkouts, { withFileTypes: true }))
    .filter((each) => each.isDirectory() && (only.length === 0 || only.includes(each.name)))
    .map(({ name }) => name)
    .sort();
  for (const name of names) {
    const counts = { nf: 0, config: 0 };
    for (const path of await filesIn(join(checkouts, name))) {
      const isScript = path.endsWith(".nf");
      const source = { name: path, text: await readFile(path, "utf8") };
      const { diagnostics } = isScript ? parseScript(source) : parseConfig(source);
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      counts[isScript ? "nf" : "config"]++;
      results.push(
        errors.length === 0
          ? { name: relative(checkouts, path), kind: "passed" }
          : {
              name: relative(checkouts, path),
              kind: "failed",
              of: "parse",
              why: errors.slice(0, 3).map(renderDiagnostic).join("\n"),
            },
      );
    }
    process.stderr.write(`${name}: ${counts.nf} scripts, ${counts.config} configuration files\n`);
  }
  for (const name of names.filter((each) => ["rnaseq", "sarek", "demo", "rnaseq-nf", "hello"].includes(each)))
    results.push(await checked(join(checkouts, name), name));
  return results;
}

/** With everything that it includes. */
async function checked(folder: string, name: string): Promise<CaseResult> {
  const begun = performance.now();
  const frontEnd = createNextflowFrontEnd();
  const source = createFolderSource({ folder });
  const { program, diagnostics } = await frontEnd.load(source, "main.nf", { lenient: false }, freshAsk());
  process.stderr.write(`${name}: read and checked in ${Math.round(performance.now() - begun)} ms\n`);
  if (program !== undefined) return { name: `check ${name}`, kind: "passed" };
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  return {
    name: `check ${name}`,
    kind: "failed",
    of: "check",
    why: errors.slice(0, 5).map(renderDiagnostic).join("\n"),
  };
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const each of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, each.name);
    if (each.isDirectory() && each.name !== ".git") found.push(...(await filesIn(path)));
    else if (each.isFile() && /\.(?:nf|config)$/.test(each.name)) found.push(path);
  }
  return found.sort();
}
