import { type StdioOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseExitCode, parseUsage } from "./attempt-files.ts";
import { type WrapperPlace, wrapperArguments } from "./wrapper.ts";

/** Shells that images have as /bin/sh; one that is not on this machine is left to the others. */
const shells = [["sh"], ["dash"], ["bash"], ["busybox", "sh"], ["mksh"]].filter(
  ([name = ""]) => spawnSync(name, ["-c", ":"]).error === undefined,
);

/** Descriptor 9 is the socket that ends when Memoir dies. */
const withLeash: StdioOptions = ["ignore", "pipe", "pipe", ...Array(6).fill("ignore"), "pipe"];

describe.each(shells.map((words) => ({ name: words.join(" "), words })))(
  "the wrapper in $name",
  ({ words }) => {
    let root: string;

    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), "memoir-wrapper-"));
      mkdirSync(join(root, "work"));
    });
    afterEach(() => rmSync(root, { recursive: true, force: true }));

    function run(script: string, place: WrapperPlace = { kind: "host", cgroup: "" }, shell = ["/bin/sh"]) {
      writeFileSync(join(root, "command"), script);
      const [program = "", ...first] = words;
      const args = [...first, ...wrapperArguments(root, place, [...shell, join(root, "command")])];
      return spawnSync(program, args, { encoding: "utf8", cwd: "/", stdio: withLeash });
    }
    const read = (name: string) => readFileSync(join(root, name), "utf8");

    it("writes streams, usage and at last the exit code, and ends with it", () => {
      const ended = run("pwd; echo err >&2; exit 7");
      expect(ended).toMatchObject({ status: 7, stdout: "", stderr: "" });
      expect(read("stdout")).toBe(`${join(root, "work")}\n`);
      expect(read("stderr")).toBe("err\n");
      expect(parseExitCode(read("rc"))).toBe(7);
    });

    it("leaves the exit code of a job to the job's script, and needs no Memoir to be alive", () => {
      writeFileSync(join(root, "command"), "exit 7");
      const [program = "", ...first] = words;
      const args = [...first, ...wrapperArguments(root, { kind: "job" }, ["/bin/sh", join(root, "command")])];
      expect(spawnSync(program, args, { cwd: "/", stdio: "ignore" }).status).toBe(7);
      expect(parseExitCode(read("rc.new"))).toBe(7);
      expect(() => read("rc")).toThrow("ENOENT");
    });

    it("records a signal as 128 + n", () => {
      run("kill -KILL $$");
      expect(parseExitCode(read("rc"))).toBe(137);
    });

    it("records a shell that does not exist as 127", () => {
      run("exit 0", { kind: "host", cgroup: "" }, ["/no/such/shell"]);
      expect(parseExitCode(read("rc"))).toBe(127);
    });

    it("measures wall time and the time of all children in /proc", () => {
      run("sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; sleep 0.05");
      const usage = parseUsage(read("usage.json"));
      expect(usage.wallCentiseconds).toBeGreaterThanOrEqual(5);
      expect(usage.cpuTicks).toBeGreaterThanOrEqual(1);
      expect(usage.peakBytes).toBeNull();
    });

    it("reads memory kills, peak and cpu time of cgroup v2", () => {
      const cgroup = join(root, "v2");
      mkdirSync(cgroup);
      writeFileSync(
        join(cgroup, "memory.events"),
        "low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 0\n",
      );
      writeFileSync(join(cgroup, "memory.peak"), "123456789\n");
      writeFileSync(join(cgroup, "cpu.stat"), "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n");
      run("exit 0", { kind: "sandbox", cgroup });
      expect(parseUsage(read("usage.json"))).toMatchObject({
        oomKills: 3,
        peakBytes: 123_456_789,
        cgroupCpuMicroseconds: 2_500_000,
      });
    });

    it("reads memory kills, peak and cpu time of cgroup v1", () => {
      const cgroup = join(root, "v1");
      mkdirSync(cgroup);
      writeFileSync(join(cgroup, "memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
      writeFileSync(join(cgroup, "memory.max_usage_in_bytes"), "67108864\n");
      writeFileSync(join(cgroup, "cpuacct.usage"), "1500000000\n");
      run("exit 0", { kind: "sandbox", cgroup });
      expect(parseUsage(read("usage.json"))).toMatchObject({
        oomKills: 1,
        peakBytes: 67_108_864,
        cgroupCpuMicroseconds: 1_500_000,
      });
    });

    it("hands on awkward words as they are", () => {
      run('printf "%s|" "$0" "$@"', { kind: "host", cgroup: "" }, ["/bin/sh", "-u"]);
      expect(read("stdout")).toBe(`${join(root, "command")}|`);
    });

    it("lets a script end its own process group without losing its exit code", () => {
      // `kill 0` reaches the wrapper, too; setsid prevents it from reaching the test.
      writeFileSync(join(root, "command"), "trap 'sleep 0.05; exit 4' TERM; kill 0; sleep 5");
      const args = wrapperArguments(root, { kind: "sandbox", cgroup: "" }, [
        "/bin/sh",
        join(root, "command"),
      ]);
      spawnSync("setsid", ["--wait", ...words, ...args], { cwd: "/", stdio: withLeash });
      expect(parseExitCode(read("rc"))).toBe(4);
    });

    it.each(["host", "sandbox"] as const)(
      "writes no exit code on a %s whose Memoir has died, however the task ends then",
      async (kind) => {
        // Memoir's process may still be there: it loses its sockets before its children can see that it has died.
        writeFileSync(join(root, "command"), "while [ ! -e go ]; do sleep 0.02; done; echo > over");
        const [program = "", ...first] = words;
        const command = ["/bin/sh", join(root, "command")];
        const args = [...first, ...wrapperArguments(root, { kind, cgroup: "" }, command)];
        const wrapper = spawn(program, args, { cwd: "/", stdio: withLeash });
        const leash = (wrapper.stdio as readonly unknown[])[9] as Socket;
        leash.destroy();
        await once(leash, "close");
        writeFileSync(join(root, "work/go"), "");
        await once(wrapper, "exit");
        expect(read("work/over")).toBe("\n");
        expect(() => read("rc")).toThrow("ENOENT");
      },
    );
  },
);
