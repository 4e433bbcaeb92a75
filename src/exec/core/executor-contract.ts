/** The contract suite that every executor passes: run it in the test of a new executor before writing its code. */
import { spawn } from "node:child_process";
import {
  access,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ask, defined, freshAsk, isAppError, pause, type TaskPath } from "../../kernel/index.ts";
import type { StagedInput } from "../../task/index.ts";
import { attemptHostPath } from "./attempt-paths.ts";
import type { Attempt, AttemptEnd, Executor, PinnedImage } from "./executor.ts";
import { SharedAttemptFiles } from "./shared-attempt-files.ts";

export interface ExecutorContract {
  readonly name: string;
  /** A new, opened executor on the same engine; asked for several times. */
  make(): Promise<Executor>;
  /** An image whose /bin/sh, head, tr, sleep, cat, id and env are there; asked for when the suite begins. */
  image?(): PinnedImage;
  /** The task gets TERM and time to act on it. */
  readonly graceful: boolean;
  /** Tasks do not see processes that are not theirs. */
  readonly hidesProcesses: boolean;
}

const mebibyte = 2 ** 20;

export function executorContract(contract: ExecutorContract): void {
  describe(`tasks on ${contract.name}`, () => {
    const ask = freshAsk();
    let root: string;
    let executor: Executor;
    let serial = 0;

    beforeAll(async () => {
      root = await realpath(await mkdtemp(join(tmpdir(), "memoir-executor-")));
      executor = await contract.make();
    });

    afterAll(async () => {
      await executor?.close();
      await rm(root, { recursive: true, force: true, maxRetries: 20 });
    });

    /** An attempt whose script is `script`; its directory is there, as the engine makes it. */
    async function prepare(script: string, more: Partial<Attempt> = {}): Promise<Attempt> {
      const id = `contract-${process.pid}-${Date.now().toString(36)}-${serial++}`;
      const directory = more.directory ?? join(root, id);
      await mkdir(directory, { recursive: true });
      await writeFile(join(directory, "command"), script);
      const image = contract.image?.();
      return {
        id,
        directory,
        shell: ["/bin/sh"],
        inputs: [],
        env: {},
        ...defined({ image }),
        resources: { cpu: 1, memoryBytes: 256 * mebibyte, gpu: 0 },
        network: false,
        labels: { "memoir.test": "contract" },
        ...more,
      };
    }

    async function source(name: string, content: string): Promise<StagedInput["source"]> {
      const location = join(root, `sources-${serial++}`, name);
      await mkdir(join(location, ".."), { recursive: true });
      await writeFile(location, content);
      return { kind: "file", location, basename: basename(location) };
    }

    /** A folder with links of all kinds, in one with what they lead to. */
    async function folderOfHarm(): Promise<{
      readonly root: string;
      readonly source: StagedInput["source"];
    }> {
      const home = join(root, `harm-${serial++}`);
      const set = join(home, "set");
      for (const folder of [join(set, "sub"), join(home, "others")]) await mkdir(folder, { recursive: true });
      await writeFile(join(set, "a.txt"), "A\n");
      await writeFile(join(set, "sub/b.txt"), "B\n");
      await writeFile(join(home, "others/c.txt"), "C\n");
      await writeFile(join(home, "single.txt"), "A single one\n");
      await symlink("a.txt", join(set, "inside"));
      await symlink(join(set, "a.txt"), join(set, "absolute"));
      await symlink(join(home, "single.txt"), join(set, "outside"));
      await symlink(join(home, "others"), join(set, "linked"));
      return { root: home, source: { kind: "directory", location: set, basename: "set" } };
    }

    /** Everything that a task could have changed there. */
    async function snapshot(...paths: readonly string[]): Promise<readonly string[]> {
      const seen: string[] = [];
      const look = async (path: string): Promise<void> => {
        const facts = await lstat(path);
        const kind = facts.isDirectory() ? "folder" : facts.isFile() ? "file" : "link";
        const content = kind === "file" ? await readFile(path, "latin1") : "";
        seen.push(`${path} ${kind} ${facts.mode} ${facts.ino} ${facts.mtimeMs} ${content}`);
        if (kind === "folder") for (const name of (await readdir(path)).sort()) await look(join(path, name));
      };
      for (const path of paths) await look(path);
      return seen;
    }

    async function run(attempt: Attempt, within: Ask = ask): Promise<AttemptEnd> {
      await executor.start(attempt, within);
      const end = await executor.wait(attempt, within);
      await executor.remove(attempt, ask);
      return end;
    }

    async function exitCodeOf(script: string, more: Partial<Attempt> = {}): Promise<number> {
      const end = await run(await prepare(script, more));
      if (end.kind !== "exited") throw new Error(`ended otherwise: ${JSON.stringify(end)}`);
      return end.exitCode;
    }

    const read = (attempt: Attempt, name: string) => readFile(join(attempt.directory, name), "utf8");

    it("keeps streams, outputs and exit code of a task that succeeds", async () => {
      const attempt = await prepare("echo to out; echo to err >&2; pwd; echo made > made.txt");
      const end = await run(attempt);
      expect(end).toMatchObject({ kind: "exited", exitCode: 0, outOfMemory: false });
      expect(await read(attempt, "stdout")).toMatch(/^to out\n\/.*work\n$/);
      expect(await read(attempt, "stderr")).toBe("to err\n");
      expect(await read(attempt, "work/made.txt")).toBe("made\n");
      expect(await read(attempt, "rc")).toBe("0\n");
    });

    it("measures wall time and, where it can, cpu time", async () => {
      const attempt = await prepare("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; cat /dev/null");
      const startedAt = performance.now();
      const end = await run(attempt);
      if (end.kind !== "exited") throw new Error(JSON.stringify(end));
      expect(end.usage.wallSeconds).toBeGreaterThan(0);
      expect(end.usage.wallSeconds).toBeLessThan((performance.now() - startedAt) / 1000 + 1);
      if (end.usage.cpuSeconds !== null) expect(end.usage.cpuSeconds).toBeGreaterThan(0);
    });

    it("passes exit codes through", async () => {
      expect(await exitCodeOf("exit 7")).toBe(7);
      expect(await exitCodeOf("exit 255")).toBe(255);
    });

    it("reports signals as 128 + n", async () => {
      expect(await exitCodeOf("kill -KILL $$")).toBe(137);
      expect(await exitCodeOf("kill -SEGV $$")).toBe(139);
    });

    it("ends with 127 and a word on stderr when a command is not found", async () => {
      const attempt = await prepare("no-such-command-anywhere");
      expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 127 });
      expect(await read(attempt, "stderr")).toContain("no-such-command-anywhere");
    });

    it("ends with 127 when the shell that the task names is not there", async () => {
      expect(await exitCodeOf("exit 0", { shell: ["/no/such/shell"] })).toBe(127);
    });

    it("gives a task no input to read", async () => {
      const attempt = await prepare("cat; echo end");
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      expect(await read(attempt, "stdout")).toBe("end\n");
    });

    it("keeps long streams whole", async () => {
      const attempt = await prepare("head -c 3000000 /dev/zero | tr '\\0' a");
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      expect((await stat(join(attempt.directory, "stdout"))).size).toBe(3_000_000);
    });

    it("runs an attempt once however often it is started", async () => {
      const attempt = await prepare("echo ran >> count; while [ ! -e go ]; do sleep 0.05; done");
      await Promise.all([executor.start(attempt, ask), executor.start(attempt, ask)]);
      await executor.start(attempt, ask);
      expect(await executor.state(attempt, ask)).toEqual({ kind: "running" });
      await writeFile(join(attempt.directory, "work/go"), "");
      expect(await executor.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 0 });
      await executor.start(attempt, ask);
      expect(await executor.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 0 });
      expect(await read(attempt, "work/count")).toBe("ran\n");
      await executor.remove(attempt, ask);
    });

    it("knows nothing of an attempt that was never started", async () => {
      expect(await executor.state(await prepare("exit 0"), ask)).toEqual({ kind: "unknown" });
    });

    it("knows an ended attempt, also after its removal and in another executor", async () => {
      const attempt = await prepare("exit 3");
      await run(attempt);
      await executor.remove(attempt, ask);
      const later = await contract.make();
      try {
        expect(await later.state(attempt, ask)).toMatchObject({
          kind: "ended",
          end: { kind: "exited", exitCode: 3 },
        });
        await later.start(attempt, ask);
        expect(await later.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 3 });
      } finally {
        await later.close();
      }
    });

    it("leaves a running attempt to the next executor, or takes it along when it closes", async () => {
      const first = await contract.make();
      const mark = uniqueSeconds();
      const attempt = await prepare(
        `sleep ${mark} & echo > ready; while [ ! -e go ]; do sleep 0.05; done; exit 6`,
      );
      await first.start(attempt, ask);
      const left = first.wait(attempt, ask).catch(() => undefined);
      await appears(join(attempt.directory, "work/ready"));
      await first.close();
      if (!first.can.survives) {
        await left;
        await vanishes(mark);
        return;
      }
      const second = await contract.make();
      try {
        expect(await second.state(attempt, ask)).toEqual({ kind: "running" });
        await second.start(attempt, ask);
        const end = second.wait(attempt, ask);
        await writeFile(join(attempt.directory, "work/go"), "");
        expect(await end).toMatchObject({ kind: "exited", exitCode: 6 });
        await second.remove(attempt, ask);
        await vanishes(mark);
      } finally {
        await second.close();
      }
    });

    it("leaves no process of a cancelled attempt", async () => {
      const mark = uniqueSeconds();
      const attempt = await prepare(
        `trap 'echo cleaned > cleaned; exit 1' TERM
         (sleep ${mark} & sleep ${mark} & wait) &
         echo > ready
         while :; do sleep 0.05; done`,
      );
      const controller = new AbortController();
      await executor.start(attempt, ask);
      const end = executor.wait(attempt, { signal: controller.signal });
      await appears(join(attempt.directory, "work/ready"));
      controller.abort();
      expect(await end).toEqual({ kind: "cancelled" });
      await vanishes(mark);
      if (contract.graceful) expect(await read(attempt, "work/cleaned")).toBe("cleaned\n");
      expect(await executor.state(attempt, ask)).toEqual({ kind: "ended", end: { kind: "cancelled" } });
      await executor.remove(attempt, ask);
    });

    it("kills what ignores the request to end", async () => {
      const mark = uniqueSeconds();
      const attempt = await prepare(`trap '' TERM; echo > ready; sleep ${mark}`);
      const controller = new AbortController();
      await executor.start(attempt, ask);
      const end = executor.wait(attempt, { signal: controller.signal });
      await appears(join(attempt.directory, "work/ready"));
      controller.abort();
      expect(await end).toEqual({ kind: "cancelled" });
      await vanishes(mark);
      await executor.remove(attempt, ask);
    });

    it.each([
      ["cancelled", {}],
      ["timed-out", { timeoutMs: 3_000 }],
    ])(
      "calls a task %s that ends well when it is asked to end, also where no word of it can be left",
      async (kind, more) => {
        const script = "mkdir ../stopped; trap 'exit 0' TERM; echo > ready; while :; do sleep 0.05; done";
        const attempt = await prepare(script, more);
        const controller = new AbortController();
        await executor.start(attempt, ask);
        const end = executor.wait(attempt, { signal: controller.signal });
        if (kind === "cancelled") {
          await appears(join(attempt.directory, "work/ready"));
          controller.abort();
        }
        expect(await end).toMatchObject({ kind });
        await executor.remove(attempt, ask);
      },
    );

    it("ends a task whose time is up and says so", async () => {
      const mark = uniqueSeconds();
      const end = await run(await prepare(`sleep ${mark}`, { timeoutMs: 1_000 }));
      expect(end).toMatchObject({ kind: "timed-out" });
      await vanishes(mark);
    });

    it("leaves no background process of a task that ended", async () => {
      const mark = uniqueSeconds();
      expect(await exitCodeOf(`sleep ${mark} & exit 0`)).toBe(0);
      await vanishes(mark);
    });

    it("reports that memory ran out, also when only a child was killed", async ({ skip }) => {
      skip(!executor.can.limitsMemory, "memory cannot be limited here");
      const attempt = await prepare(
        `sh -c 'a=$(head -c 300000000 /dev/zero | tr "\\0" x); echo \${#a}'; exit 5`,
        { resources: { cpu: 1, memoryBytes: 64 * mebibyte, gpu: 0 } },
      );
      const end = await run(attempt);
      expect(end).toMatchObject({ kind: "exited", outOfMemory: true });
      if (end.kind === "exited") expect(end.exitCode).not.toBe(0);
    });

    it("shows inputs, folders and the files that travel with them at their places", async () => {
      const folder = join(root, `folder-${serial++}`);
      await mkdir(join(folder, "inner"), { recursive: true });
      await writeFile(join(folder, "inner/deep.txt"), "deep\n");
      const index = await source("reads.bam.bai", "index\n");
      const reads = { ...(await source("reads.bam", "reads\n")), siblings: [index] };
      const attempt = await prepare("cd ../inputs; cat 0/reads.bam 0/reads.bam.bai 1/set/inner/deep.txt", {
        inputs: [
          { path: "/mnt/memoir/inputs/0/reads.bam" as TaskPath, source: reads },
          {
            path: "/mnt/memoir/inputs/1/set" as TaskPath,
            source: { kind: "directory", location: folder, basename: "set" },
          },
        ],
      });
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      expect(await read(attempt, "stdout")).toBe("reads\nindex\ndeep\n");
      // After the end a person finds the inputs in the attempt's directory, wherever it ran.
      expect(await read(attempt, "inputs/0/reads.bam")).toBe("reads\n");
      expect(await read(attempt, "inputs/0/reads.bam.bai")).toBe("index\n");
      expect(await read(attempt, "inputs/1/set/inner/deep.txt")).toBe("deep\n");
      expect(attemptHostPath(attempt, "/mnt/memoir/inputs/0/reads.bam")).toBe(reads.location);
    });

    it("replaces the task root in scripts, environment and literal files where it is not mounted", async () => {
      const data = await source("data.txt", "the data\n");
      const path = "/mnt/memoir/inputs/0/data.txt" as TaskPath;
      const attempt = await prepare(
        'cat /mnt/memoir/inputs/0/data.txt "$DATA" $(cat /mnt/memoir/work/list)',
        {
          inputs: [{ path, source: data }],
          env: { DATA: path },
          literalFiles: [{ path: "/mnt/memoir/work/list" as TaskPath, content: `${path}\n` }],
        },
      );
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      expect(await read(attempt, "stdout")).toBe("the data\n".repeat(3));
    });

    it("shows files as files and folders as folders", async () => {
      const folder = await folderOfHarm();
      const data = await source("data.txt", "A\n");
      const attempt = await prepare(
        `cd ../inputs; for f in 0/data.txt 1/set 1/set/sub 1/set/sub/b.txt; do [ ! -L $f ] || echo link $f; done
         find 1/set -type f | wc -l; cp -r 1/set ../work/copy; find ../work/copy -type f | wc -l
         [ $(wc -c < 0/data.txt) = 2 ] && cat 1/set/sub/b.txt 1/set/inside`,
        {
          inputs: [
            { path: "/mnt/memoir/inputs/0/data.txt" as TaskPath, source: data },
            { path: "/mnt/memoir/inputs/1/set" as TaskPath, source: folder.source },
          ],
        },
      );
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      const [found = "", copied, ...texts] = (await read(attempt, "stdout")).trim().split(/\s+/);
      expect([Number(found), copied, ...texts]).toEqual([Number(found), found, "B", "A"]);
      // What a link leads to, outside the folder, counts where inputs are copied.
      expect(Number(found)).toBeGreaterThanOrEqual(2);
    });

    it.each([
      ["that are used as they are", {}],
      ["that it gets copies of", { copyInputs: true }],
    ] as const)("never lets a task change the sources of inputs %s", async (_title, more) => {
      const folder = await folderOfHarm();
      const small = await source("small.txt", "small\n");
      const big = await source("big.bin", "x".repeat(2_000_000));
      const before = await snapshot(folder.root, small.location, big.location);
      const attempt = await prepare(
        `cd ../inputs
         for f in 0/small.txt 1/big.bin 2/set/a.txt 2/set/sub/b.txt 2/set/inside 2/set/absolute 2/set/outside 2/set/linked/c.txt; do
           echo more >> $f; : > $f; sed -i s/A/Z/ $f; touch $f; chmod 777 $f; mv $f $f.moved; rm -f $f; cp /bin/sh $f; ln -f /bin/sh $f
         done
         touch 2/set/new 2/set/linked/new 2/set/sub/new; mkdir 2/set/folder; rm -rf 2/set/sub 2/set/linked/ 2/set; mv 2/set 2/other
         mount -o remount,rw,bind 2/set; umount 2/set 0/small.txt 1/big.bin; echo more >> 2/set/a.txt; echo more >> 1/big.bin`,
        {
          inputs: [
            { path: "/mnt/memoir/inputs/0/small.txt" as TaskPath, source: small },
            { path: "/mnt/memoir/inputs/1/big.bin" as TaskPath, source: big },
            { path: "/mnt/memoir/inputs/2/set" as TaskPath, source: folder.source },
          ],
          ...more,
        },
      );
      expect(await run(attempt)).toMatchObject({ kind: "exited" });
      expect(await snapshot(folder.root, small.location, big.location)).toEqual(before);
    });

    it("lets a task move, pack and change inputs that it gets copies of, and finds what became of them", async () => {
      const [moved, changed, same] = await Promise.all([
        source("moved.txt", "moved\n"),
        source("changed.txt", "first\n"),
        source("same.txt", "same\n"),
      ]);
      const folder = await folderOfHarm();
      const at = (path: string) => `/mnt/memoir/inputs/${path}` as TaskPath;
      const attempt = await prepare(
        `set -e; cd ../inputs; mv 0/moved.txt ../work/taken.txt; echo second >> 1/changed.txt; cat 2/same.txt
         mv 3/set/a.txt ../work/a.txt; echo > 3/set/new; rm -r 3/set/sub`,
        {
          copyInputs: true,
          inputs: [
            { path: at("0/moved.txt"), source: moved },
            { path: at("1/changed.txt"), source: changed },
            { path: at("2/same.txt"), source: same },
            { path: at("3/set"), source: folder.source },
          ],
        },
      );
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      expect(await read(attempt, "work/taken.txt")).toBe("moved\n");
      expect(await read(attempt, "work/a.txt")).toBe("A\n");
      const found = (path: string) => attemptHostPath(attempt, at(path)) ?? "";
      expect(await readFile(found("1/changed.txt"), "utf8")).toBe("first\nsecond\n");
      expect(await readFile(changed.location, "utf8")).toBe("first\n");
      // An output that names it is the source itself: nothing is kept twice.
      expect(found("2/same.txt")).toBe(same.location);
      expect(await read(attempt, "inputs/2/same.txt")).toBe("same\n");
      await expect(access(found("0/moved.txt"))).rejects.toThrow("ENOENT");
      expect((await readdir(found("3/set"))).sort()).not.toContain("sub");
      expect(await readFile(join(folder.root, "set/a.txt"), "utf8")).toBe("A\n");
    });

    it("links inputs into the working directory, to be moved and removed and never written through", async () => {
      const [reads, folder] = [await source("reads.fq", "ACGT\n"), await source("in/x y.txt", "inner\n")];
      const directory = { kind: "directory", location: join(folder.location, ".."), basename: "in" } as const;
      const script = [
        "cat sample_1.fq; cat 'ref dir/in/x y.txt'",
        '[ -L sample_1.fq ] && echo link; find . -type f | wc -l | tr -d " "',
        "mkdir moved; mv sample_1.fq moved/; cat moved/sample_1.fq; rm moved/sample_1.fq",
        "(echo changed >> second.fq) 2>/dev/null; (echo changed >> 'ref dir/in/x y.txt') 2>/dev/null",
        "cp second.fq kept.fq; ln -s second.fq again.fq",
      ].join("\n");
      const attempt = await prepare(script, {
        inputs: [
          { path: "/mnt/memoir/inputs/0/reads.fq" as TaskPath, source: reads },
          { path: "/mnt/memoir/inputs/1/in" as TaskPath, source: directory },
        ],
        linkedInputs: [
          { path: "/mnt/memoir/work/sample_1.fq", to: "/mnt/memoir/inputs/0/reads.fq" },
          { path: "/mnt/memoir/work/second.fq", to: "/mnt/memoir/inputs/0/reads.fq" },
          { path: "/mnt/memoir/work/ref dir/in", to: "/mnt/memoir/inputs/1/in" },
        ].map(({ path, to }) => ({ path: path as TaskPath, to: to as TaskPath })),
      });
      expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 0 });
      expect(await read(attempt, "stdout")).toBe("ACGT\ninner\nlink\n0\nACGT\n");
      expect(await readFile(reads.location, "utf8")).toBe("ACGT\n");
      expect(await readFile(join(directory.location, "x y.txt"), "utf8")).toBe("inner\n");
      const files = new SharedAttemptFiles(attempt);
      expect((await files.list("."))?.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
        "again.fq link",
        "kept.fq file",
        "moved directory",
        "ref dir directory",
        "second.fq link",
      ]);
      // Whatever a task without protected inputs did to its copy, the link leads to what the task saw.
      expect(await files.readText("second.fq")).toBe(await files.readText("kept.fq"));
      expect(await files.readText("again.fq")).toBe(await files.readText("kept.fq"));
    });

    it.each([
      ["outside the working directory", "/mnt/memoir/inputs/0/other.fq"],
      ["where an input is", "/mnt/memoir/work/own.fq"],
      ["in a folder that is a link itself", "/mnt/memoir/work/dir/x"],
    ])("refuses a link to an input %s", async (_, path) => {
      const reads = await source("reads.fq", "ACGT\n");
      const to = "/mnt/memoir/inputs/0/reads.fq" as TaskPath;
      const attempt = await prepare("true", {
        inputs: [
          { path: to, source: reads },
          { path: "/mnt/memoir/work/own.fq" as TaskPath, source: reads },
        ],
        linkedInputs: [
          { path: path as TaskPath, to },
          { path: "/mnt/memoir/work/dir" as TaskPath, to },
        ],
      });
      await expect(executor.start(attempt, ask)).rejects.toMatchObject({ code: "EXEC_START_FAILED" });
    });

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
      skip(!executor.can.isolates, "does not hide what a task did not declare");
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
            source: { kind: "file", location: join(root, "gone"), basename: "gone" },
          },
        ],
      });
      const error = await executor.start(attempt, ask).catch((thrown: unknown) => thrown);
      expect(isAppError(error, "EXEC_INPUT_MISSING")).toBe(true);
      expect(String(error)).toContain(join(root, "gone"));
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
        [...Object.values(values), ...expected.map(([, value]) => value)]
          .map((value) => `[${value}]`)
          .join(""),
      );
    });

    it("copes with any character in paths", async () => {
      const odd = "a b'c\"d,e:f;g$h#i(j)[k]*ü";
      const data = await source(`in ${odd}`, "odd\n");
      const attempt = await prepare(
        `cat "$DATA"; echo out > "/mnt/memoir/work/$NAME"; cat /mnt/memoir/inputs/0/*`,
        {
          directory: join(root, `dir ${odd}`),
          inputs: [{ path: `/mnt/memoir/inputs/0/${data.basename}` as TaskPath, source: data }],
          env: { DATA: `/mnt/memoir/inputs/0/${data.basename}`, NAME: odd },
        },
      );
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      expect(await read(attempt, "stdout")).toBe("odd\nodd\n");
      expect(await read(attempt, `work/${odd}`)).toBe("out\n");
    });

    it("gives outputs to the invoking user", async () => {
      const attempt = await prepare("mkdir d; echo > d/f");
      await run(attempt);
      const uid = process.getuid?.();
      for (const name of ["stdout", "rc", "work/d", "work/d/f"])
        expect((await stat(join(attempt.directory, name))).uid).toBe(uid);
    });

    it("cuts the task off from the network unless it asks for it", async ({ skip }) => {
      skip(!executor.can.isolates, "does not hide what a task did not declare");
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
      skip(!executor.can.isolates, "does not hide what a task did not declare");
      const hidden = await source("undeclared.txt", "secret\n");
      expect(await exitCodeOf(`cat '${hidden.location}'`)).not.toBe(0);
    });

    it("mounts disks that a task can write to, where it mounts the task root", async ({ skip }) => {
      skip(!executor.can.mountsTaskRoot, "mounts nothing into tasks");
      const attempt = await prepare(
        "mkdir /mnt/disk/a/sub && echo x > /mnt/disk/a/sub/x && ls /mnt/disk/b && echo y > /data/y",
        { disks: ["/mnt/disk/a", "/mnt/disk/b", "/data"] },
      );
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      expect(await readFile(attemptHostPath(attempt, "/mnt/disk/a/sub/x") ?? "", "utf8")).toBe("x\n");
      expect(await readFile(attemptHostPath(attempt, "/data/y") ?? "", "utf8")).toBe("y\n");
      expect(attemptHostPath(attempt, "/mnt/disk")).toBeUndefined();
    });

    it("brings files out of the container's own file system, until the attempt is removed", async ({
      skip,
    }) => {
      skip(executor.copyOut === undefined, "tasks have no separate file system");
      const attempt = await prepare(
        `set -e; umask 077; mkdir /tmp/out; echo made > /tmp/out/made; : > /tmp/out/empty; chmod +x /tmp/out/empty
dd if=/dev/zero of=/tmp/out/big bs=1024 count=300 2> /dev/null
ln -s out/made /tmp/relative; ln -s /tmp/out /tmp/folder; ln -s /mnt/memoir/work/x /tmp/inside; ln -s loop /tmp/loop`,
      );
      await executor.start(attempt, ask);
      expect(await executor.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 0 });
      const bring = async (path: string) => {
        const brought = await executor.copyOut?.(attempt, path, ask);
        return brought?.kind === "file" ? await readFile(brought.hostPath, "utf8") : brought;
      };
      expect(await bring("/tmp/out/made")).toBe("made\n");
      expect(await bring("/tmp/out/empty")).toBe("");
      const program = await executor.copyOut?.(attempt, "/tmp/out/empty", ask);
      expect(program?.kind === "file" && (await stat(program.hostPath)).mode & 0o100).not.toBe(0);
      expect(await bring("/tmp/out/big")).toHaveLength(300 * 1024);
      expect(await bring("/tmp/relative")).toBe("made\n");
      expect(await bring("/tmp/folder/made")).toBe("made\n");
      expect(await bring("/tmp/inside")).toEqual({ kind: "leads", taskPath: "/mnt/memoir/work/x" });
      expect(await bring("/tmp/out/none")).toEqual({ kind: "missing" });
      expect(await bring("/tmp/out")).toEqual({ kind: "refused", what: "a directory" });
      expect(await bring("/tmp/loop")).toMatchObject({ kind: "refused" });
      await executor.remove(attempt, ask);
      await expect(executor.copyOut?.(attempt, "/tmp/out/made", ask)).rejects.toMatchObject({
        code: "EXEC_ENGINE_FAILED",
      });
    });

    it("keeps attempts that run at the same time apart", async () => {
      const attempts = await Promise.all(
        Array.from({ length: 6 }, (_, i) => prepare(`echo ${i}; sleep 0.1; exit ${i}`)),
      );
      const ends = await Promise.all(attempts.map((attempt) => run(attempt)));
      expect(ends.map((end) => (end.kind === "exited" ? end.exitCode : end.kind))).toEqual([
        0, 1, 2, 3, 4, 5,
      ]);
      expect(await Promise.all(attempts.map((attempt) => read(attempt, "stdout")))).toEqual(
        attempts.map((_, i) => `${i}\n`),
      );
    });

    it("says what may run at the same time", () => {
      const { cpu, memoryBytes } = executor.capacity();
      expect(cpu).toBeGreaterThan(0);
      expect(memoryBytes).toBeGreaterThan(0);
    });
  });
}

let lastSeconds = 0;

/** A number of seconds that no other `sleep` on this machine was given: its process can be recognised by it. */
function uniqueSeconds(): string {
  lastSeconds = Math.max(lastSeconds + 1, Date.now() % 1_000_000_000);
  return `1${process.pid}${lastSeconds}`.slice(0, 15);
}

async function appears(path: string): Promise<void> {
  await until(`${path} is written`, async () =>
    access(path).then(
      () => true,
      () => false,
    ),
  );
}

/** No live process has the word in its command line. */
async function vanishes(word: string): Promise<void> {
  await until(`no process of \`sleep ${word}\` is left`, async () => {
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      if (words.includes(word)) return false;
    }
    return true;
  });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await pause(20, freshAsk()))
    if (await holds()) return;
  throw new Error(`within 120 s it did not come about that ${what}`);
}
