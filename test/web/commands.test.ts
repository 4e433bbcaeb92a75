/** The page and the hints of errors suggest commands: each exists, with the options that are suggested. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { everyCommand, type LoadedCommand } from "../../src/cli/command.ts";
import { longName, parseArguments } from "../../src/cli/parse.ts";
import { registry } from "../../src/cli/registry.ts";
import { catalogue } from "../../src/kernel/index.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Sources whose texts the page shows. */
const sources = ["web", "src/app/browse", "src/v1"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.ts$|\.d\.ts$/.test(name))
    .map((name) => join(folder, name)),
);

/** What is offered to be copied, as a person would run it. */
const offered = sources.flatMap((file) =>
  [
    ...readFileSync(join(root, file), "utf8").matchAll(/\b(?:command|text)=\{?["`](memoir [^"`]*)["`]\}?/g),
  ].map(([, text = ""]) => ({ file, text: text.replace(/\$\{[^}]*\}/g, "name") })),
);

/** Commands in running text: `memoir runs show`, ``memoir batch work PLAN --slice N``. */
const mentioned = [
  ...sources.map((file) => ({ file, text: readFileSync(join(root, file), "utf8") })),
  ...Object.entries(catalogue).map(([code, { hint }]) => ({ file: code, text: hint ?? "" })),
].flatMap(({ file, text }) =>
  [...text.matchAll(/`(memoir [a-z][^`$]*)`/g)].map(([, found = ""]) => ({ file, text: found })),
);

async function commandOf(text: string): Promise<{ command: LoadedCommand; words: readonly string[] }> {
  const [, ...all] = text.split(/\s+/);
  const row = registry
    .filter(({ name }) => `${all.join(" ")} `.startsWith(`${name} `))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  if (row === undefined) throw new Error(`there is no such command: ${text}`);
  const words = all.slice(row.name.split(" ").length);
  return { command: (await row.load(words)).command, words };
}

describe("commands that the page suggests", () => {
  it("are found in its sources", () => {
    expect(offered.length).toBeGreaterThan(10);
    expect(mentioned.length).toBeGreaterThan(30);
  });

  it.each(offered)("$text can be run as it stands", async ({ text }) => {
    const { command, words } = await commandOf(text);
    await parseArguments(command, words);
  });

  it("that texts and hints mention exist, with these options", async () => {
    for (const { file, text } of mentioned) {
      if (/^memoir COMMAND/.test(text)) continue;
      const { command, words } = await commandOf(text);
      const known = new Set(
        [...command.options, ...everyCommand].flatMap((option) => [
          longName(option.flags),
          ...option.flags.split(/[ ,]+/).filter((flag) => flag.startsWith("-")),
          ...(option.aliases ?? []),
        ]),
      );
      for (const word of words.filter((each) => each.startsWith("-")))
        expect(
          known.has(word) || known.has(word.replace(/^--/, "")),
          `${file}: ${text} has the unknown option ${word}`,
        ).toBe(true);
    }
  });
});
