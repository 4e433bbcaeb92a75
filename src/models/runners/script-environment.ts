/** What programs of models find around them, and what they say when they fail. */
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "../../process/index.ts";

const stderrLines = 12;

/** Libraries that fail where there is no folder to write into. */
export function cachesIn(folder: string): Readonly<Record<string, string>> {
  return { MPLCONFIGDIR: folder, NUMBA_CACHE_DIR: folder };
}

/** Models call `python`; where only `python3` exists, a link of that name is put in front of PATH. */
export async function withPython(
  env: Readonly<Record<string, string>>,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  if ((await findProgram("python", env, folder)) !== undefined) return env;
  const python3 = await findProgram("python3", env, folder);
  if (python3 === undefined) return env;
  const bin = join(folder, "bin");
  await mkdir(bin);
  await symlink(python3, join(bin, "python"));
  return { ...env, PATH: `${bin}:${env["PATH"] ?? ""}` };
}

/** The last line, which mostly says what is wrong, and below it those that came before. */
export function lastLines(text: string): string {
  const lines = text.trim().split(/\r?\n/).slice(-stderrLines);
  const last = lines.pop() ?? "";
  return [last.trim(), ...lines.map((line) => `  ${line}`)].join("\n");
}
