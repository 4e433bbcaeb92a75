import { describe, expect, it } from "vitest";
import { isAppError } from "../kernel/index.ts";
import { defineCommand } from "./command.ts";
import { parseArguments } from "./parse.ts";

const command = defineCommand<null>({
  name: "try",
  summary: "Try",
  arguments: [{ name: "MODEL", description: "a model" }],
  options: [
    { flags: "-b, --batch-size <n>", description: "size", kind: "count" },
    { flags: "--read-store", description: "read", aliases: ["-rs"] },
    { flags: "--no-compute", description: "stop" },
    { flags: "--header", description: "there is one" },
    { flags: "--no-header", description: "there is none", conflicts: [] },
    { flags: "--one", description: "one", conflicts: ["other-one"] },
    { flags: "--other-one", description: "other" },
    { flags: "--how <how>", description: "how", choices: ["well", "badly"] },
  ],
  examples: [{ command: "memoir try" }],
  act: async () => null,
  render: () => {},
});

const problem = (...words: readonly string[]) =>
  parseArguments(command, words).then(
    () => "fine",
    (error: unknown) => (isAppError(error, "CLI_USAGE") ? error.message : String(error)),
  );

describe("flags", () => {
  it("are read in all their spellings", async () => {
    for (const words of [
      ["-b", "5"],
      ["--batch-size", "5"],
      ["--batch-size=5"],
      ["--batch_size", "5"],
      ["--batch_size=5"],
    ])
      expect((await parseArguments(command, words)).count("batch-size")).toBe(5);
    expect((await parseArguments(command, ["-rs"])).is("read-store")).toBe(true);
    expect((await parseArguments(command, ["-b", "-1"])).count("batch-size")).toBe(-1);
  });

  it("that deny are distinguished from those that affirm and from absent ones", async () => {
    const given = async (...words: readonly string[]) => {
      const got = await parseArguments(command, words);
      return [got.is("no-compute"), got.is("header"), got.is("no-header")];
    };
    expect(await given()).toEqual([false, false, false]);
    expect(await given("--no-compute", "--header")).toEqual([true, true, false]);
    expect(await given("--no-header")).toEqual([false, false, true]);
  });

  it("leave underscores in values and arguments alone", async () => {
    const given = await parseArguments(command, ["my_model"]);
    expect(given.argument(0)).toBe("my_model");
  });

  it("say what is wrong with them", async () => {
    expect(await problem("--one", "--other-one")).toBe(
      "memoir try: option '--one' cannot be used with option '--other-one'",
    );
    expect(await problem("-b", "x")).toContain("expected a whole number");
    expect(await problem("--how", "so")).toContain("Allowed choices are well, badly");
    expect(await problem("--hov", "well")).toContain("did you mean --how?");
    expect(await problem("a", "b")).toContain("too many arguments");
    expect(await problem("-b")).toContain("argument missing");
  });
});
