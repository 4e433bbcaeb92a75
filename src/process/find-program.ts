/** Finds a program the way a shell does, without starting anything. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";

/**
 * The absolute path of an executable file: `command` itself when it contains a slash (relative ones start at `cwd`),
 * else the first hit on `env["PATH"]`; undefined when there is none.
 */
export async function findProgram(
  command: string,
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<string | undefined> {
  if (command === "") return undefined;
  if (command.includes("/")) {
    const path = isAbsolute(command) ? command : resolve(cwd, command);
    return (await isExecutable(path)) ? path : undefined;
  }
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(resolve(cwd, folder), command);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
