/** What the shells themselves offer once they have read the script. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { fishRequirement, zshRequirement } from "../servers/shells.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out, err } = await box.run("completion", shell);
    expect(code, err).toBe(0);
    writeFileSync(box.path(`memoir.${shell}`), out);
  }
});
afterAll(() => box.remove());

const shell = (program: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(program, [...args], {
    cwd: box.folder,
    env: box.env(),
    encoding: "utf8",
  });
  return { status, stderr, words: stdout.split("\n").flatMap((line) => line.split("\t")[0] || []) };
};

describe("bash", () => {
  /** What Tab would offer after these words. */
  const offered = (...words: readonly string[]) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const script = `. ./memoir.bash; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _memoir; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return shell("bash", "-c", script).words;
  };

  it("completes commands, commands of a group, flags and the values that a flag takes", () => {
    expect(offered("memoir", "se")).toEqual(["serve", "server"]);
    expect(offered("memoir", "cache", "pr")).toEqual(["prune"]);
    expect(offered("memoir", "cache", "prune", "--dry")).toEqual(["--dry-run"]);
    expect(offered("memoir", "run", "--execut")).toEqual(["--executor"]);
    expect(offered("memoir", "run", "--executor", "h")).toEqual(["host"]);
  });

  it("completes files where no flag is begun", () => {
    expect(offered("memoir", "check", "memoir.z")).toEqual(["memoir.zsh"]);
  });
});

describeWith([zshRequirement], "zsh", () => {
  it("reads the script, and knows the function for memoir", () => {
    const script = "autoload -U compinit && compinit -u -d ./dump && . ./memoir.zsh && print $_comps[memoir]";
    expect(shell("zsh", "-f", "-c", script)).toMatchObject({ status: 0, stderr: "", words: ["_memoir"] });
  });
});

describeWith([fishRequirement], "fish", () => {
  const offered = (line: string) => {
    const { words, stderr } = shell(
      "fish",
      "--no-config",
      "-c",
      `source ./memoir.fish; complete -C '${line}'`,
    );
    expect(stderr).toBe("");
    return words;
  };

  it("completes commands, commands of a group, flags and the values that a flag takes", () => {
    expect(offered("memoir se")).toEqual(["serve", "server"]);
    expect(offered("memoir cache pr")).toEqual(["prune"]);
    expect(offered("memoir run --execut")).toContain("--executor");
    expect(offered("memoir run --executor h")).toContain("host");
  });
});
