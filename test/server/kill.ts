/** The real `memoir server` is killed again and again while runs are submitted; in the end nothing is lost or doubled. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLedger, type RunRecord, type TaskRecord } from "../../src/ledger/index.ts";
import { memoirProgram, Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { zipOf } from "./zip.ts";

const account = "000000000000";

const wdl = `version 1.1
task first {
  input {
    Int n
  }
  command <<<
    echo "first ~{n}" > out.txt
  >>>
  output {
    File out = "out.txt"
  }
}
task second {
  input {
    File part
  }
  command <<<
    cat ~{part} > out.txt; echo second >> out.txt
  >>>
  output {
    File out = "out.txt"
  }
}
workflow pair {
  input {
    Int n
  }
  call first {
    input:
      n = n
  }
  call second {
    input:
      part = first.out
  }
  output {
    File out = second.out
  }
}
`;

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}

export function describeKilledServer(kills: number): void {
  describe(`a server that is killed ${kills} times`, () => {
    let sandbox: Sandbox;
    let server: Server | undefined;

    beforeAll(async () => {
      sandbox = await Sandbox.create();
    });
    afterAll(() => {
      server?.child.kill("SIGKILL");
      sandbox.remove();
    });

    async function start(): Promise<Server> {
      const words = ["server", "--port", "0", "--executor", "host", "--cache-host-tasks", "--max-runs", "4"];
      const child = spawn(process.execPath, [memoirProgram, ...words], {
        cwd: sandbox.folder,
        env: sandbox.env(),
        stdio: ["ignore", "ignore", "pipe"],
      });
      const url = await new Promise<string>((resolve, reject) => {
        let said = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          const found = /listening on (http:\S+)/.exec(said)?.[1];
          if (found !== undefined) resolve(found);
        });
        child.on("close", () => reject(new Error(`the server ended before it listened:\n${said}`)));
      });
      return { child, url };
    }

    async function kill({ child }: Server): Promise<void> {
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGKILL");
      await closed;
    }

    async function statusOf(at: Server, run: string | undefined): Promise<string | undefined> {
      const response = await fetch(`${at.url}/run/${run}`);
      return ((await response.json()) as Answer["body"])["status"];
    }

    /** undefined when the server was killed before it answered. */
    async function send(at: Server, path: string, body: object): Promise<Answer | undefined> {
      try {
        const headers = { "content-type": "application/json" };
        const response = await fetch(at.url + path, { method: "POST", headers, body: JSON.stringify(body) });
        return { status: response.status, body: (await response.json()) as Answer["body"] };
      } catch {
        return undefined;
      }
    }

    it("loses no run, computes no call twice in its records, and agrees with its cache", {
      timeout: 4 * limitMs,
    }, async () => {
      server = await start();
      const place = `file://${sandbox.folder}`;
      const cache = await send(server, "/runCache", {
        cacheS3Location: `${place}/cache`,
        cacheBehavior: "CACHE_ALWAYS",
        requestId: "cache",
      });
      const workflow = await send(server, "/workflow", {
        definitionZip: zipOf({ "main.wdl": wdl }).toString("base64"),
        requestId: "workflow",
      });
      const runOf = (n: number) => ({
        workflowId: workflow?.body["id"],
        cacheId: cache?.body["id"],
        roleArn: `arn:aws:iam::${account}:role/r`,
        outputUri: `${place}/out`,
        parameters: { n },
        requestId: `run-${n}`,
      });

      const answered = new Map<number, string>();
      let random = 12345;
      const next = () => {
        random = (random * 1103515245 + 12345) % 2 ** 31;
        return random / 2 ** 31;
      };
      let wanted = 0;
      for (let round = 0; round < kills; round++) {
        // Requests whose answer was lost are repeated as clients repeat them: with the same id.
        const unanswered = Array.from({ length: wanted }, (_, n) => n).filter((n) => !answered.has(n));
        const at = server;
        const sending = [...unanswered, wanted++].map(async (n) => {
          const answer = await send(at, "/run", runOf(n));
          if (answer === undefined) return;
          expect(answer.status, JSON.stringify(answer.body)).toBe(201);
          expect(answered.get(n) ?? answer.body["id"]).toBe(answer.body["id"]);
          answered.set(n, answer.body["id"] ?? "");
        });
        // Anywhere between a request that has hardly arrived and, every other time, a run in full swing.
        if (round % 2 === 1) {
          await Promise.all(sending);
          await expect.poll(() => statusOf(at, answered.get(wanted - 1))).not.toBe("PENDING");
        }
        await new Promise((resolve) => setTimeout(resolve, next() * (round % 2 === 1 ? 100 : 300)));
        await kill(server);
        await Promise.all(sending);
        server = await start();
      }
      for (let n = 0; n < wanted; n++) {
        const answer = await send(server, "/run", runOf(n));
        expect(answer?.body["id"]).toBe(answered.get(n) ?? answer?.body["id"]);
      }

      const ledger = await openLedger(`${sandbox.home}/server/ledger.db`);
      try {
        const all = () => ledger.runs.all(account);
        await expect
          .poll(() => all().filter((run) => !isEnded(run)).length, { interval: 100, timeout: limitMs })
          .toBe(0);
        const runs = all();
        expect(runs.map((run) => JSON.parse(run.parameters).n).sort((a, b) => a - b)).toEqual(
          Array.from({ length: wanted }, (_, n) => n),
        );
        expect(
          runs.filter((run) => run.status !== "COMPLETED").map(({ statusMessage }) => statusMessage),
        ).toEqual([]);
        const tasks = ledger.tasks.all(account);
        for (const run of runs) {
          const mine = tasks.filter((task) => task.runId === run.id && task.status === "COMPLETED");
          expect(mine.map((task) => task.name).sort(), `run ${run.id}`).toEqual(["first", "second"]);
          expect(existsSync(fileURLToPath(`${run.runOutputUri}/logs/outputs.json`))).toBe(true);
        }
        expect(doubled(tasks)).toEqual([]);
        const lost = tasks.filter((task) => task.status === "COMPLETED" && !isInCache(task));
        expect(lost.map((task) => [task.name, task.cacheUri])).toEqual([]);
        // The kills hit: many runs were in progress and were resumed.
        const logs = await Promise.all(
          runs.map((run) => ledger.logs.read(account, `run/${run.id}`, { limit: 1000 })),
        );
        const takenUp = logs.filter((log) =>
          log?.lines.some((line) => line.message.includes("resumed after a restart")),
        );
        expect(takenUp.length).toBeGreaterThanOrEqual(Math.ceil(kills / 10));
        expect(tasks.filter((task) => !["COMPLETED", "CANCELLED"].includes(task.status))).toEqual([]);
      } finally {
        ledger.close();
      }
    });
  });
}

/** Every run has different parameters, so that each of its calls has a different key. */
function doubled(tasks: readonly TaskRecord[]): readonly string[] {
  const computed = tasks
    .filter((task) => task.status === "COMPLETED" && !task.cacheHit)
    .map((task) => `${task.runId} ${task.callPath}`);
  return computed.filter((call, at) => computed.indexOf(call) !== at);
}

function isInCache(task: TaskRecord): boolean {
  return task.cacheUri !== undefined && existsSync(fileURLToPath(`${task.cacheUri}.json`));
}

function isEnded(run: RunRecord): boolean {
  return ["COMPLETED", "FAILED", "CANCELLED"].includes(run.status);
}
