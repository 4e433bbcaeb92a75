import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk, pause } from "../../kernel/index.ts";
import { runScript, wrapperArguments } from "../core/index.ts";
import { arrayScript } from "./job-script.ts";
import { writeSubmission } from "./submission.ts";

/** Shells that nodes have as /bin/sh; one that is not on this machine is left to the others. */
const shells = [["dash"], ["bash"], ["busybox", "sh"]].filter(
  ([name = ""]) => spawnSync(name, ["-c", ":"]).error === undefined,
);

describe.each(shells.map((words) => ({ name: words.join(" "), words })))(
  "a job's script in $name",
  ({ words }) => {
    let root: string;
    let directory: string;

    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), "memoir-job-"));
      directory = join(root, "it's one");
      mkdirSync(join(directory, "work"), { recursive: true });
    });
    afterEach(() => rmSync(root, { recursive: true, force: true }));

    function start(
      script: string,
      more: { timeoutMs?: number; env?: Record<string, string>; name?: string } = {},
    ) {
      writeFileSync(join(directory, "command"), script);
      writeSubmission(directory, { name: "job-a", element: undefined, log: "" });
      const wrapper = wrapperArguments(directory, { kind: "job" }, ["/bin/sh", join(directory, "command")]);
      const env = { PATH: "/usr/bin:/bin", GIVEN: "a 'b'\n" };
      writeFileSync(join(directory, "job/run"), runScript(env, ["/bin/sh", ...wrapper]));
      const elements = [
        { directory: join(root, "another"), timeoutMs: undefined },
        { directory, timeoutMs: more.timeoutMs },
      ];
      const text = arrayScript({ name: more.name ?? "job-a", elements, graceMs: 300 });
      writeFileSync(join(root, "script"), text);
      const [program = "", ...first] = words;
      return spawn(program, [...first, join(root, "script")], {
        stdio: "ignore",
        env: { PATH: "/usr/bin:/bin", SECRET: "seen", SLURM_ARRAY_TASK_ID: "1", ...more.env },
      });
    }
    async function run(...given: Parameters<typeof start>): Promise<number> {
      const [code] = await once(start(...given), "exit");
      return code;
    }
    const read = (name: string) => readFileSync(join(directory, name), "utf8");

    it("publishes the exit code last, and gives the task the declared environment only", async () => {
      expect(await run('printf "[%s]" "$GIVEN"; env | grep -c SECRET; exit 7')).toBe(0);
      expect(read("rc")).toBe("7\n");
      expect(read("stdout")).toBe("[a 'b'\n]0\n");
      expect(readdirSync(directory)).not.toContain("rc.new");
    });

    it("ends what the task left running before its exit code is there", async () => {
      const mark = `9${process.pid}.25`;
      await run(`sleep ${mark} & exit 0`);
      expect(read("rc")).toBe("0\n");
      expect(commandLines().filter((line) => line.includes(mark))).toEqual([]);
    });

    it("gives a task that kills all of its processes the exit code of that", async () => {
      await run("kill -KILL 0");
      expect(read("rc")).toBe("137\n");
    });

    it("gives no exit code to a task that was ended from outside, however it ended", async () => {
      const job = start("trap 'echo > cleaned; exit 0' TERM; echo > ready; while :; do sleep 0.05; done");
      const ended = once(job, "exit");
      await appears(join(directory, "work/ready"));
      job.kill("SIGTERM");
      await ended;
      expect(existsSync(join(directory, "rc"))).toBe(false);
      expect(read("job/end")).toBe("outside\n");
      expect(existsSync(join(directory, "work/cleaned"))).toBe(true);
    });

    it("kills what ignores the request to end", async () => {
      const job = start("trap '' TERM; echo > ready; while :; do sleep 0.05; done");
      const ended = once(job, "exit");
      await appears(join(directory, "work/ready"));
      job.kill("SIGTERM");
      await ended;
      expect(read("job/end")).toBe("outside\n");
    });

    it("ends a task whose time is up", async () => {
      expect(await run("trap 'exit 0' TERM; while :; do sleep 0.05; done", { timeoutMs: 300 })).toBe(1);
      expect(read("job/end")).toBe("timed-out\n");
      expect(existsSync(join(directory, "rc"))).toBe(false);
    });

    it("runs an attempt once, whatever is started again", async () => {
      await run("echo ran >> ../count; exit 3");
      rmSync(join(directory, "rc"));
      expect(await run("echo ran >> ../count; exit 3")).toBe(0);
      expect(read("count")).toBe("ran\n");
      expect(existsSync(join(directory, "rc"))).toBe(false);
    });

    it("leaves an attempt alone that counts on another submission", async () => {
      expect(await run("exit 3", { name: "job-b" })).toBe(0);
      expect(readdirSync(directory).sort()).toEqual(["command", "job", "work"]);
    });
  },
);

function commandLines(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return ""; // ended meanwhile
      }
    });
}

async function appears(path: string): Promise<void> {
  while (!existsSync(path)) await pause(20, freshAsk());
}
