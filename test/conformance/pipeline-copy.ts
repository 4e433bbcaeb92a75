/** Copies of pipelines whose tools and data are elsewhere, and what they publish. */
import { existsSync, readdirSync } from "node:fs";
import { chmod, cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RecordedVersions, withVersions } from "./nf-test/recorded-values.ts";

/** A copy whose scripts know the versions of tools that are not here. */
export async function copiedPipeline(
  checkout: string,
  to: string,
  versions: RecordedVersions,
): Promise<string> {
  await cp(checkout, to, { recursive: true, filter: (path) => !/\/(?:\.git|docs)$/.test(path) });
  const visit = async (folder: string): Promise<void> => {
    for (const each of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, each.name);
      if (each.isDirectory()) await visit(path);
      else if (each.name.endsWith(".nf")) {
        const text = await readFile(path, "utf8");
        const made = withVersions(path, text, versions);
        if (made !== text) await writeFile(path, made);
      }
    }
  };
  await visit(to);
  return to;
}

/** Paths of files and folders, sorted. */
export function treeOf(folder: string, below = ""): readonly string[] {
  if (!existsSync(join(folder, below))) return [];
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((each) => {
      const path = below === "" ? each.name : `${below}/${each.name}`;
      return each.isDirectory() ? [path, ...treeOf(folder, path)] : [path];
    })
    .sort();
}

/** An executable. */
export async function program(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/bash\n${text}\n`);
  await chmod(path, 0o755);
}

/**
 * MULTIQC of nf-core gets the name of the run, its command line and the time of its start in its input: it has to be
 * computed in every run, as with Nextflow.
 */
export function isSteady(task: string): boolean {
  return !/:MULTIQC\b/.test(task);
}
