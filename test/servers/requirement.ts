/**
 * What a test needs from the machine. A suite whose program is missing is skipped loudly: its title says what is
 * missing and how to install it, and the test command lists every such skip at the end.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe } from "vitest";

export interface Requirement {
  /** For people: `Redis server`. */
  readonly name: string;
  /** Programs that must be on PATH (or in sbin). */
  readonly programs: readonly string[];
  /** Debian packages that bring them; empty where Debian has none, or none that is new enough. */
  readonly debianPackages: readonly string[];
  /** How people get what Debian does not have. */
  readonly otherwise?: string;
  /** For what is more than a program on the PATH: a library, a version. Answers what is missing. */
  readonly check?: () => string | undefined;
  /** True where only root can start it. */
  readonly needsRoot?: true;
}

/** undefined when everything is here, else the words that say what is not. */
export function missingOf(requirement: Requirement): string | undefined {
  if (requirement.needsRoot && process.getuid?.() !== 0)
    return `${requirement.name} can only be started by root`;
  const missing = requirement.programs.filter((program) => findProgram(program) === undefined);
  const words = missing.length === 0 ? requirement.check?.() : `${missing.join(", ")} not found`;
  if (words === undefined) return undefined;
  const { debianPackages, otherwise = "see its documentation" } = requirement;
  const how = debianPackages.length === 0 ? otherwise : `apt-get install ${debianPackages.join(" ")}`;
  return `${requirement.name}: ${words}; ${how}`;
}

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** `describe` that runs where every requirement is met and is skipped, with the reason in its title, elsewhere. */
export function describeWith(requirements: readonly Requirement[], title: string, suite: () => void): void {
  const missing = requirements.map(missingOf).filter((words) => words !== undefined);
  if (missing.length === 0) describe(title, suite);
  else describe.skip(`${title} [skipped: ${missing.join("; ")}]`, suite);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
