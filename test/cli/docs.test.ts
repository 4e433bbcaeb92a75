/**
 * Help texts and docs/commands/ say what the code does: flags are compared with the pages (BLESS=1 rewrites the generated
 * part), and every example is run.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { LoadedCommand } from "../../src/cli/command.ts";
import { commandHelp, describeOption } from "../../src/cli/help.ts";
import { registry } from "../../src/cli/registry.ts";
import { Sandbox } from "./memoir.ts";

const folder = fileURLToPath(new URL("../../docs/commands/", import.meta.url));
const begin = "<!-- generated from the command's definition; do not edit -->";
const end = "<!-- end of the generated part -->";

const verbs =
  /^(Change|Check|Copy|Count|Create|Delete|Explain|Import|Install|List|Merge|Predict|Print|Protect|Remove|Report|Run|Select|Serve|Show|Stop|Close|Compare|Write|Look|Move)\b/;

/** Files that examples name. */
const exampleFiles = fileURLToPath(new URL("../../docs/examples/", import.meta.url));

/** Rows may choose among several files; without words they name the one that is documented under their name. */
const commands: readonly LoadedCommand[] = await Promise.all([
  ...registry.map(async (row) => (await row.load([])).command),
  workflowRun(),
]);

/** `memoir run` with a workflow is a separate command, with a separate page. */
async function workflowRun(): Promise<LoadedCommand> {
  const row = registry.find(({ name }) => name === "run");
  if (row === undefined) throw new Error("there is no command `run`");
  return { ...(await row.load(["hello.wdl"])).command, name: "run workflow" };
}

const fileOf = (command: LoadedCommand) => `${command.name.replace(" ", "-")}.md`;

function generated(command: LoadedCommand): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
  const args = (command.arguments ?? []).map((a) => (a.required === true ? a.name : `[${a.name}]`));
  const flagRows = (legacy: boolean) =>
    command.options
      .filter((option) => (option.legacy !== undefined) === legacy)
      .map((option) => {
        const names = [...(option.aliases ?? []), option.flags].map((flag) => `\`${flag}\``).join(", ");
        return `| ${names.replaceAll("|", "\\|")} | ${cell(describeOption(option))} |`;
      });
  const legacy = flagRows(true);
  const writtenFor = command.options.some((option) => option.legacy === "cwltool") ? "cwltool" : "Ersilia";
  return [
    begin,
    "",
    `${command.summary}.`,
    ...(command.details ?? []).flatMap((paragraph) => ["", paragraph]),
    "",
    "```",
    `memoir ${[command.name.replace("run workflow", "run"), ...args, "[flags]"].join(" ")}`,
    "```",
    "",
    ...(args.length === 0
      ? []
      : [
          "| argument | meaning |",
          "|---|---|",
          ...(command.arguments ?? []).map((a) => `| \`${a.name}\` | ${cell(describeOption(a))} |`),
          "",
        ]),
    "| flag | meaning |",
    "|---|---|",
    ...flagRows(false),
    "",
    ...(legacy.length === 0
      ? []
      : [
          `Accepted from ${writtenFor}'s command line:`,
          "",
          "| flag | meaning |",
          "|---|---|",
          ...legacy,
          "",
        ]),
    "## Examples",
    "",
    "```sh",
    ...command.examples.flatMap(({ command: line, note }) => [
      ...(note === undefined ? [] : [`# ${note}`]),
      line,
    ]),
    "```",
    "",
    end,
  ].join("\n");
}

describe("docs/commands", () => {
  it("has a page for every command and no other page", () => {
    if (process.env["BLESS"] === "1") for (const command of commands) bless(command);
    const pages = readdirSync(folder).filter((name) => name !== "README.md");
    expect(pages.toSorted()).toEqual(commands.map(fileOf).toSorted());
  });

  it.each(commands.map((command) => [command.name, command] as const))(
    "%s: the page says what the code says",
    (_, command) => {
      const page = readFileSync(join(folder, fileOf(command)), "utf8");
      expect(page.startsWith(`# memoir ${command.name}\n`)).toBe(true);
      expect(page.slice(page.indexOf(begin), page.indexOf(end) + end.length)).toBe(generated(command));
    },
  );
});

/** Rewrites the generated part and keeps what people wrote below it. */
function bless(command: LoadedCommand): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, fileOf(command));
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  const own = before.includes(end) ? before.slice(before.indexOf(end) + end.length) : "\n";
  writeFileSync(path, `# memoir ${command.name}\n\n${generated(command)}${own}`);
}

describe("help", () => {
  it("of the program lists every command and ends with an example", async () => {
    const box = await Sandbox.create();
    try {
      const { code, out } = await box.run("--help");
      expect(code).toBe(0);
      for (const { name } of registry) expect(out).toContain(name.split(" ").at(-1) ?? name);
      expect(out.trimEnd().split("\n").at(-2)).toBe("Example:");
      expect((await box.run()).code).toBe(2);
      expect((await box.run("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect((await box.run("help", "run")).out).toBe((await box.run("run", "--help")).out);
      expect((await box.run("predictions")).code).toBe(2);
      expect((await box.run("predictions", "--help")).out).toContain("predictions copy");
    } finally {
      box.remove();
    }
  });

  it.each(commands.map((command) => [command.name, command] as const))(
    "%s: every example works",
    async (_, command) => {
      expect(command.examples.length).toBeGreaterThan(0);
      expect(
        commandHelp(command)
          .trimEnd()
          .endsWith(command.examples.at(-1)?.command ?? "?"),
      ).toBe(true);
      for (const { command: line } of command.examples) {
        const box = await Sandbox.create();
        try {
          cpSync(exampleFiles, box.folder, { recursive: true });
          const { code, err } = box.shell(line);
          expect(`${line}: ${code} ${code === 0 ? "" : err}`).toBe(`${line}: 0 `);
        } finally {
          box.remove();
        }
      }
    },
  );

  it.each(commands.map((command) => [command.name, command] as const))(
    "%s: flags are distinct and described",
    (_, command) => {
      const flags = command.options.flatMap((option) => [
        ...(option.aliases ?? []),
        ...option.flags.split(/[ ,]+/),
      ]);
      const names = flags.filter((flag) => flag.startsWith("-"));
      expect(new Set(names).size).toBe(names.length);
      for (const option of command.options)
        expect(option.description).toMatch(/^([a-z0-9.]|[A-Z]{2}).*[^.]$/);
    },
  );

  it.each(commands.map((command) => [command.name, command] as const))(
    "%s: begins with a verb, and gives a default once, in its own member",
    (_, command) => {
      expect(command.summary).toMatch(verbs);
      for (const option of command.options.filter(({ legacy }) => legacy === undefined))
        expect(`${option.flags}: ${option.description}`).not.toMatch(/\bdefaults?\b/);
      for (const argument of command.arguments ?? [])
        expect(`${argument.name}: ${argument.description}`).not.toMatch(/\bdefaults?\b/);
    },
  );
});
