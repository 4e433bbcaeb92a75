/** Finds a program the way a shell does, without starting anything. */
import { accessSync, constants, statSync } from "node:fs";
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
    return isExecutable(path) ? path : undefined;
  }
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(resolve(cwd, folder), command);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

/** Asked at once: a thread's turn would take longer than the answer, and every task asks. */
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
