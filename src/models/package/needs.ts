/**
 * What a model package asks to have installed next to it: the commands of its install.yml, or the RUN lines of its
 * Dockerfile. Memoir installs nothing of it, but the user must learn of it before the model fails on an import.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Such as `python 3.10`, `pip install rdkit==2023.9.6`; empty where the package names nothing that can be read. */
export async function readNeeds(folder: string): Promise<readonly string[]> {
  const recipe = await textIn(folder, "install.yml");
  if (recipe !== undefined) return needsOfRecipe(recipe);
  const dockerfile = await textIn(folder, "Dockerfile");
  return dockerfile === undefined ? [] : needsOfDockerfile(dockerfile);
}

/** `commands` are texts for a shell, or lists: `[pip, name, version, …flags]`, `[conda, name, version, channel]`. */
export async function needsOfRecipe(text: string): Promise<readonly string[]> {
  const { parse } = await import("yaml");
  let recipe: unknown;
  try {
    recipe = parse(text, { maxAliasCount: 100 });
  } catch {
    // It is only shown to the user; a model runs without it.
    return [];
  }
  const { python, commands } = (recipe ?? {}) as { python?: unknown; commands?: unknown };
  const first = typeof python === "string" || typeof python === "number" ? [`python ${python}`] : [];
  return [...first, ...(Array.isArray(commands) ? commands.flatMap(commandLine) : [])];
}

function commandLine(command: unknown): readonly string[] {
  if (typeof command === "string") return [oneLine(command)];
  if (!Array.isArray(command)) return [];
  const [tool, name, version, ...rest] = command.map(String);
  if (name === undefined) return tool === undefined ? [] : [tool];
  switch (tool) {
    case "pip":
      return [["pip install", version === undefined ? name : `${name}==${version}`, ...rest].join(" ")];
    case "conda": {
      const channel = rest[0] === undefined ? "" : `-c ${rest[0]} `;
      return [`conda install ${channel}${version === undefined ? name : `${name}=${version}`}`];
    }
    default:
      return [command.join(" ")];
  }
}

export function needsOfDockerfile(text: string): readonly string[] {
  return text
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .flatMap((line) => /^\s*RUN\s+(.+)$/i.exec(line)?.[1] ?? [])
    .map(oneLine);
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}

async function textIn(folder: string, name: string): Promise<string | undefined> {
  return await readFile(join(folder, name), "utf8").catch(() => undefined);
}
