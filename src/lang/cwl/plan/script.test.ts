import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Word } from "./bind-arguments.ts";
import { renderScript, shellWord } from "./script.ts";

const words = (...texts: readonly string[]): Word[] => texts.map((text) => ({ text, quoted: true }));

describe("renderScript", () => {
  it("starts programs, never what the shell calls by the same name", () => {
    expect(renderScript(words("echo", "a b"), {}, "words")).toEqual({
      shell: ["/bin/sh"],
      command: "exec echo 'a b'\n",
    });
  });

  it("redirects every command of a shell text", () => {
    const text: Word[] = [...words("echo", "one"), { text: "; echo two", quoted: false }];
    const { command } = renderScript(text, { stdout: "out.txt", stderr: "out.txt" }, "shell text");
    expect(command).toBe("exec > out.txt 2>&1\necho one ; echo two\n");
  });

  it("hands bash its text as it is, unless a stream has a name", () => {
    const argv = words("/bin/bash", "-c", "echo $HOME");
    expect(renderScript(argv, {}, "words")).toEqual({ shell: ["/bin/bash"], command: "echo $HOME" });
    expect(renderScript(argv, { stdout: "x" }, "words").command).toBe("exec /bin/bash -c 'echo $HOME' > x\n");
  });
});

describe("shellWord", () => {
  it.each([
    "",
    "plain",
    "it's",
    "a b",
    "$(id)",
    "`id`",
    "~",
    "~root",
    "a=b",
    "*",
    "-n",
    "\\",
    "line\nline",
    '"',
    "ü",
  ])("%j reaches the program unchanged", (text) => {
    const { stdout } = spawnSync("/bin/sh", ["-c", `printf %s. ${shellWord(text)}`], { encoding: "utf8" });
    expect(stdout).toBe(`${text}.`);
  });
});
