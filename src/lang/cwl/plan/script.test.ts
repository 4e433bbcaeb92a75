import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Word } from "./bind-arguments.ts";
import { renderScript, shellWord } from "./script.ts";

const words = (...texts: readonly string[]): Word[] => texts.map((text) => ({ text, quoted: true }));

describe("renderScript", () => {
  it("starts programs, never what the shell calls by the same name", () => {
    expect(renderScript(words("echo", "a b"), {}, "words")).toMatchObject({
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
    expect(renderScript(argv, {}, "words")).toMatchObject({ shell: ["/bin/bash"], command: "echo $HOME" });
    expect(renderScript(argv, { stdout: "x" }, "words").command).toBe("exec /bin/bash -c 'echo $HOME' > x\n");
  });
});

describe("behind an entry point", () => {
  const behind = (argv: readonly Word[], form: "words" | "shell text" = "words") =>
    renderScript(argv, { stdout: "out" }, form).behindEntrypoint;

  it("the words of the command follow those of the entry point, in whatever way the command is given", () => {
    expect(behind(words("-c", "echo 1"))).toEqual({
      shell: ["/bin/sh"],
      command: `exec "$@" -c 'echo 1' > out\n`,
      words: "given",
    });
    expect(behind(words("a;", "b"), "shell text").command).toBe(
      `exec "$@" /bin/sh -c ''\\''a;'\\'' b' > out\n`,
    );
  });

  it("nothing follows them, or the image's own command, where the tool has none", () => {
    expect(behind([])).toMatchObject({ command: 'exec "$@" > out\n', words: "image's own" });
  });

  it("runs as written", () => {
    const { command } = renderScript(words("-c", "echo $0; exit 3", "me"), {}, "words").behindEntrypoint;
    const { stdout, status } = spawnSync("/bin/sh", ["-c", command, "script", "/bin/sh", "-u"]);
    expect([stdout.toString(), status]).toEqual(["me\n", 3]);
  });
});

describe("standard input through a pipe", () => {
  const shells = [["sh"], ["bash"], ["busybox", "sh"]].filter(
    ([name = ""]) => spawnSync(name, ["-c", ":"]).error === undefined,
  );
  const piped = (from: string, ...texts: readonly string[]) =>
    renderScript(words(...texts), { stdin: { from, through: "pipe" } }, "words").command;

  it.each(shells)("is a pipe, and the command's exit code is the script's (%s)", (program, ...more) => {
    const run = (script: string) => spawnSync(program, [...more, "-c", script], { encoding: "utf8" });
    const seen = run(piped("/etc/passwd", "sh", "-c", "[ -p /dev/stdin ] && grep -c ^root: && exit 7"));
    expect([seen.stdout, seen.status]).toEqual(["1\n", 7]);
    // A command that wants little of much.
    expect(run(piped("/bin/sh", "head", "-c", "0")).status).toBe(0);
    expect(run(piped("/no/such/file", "cat")).status).not.toBe(0);
    expect(run(piped("/etc", "cat")).status).not.toBe(0);
    expect(run(piped("/etc/passwd", "/no/such/program")).status).toBe(127);
    const withoutCat = run(`command() { return 1; }\n${piped("/etc/passwd", "wc", "-l")}`);
    expect(Number(withoutCat.stdout)).toBeGreaterThan(0);
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
