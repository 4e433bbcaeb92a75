/** What tasks see of the machine and of each other, and what they get. */
import { spawn } from "node:child_process";
import { chmod, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isAppError, type TaskPath } from "../../kernel/index.ts";
import { AttemptProblem } from "../../task/index.ts";
import type { ContractBench } from "./contract-bench.ts";

export function isolationOfTasks(bench: ContractBench): void {
  const { prepare, source, run, exitCodeOf, read, ask, contract } = bench;

  it("hides the processes around it, and their environment, from a task", async ({ skip }) => {
    skip(!contract.hidesProcesses, "tasks see all processes of the machine here");
    const other = spawn("sleep", ["600"], { env: { ...process.env, MEMOIR_SECRET: "do-not-reveal" } });
    try {
      const attempt = await prepare(
        "cat /proc/[0-9]*/environ /proc/[0-9]*/task/*/environ 2> /dev/null | tr '\\0' '\\n' | grep -c do-not-reveal; ls -d /proc/[0-9]* | wc -l",
      );
      await run(attempt);
      const [secrets, processes] = (await read(attempt, "stdout")).trim().split("\n").map(Number);
      expect(secrets).toBe(0);
      expect(processes).toBeLessThan(30);
    } finally {
      other.kill("SIGKILL");
    }
  });

  it("prevents inputs from being changed", async ({ skip }) => {
    skip(!bench.executor.can.isolates, "does not hide what a task did not declare");
    const data = await source("data.txt", "untouched\n");
    const attempt = await prepare(
      "f=/mnt/memoir/inputs/0/data.txt; echo x >> $f; rm -f $f; mv other $f; cat $f; echo next > $f.idx",
      { inputs: [{ path: "/mnt/memoir/inputs/0/data.txt" as TaskPath, source: data }] },
    );
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await read(attempt, "stdout")).toBe("untouched\n");
    expect(await readFile(data.location, "utf8")).toBe("untouched\n");
    // Many tools write an index next to their input.
    expect(await read(attempt, "inputs/0/data.txt.idx")).toBe("next\n");
  });

  it("copies inputs that a task may change", async () => {
    const data = await source("data.txt", "first\n");
    await chmod(data.location, 0o444);
    const path = "/mnt/memoir/work/data.txt" as TaskPath;
    const attempt = await prepare("echo second >> data.txt", {
      inputs: [{ path, source: data, writable: true }],
    });
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await read(attempt, "work/data.txt")).toBe("first\nsecond\n");
    expect(await readFile(data.location, "utf8")).toBe("first\n");
  });

  it.each([
    ["rm ../stdout", "standard output"],
    ["rm ../stderr; mkdir ../stderr", "standard error"],
    ["rm ../stdout; ln -s /etc/passwd ../stdout", "standard output"],
    ["cd ..; rm -rf work", "working directory"],
  ])("reports what a task has removed: %s", async (script, words) => {
    const end = await run(await prepare(`${script}; exit 0`));
    expect(end).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(end.kind === "exited" && end.spoiled).toContain(words);
  });

  it("refuses an attempt whose input is not there", async () => {
    const attempt = await prepare("exit 0", {
      inputs: [
        {
          path: "/mnt/memoir/inputs/0/gone" as TaskPath,
          source: { kind: "file", location: join(bench.root, "gone"), basename: "gone" },
        },
      ],
    });
    const error = await bench.executor.start(attempt, ask).catch((thrown: unknown) => thrown);
    expect(isAppError(error, "EXEC_INPUT_MISSING")).toBe(true);
    expect(String(error)).toContain(join(bench.root, "gone"));
  });

  it("hands on the declared environment, whatever is in it, and nothing else", async () => {
    const values = { PLAIN: "a b", QUOTES: `"'$HOME\`\\`, LINES: "one\ntwo\n", EMPTY: "", UTF8: "größe" };
    // What shell texts are tempted to call their own variables.
    const ordinary = [
      "root",
      "place",
      "memory",
      "cpu",
      "name",
      "value",
      "task",
      "code",
      "now",
      "word",
      "pid",
      "live",
    ];
    const expected = ordinary.map((name) => [name, `own ${name}`] as const);
    process.env["MEMOIR_CONTRACT_SECRET"] = "visible";
    const attempt = await prepare(
      'for v in "$PLAIN" "$QUOTES" "$LINES" "$EMPTY" "$UTF8"; do printf "[%s]" "$v"; done; env | grep SECRET' +
        `; for v in ${ordinary.map((name) => `"$${name}"`).join(" ")}; do printf "[%s]" "$v"; done`,
      { env: { ...values, ...Object.fromEntries(expected) } },
    );
    await run(attempt);
    delete process.env["MEMOIR_CONTRACT_SECRET"];
    expect(await read(attempt, "stdout")).toBe(
      [...Object.values(values), ...expected.map(([, value]) => value)].map((value) => `[${value}]`).join(""),
    );
  });

  it("copes with any character in paths", async () => {
    const odd = "a b'c\"d,e:f;g$h#i(j)[k]*ü";
    const data = await source(`in ${odd}`, "odd\n");
    const attempt = await prepare(
      `cat "$DATA"; echo out > "/mnt/memoir/work/$NAME"; cat /mnt/memoir/inputs/0/*`,
      {
        directory: join(bench.root, `dir ${odd}`),
        inputs: [{ path: `/mnt/memoir/inputs/0/${data.basename}` as TaskPath, source: data }],
        env: { DATA: `/mnt/memoir/inputs/0/${data.basename}`, NAME: odd },
      },
    );
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await read(attempt, "stdout")).toBe("odd\nodd\n");
    expect(await read(attempt, `work/${odd}`)).toBe("out\n");
  });

  it("gives outputs to the invoking user", async ({ skip }) => {
    skip(!bench.executor.can.sharesFiles, "outputs are objects of a store, which belong to no user");
    const attempt = await prepare("mkdir d; echo > d/f");
    await run(attempt);
    const uid = process.getuid?.();
    for (const name of ["stdout", "rc", "work/d", "work/d/f"])
      expect((await stat(join(attempt.directory, name))).uid).toBe(uid);
  });

  it("cuts the task off from the network unless it asks for it", async ({ skip }) => {
    skip(!bench.executor.can.isolates, "does not hide what a task did not declare");
    const attempt = await prepare("cat /proc/net/dev");
    await run(attempt);
    const devices = (await read(attempt, "stdout"))
      .split("\n")
      .map((line) => /^\s*([^\s:]+):/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    // Kernel tunnel templates appear in every new network namespace; none of them leads anywhere.
    expect(
      devices.filter(
        (name) => !/^(lo|tunl0|sit0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0)$/.test(name),
      ),
    ).toEqual([]);
  });

  it("hides files that were not declared", async ({ skip }) => {
    skip(!bench.executor.can.isolates, "does not hide what a task did not declare");
    const hidden = await source("undeclared.txt", "secret\n");
    expect(await exitCodeOf(`cat '${hidden.location}'`)).not.toBe(0);
  });

  it("mounts disks that a task can write to, where it mounts the task root", async ({ skip }) => {
    skip(!bench.executor.can.mountsTaskRoot, "mounts nothing into tasks");
    const attempt = await prepare(
      "mkdir /mnt/disk/a/sub && echo x > /mnt/disk/a/sub/x && ls /mnt/disk/b && echo y > /data/y",
      { disks: ["/mnt/disk/a", "/mnt/disk/b", "/data"] },
    );
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await bench.files(attempt).readText("/mnt/disk/a/sub/x")).toBe("x\n");
    expect(await bench.files(attempt).readText("/data/y")).toBe("y\n");
    await expect(bench.files(attempt).stat("/mnt/disk")).rejects.toBeInstanceOf(AttemptProblem);
  });

  it("brings files out of the container's own file system, until the attempt is removed", async ({
    skip,
  }) => {
    skip(bench.executor.copyOut === undefined, "tasks have no separate file system");
    const attempt = await prepare(
      `set -e; umask 077; mkdir /tmp/out; echo made > /tmp/out/made; : > /tmp/out/empty; chmod +x /tmp/out/empty
dd if=/dev/zero of=/tmp/out/big bs=1024 count=300 2> /dev/null
ln -s out/made /tmp/relative; ln -s /tmp/out /tmp/folder; ln -s /mnt/memoir/work/x /tmp/inside; ln -s loop /tmp/loop`,
    );
    await bench.executor.start(attempt, ask);
    expect(await bench.executor.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 0 });
    const bring = async (path: string) => {
      const brought = await bench.executor.copyOut?.(attempt, path, ask);
      return brought?.kind === "file" ? await readFile(brought.hostPath, "utf8") : brought;
    };
    expect(await bring("/tmp/out/made")).toBe("made\n");
    expect(await bring("/tmp/out/empty")).toBe("");
    const program = await bench.executor.copyOut?.(attempt, "/tmp/out/empty", ask);
    expect(program?.kind === "file" && (await stat(program.hostPath)).mode & 0o100).not.toBe(0);
    expect(await bring("/tmp/out/big")).toHaveLength(300 * 1024);
    expect(await bring("/tmp/relative")).toBe("made\n");
    expect(await bring("/tmp/folder/made")).toBe("made\n");
    expect(await bring("/tmp/inside")).toEqual({ kind: "leads", taskPath: "/mnt/memoir/work/x" });
    expect(await bring("/tmp/out/none")).toEqual({ kind: "missing" });
    expect(await bring("/tmp/out")).toEqual({ kind: "refused", what: "a directory" });
    expect(await bring("/tmp/loop")).toMatchObject({ kind: "refused" });
    await bench.executor.remove(attempt, ask);
    await expect(bench.executor.copyOut?.(attempt, "/tmp/out/made", ask)).rejects.toMatchObject({
      code: "EXEC_ENGINE_FAILED",
    });
  });

  it("keeps attempts that run at the same time apart", async () => {
    const attempts = await Promise.all(
      Array.from({ length: 6 }, (_, i) => prepare(`echo ${i}; sleep 0.1; exit ${i}`)),
    );
    const ends = await Promise.all(attempts.map((attempt) => run(attempt)));
    expect(ends.map((end) => (end.kind === "exited" ? end.exitCode : end.kind))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await Promise.all(attempts.map((attempt) => read(attempt, "stdout")))).toEqual(
      attempts.map((_, i) => `${i}\n`),
    );
  });

  it("says what may run at the same time", () => {
    const { cpu, memoryBytes } = bench.executor.capacity();
    expect(cpu).toBeGreaterThan(0);
    expect(memoryBytes).toBeGreaterThan(0);
  });
}
