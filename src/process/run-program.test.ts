import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { removeFolder } from "../../test/remove-folder.ts";
import { freshAsk, isAppError } from "../kernel/index.ts";
import { runProgram } from "./run-program.ts";

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "memoir-process-"));
});
afterEach(() => removeFolder(cwd));

const bash = (script: string) => ({ command: "bash", args: ["-c", script], cwd, env });

describe("how a program ends", () => {
  test("gives the exit code and both streams", async () => {
    const outcome = await runProgram(bash("echo out; echo err >&2; exit 7"), freshAsk());
    expect(outcome).toMatchObject({ kind: "exited", exitCode: 7, stdout: "out\n", stderr: "err\n" });
  });

  test("distinguishes a signal from an exit code", async () => {
    expect(await runProgram(bash("kill -SEGV $$"), freshAsk())).toMatchObject({
      kind: "signalled",
      signal: "SIGSEGV",
    });
    expect(await runProgram(bash("exit 139"), freshAsk())).toMatchObject({ kind: "exited", exitCode: 139 });
  });

  test("says not-found for a missing program and for a file that may not be executed", async () => {
    writeFileSync(join(cwd, "plain.txt"), "x");
    const run = (command: string) => runProgram({ command, cwd, env }, freshAsk());
    expect((await run("memoir-no-such-program")).kind).toBe("not-found");
    expect((await run("./plain.txt")).kind).toBe("not-found");
  });

  test("a missing working directory is an error that names it", async () => {
    const failure = await runProgram({ command: "true", cwd: join(cwd, "gone"), env }, freshAsk()).catch(
      (error: unknown) => error,
    );
    expect(isAppError(failure, "PROCESS_START_FAILED")).toBe(true);
    expect(String(failure)).toContain(join(cwd, "gone"));
  });
});

describe("what a program sees", () => {
  test("exactly the given environment and arguments, odd names included", async () => {
    const outcome = await runProgram(
      {
        command: "bash",
        args: ["-c", 'printf "%s\\n" "$0" "$@"; env', "zero", "two words", "$HOME", ""],
        cwd,
        env: { ...env, "odd.name": "kept", "BASH_FUNC_hello%%": "() { echo hi; }" },
      },
      freshAsk(),
    );
    expect(outcome.stdout.split("\n").slice(0, 4)).toEqual(["zero", "two words", "$HOME", ""]);
    expect(outcome.stdout).toContain("odd.name=kept");
    expect(outcome.stdout).toContain("BASH_FUNC_hello%%");
    expect(outcome.stdout).not.toContain("npm_");
  });

  test("standard streams that can be opened by name", async () => {
    const outcome = await runProgram(
      {
        ...bash("cat /dev/stdin > /dev/stdout; echo no > /dev/stderr"),
        stdin: { kind: "bytes", bytes: "in" },
      },
      freshAsk(),
    );
    expect(outcome).toMatchObject({ exitCode: 0, stdout: "in", stderr: "no\n" });
  });

  test("no child that it has not started itself", async () => {
    const outcome = await runProgram(bash("cat /proc/$$/task/$$/children"), freshAsk());
    // The only child is `cat`, which lists itself.
    expect(outcome.stdout.trim().split(" ")).toHaveLength(1);
  });

  test("no standard input unless given, and input from a file", async () => {
    expect((await runProgram(bash("wc -c"), freshAsk())).stdout.trim()).toBe("0");
    writeFileSync(join(cwd, "in.txt"), "12345");
    const fed = await runProgram(
      { ...bash("wc -c"), stdin: { kind: "file", path: join(cwd, "in.txt") } },
      freshAsk(),
    );
    expect(fed.stdout.trim()).toBe("5");
  });
});

describe("output", () => {
  test("keeps only the last bytes of a long stream and says so", async () => {
    const outcome = await runProgram(
      { ...bash("seq 1 200000; echo last"), stdout: { kind: "capture", limitBytes: 100 } },
      freshAsk(),
    );
    expect(outcome.stdout).toHaveLength(100);
    expect(outcome.stdout.endsWith("200000\nlast\n")).toBe(true);
    expect(outcome.stdoutTruncated).toBe(true);
    expect(outcome.stderrTruncated).toBe(false);
  });

  test("is whole when it fits, whatever its size", async () => {
    const outcome = await runProgram(bash("head -c 1000000 /dev/zero | tr '\\0' x"), freshAsk());
    expect(outcome.stdout).toHaveLength(1_000_000);
    expect(outcome.stdoutTruncated).toBe(false);
  });

  test("goes to files, whose end comes back in the outcome", async () => {
    const outcome = await runProgram(
      {
        ...bash("echo to file; echo trouble >&2"),
        stdout: { kind: "file", path: join(cwd, "out.txt") },
        stderr: { kind: "file", path: join(cwd, "err.txt") },
      },
      freshAsk(),
    );
    expect(readFileSync(join(cwd, "out.txt"), "utf8")).toBe("to file\n");
    expect(outcome).toMatchObject({ stdout: "to file\n", stderr: "trouble\n" });
  });

  test("of what still runs for a moment after the program's end is not lost", async () => {
    const outcome = await runProgram(
      bash('exec > >(while read -r line; do echo "late $line"; done); echo a; echo b'),
      freshAsk(),
    );
    expect(outcome.stdout).toBe("late a\nlate b\n");
  });
});

/** Pids of live processes whose environment holds `mark`; zombies have none. */
function carriersOf(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const tree = "sleep 300 & (sleep 300; true) & touch started; wait";

describe.runIf(existsSync("/proc/self/environ"))("nothing stays behind", () => {
  test("after a time-out, although the program ignores TERM", async () => {
    const mark = `MEMOIR_MARK_${process.pid}_a`;
    const outcome = await runProgram(
      { ...bash(`trap '' TERM; ${tree}`), env: { ...env, [mark]: "1" }, timeoutMs: 300, graceMs: 200 },
      freshAsk(),
    );
    expect(outcome).toMatchObject({ kind: "timed-out", limitMs: 300 });
    await until(() => carriersOf(mark).length === 0);
  });

  test("after the user cancels", async () => {
    const mark = `MEMOIR_MARK_${process.pid}_b`;
    const controller = new AbortController();
    const running = runProgram(
      { ...bash(tree), env: { ...env, [mark]: "1" }, graceMs: 200 },
      { signal: controller.signal },
    );
    await until(() => existsSync(join(cwd, "started")));
    controller.abort();
    expect((await running).kind).toBe("cancelled");
    await until(() => carriersOf(mark).length === 0);
  });

  test("after a program that leaves background processes", async () => {
    const mark = `MEMOIR_MARK_${process.pid}_c`;
    const outcome = await runProgram(
      { ...bash("sleep 300 & exit 3"), env: { ...env, [mark]: "1" } },
      freshAsk(),
    );
    expect(outcome).toMatchObject({ kind: "exited", exitCode: 3 });
    await until(() => carriersOf(mark).length === 0);
  });

  test("and a program may use TERM to end in its own way", async () => {
    const controller = new AbortController();
    const running = runProgram(bash("trap 'echo tidy; exit 0' TERM; touch started; sleep 300 & wait"), {
      signal: controller.signal,
    });
    await until(() => existsSync(join(cwd, "started")));
    controller.abort();
    expect(await running).toMatchObject({ kind: "cancelled", stdout: "tidy\n" });
  });

  test("after kill -9 of the process that ran it", async () => {
    const mark = `MEMOIR_MARK_${process.pid}_d`;
    const runner = join(cwd, "runner.mjs");
    await bundle(runner);
    const script = `
      import { runProgram } from ${JSON.stringify(runner)};
      await runProgram({ command: "bash", args: ["-c", ${JSON.stringify(tree)}], cwd: ${JSON.stringify(cwd)},
        env: { PATH: process.env.PATH, ${mark}: "1" }, graceMs: 100 }, { signal: new AbortController().signal });`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
    await until(() => existsSync(join(cwd, "started")));
    expect(carriersOf(mark).length).toBeGreaterThanOrEqual(3);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await until(() => carriersOf(mark).length === 0);
  });
});

async function bundle(outfile: string): Promise<void> {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [join(import.meta.dirname, "index.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
}
