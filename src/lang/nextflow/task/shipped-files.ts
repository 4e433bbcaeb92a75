/**
 * Files of the pipeline that a script names by their absolute paths (`$projectDir/assets/x`). They become inputs: their
 * content decides the result, and where the pipeline is does not.
 */

import type { ScriptFiles } from "../values/files.ts";
import { Path } from "../values/path.ts";

export interface ShippedFile {
  /** As the script writes it. */
  readonly text: string;
  readonly file: Path;
}

export interface ShippedFiles {
  /** Longest first: a folder may be the beginning of a file in it. */
  readonly found: readonly ShippedFile[];
  /** A path that leads to nothing, a pattern for instance: what the script reads there is not known. */
  readonly unknown: string | undefined;
}

export function shippedFiles(script: string, projectDir: string, files: ScriptFiles): ShippedFiles {
  const found = new Map<string, ShippedFile>();
  let unknown: string | undefined;
  for (let at = script.indexOf(projectDir); at >= 0; at = script.indexOf(projectDir, at + 1)) {
    const [text = ""] = /^[^\s'"`;:|&<>()$,=]+/.exec(script.slice(at)) ?? [];
    const whole = text.replace(/[/.]+$/, "");
    // Another folder whose name begins in the same way.
    if (whole !== projectDir && !whole.startsWith(`${projectDir}/`)) continue;
    if (whole !== projectDir && files.stat(whole) !== undefined)
      found.set(whole, { text: whole, file: new Path(whole, files) });
    else unknown ??= whole;
  }
  return { found: [...found.values()].sort((a, b) => b.text.length - a.text.length), unknown };
}
