/** What is counted over many runs: savings, advice, findings of rechecks, budgets; and what is posted when a run ends. */
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { Sandbox } from "./memoir.ts";

const wdl = `version 1.1
task cheap {
  input { String name }
  command <<< head -c 200000 /dev/zero | tr '\\0' '~{name}' > big.txt >>>
  output { File big = "big.txt" }
}
task dear {
  input { String name }
  command <<< sleep 0.3; date +%N > now.txt; echo ~{name} > named.txt >>>
  output { File now = "now.txt"  File named = "named.txt" }
  runtime { cpu: 2 memory: "1 GB" }
}
workflow work {
  input { String name }
  call cheap { input: name }
  call dear { input: name }
}
`;

type Body = Readonly<Record<string, unknown>>;
type Rows = readonly Body[];

describe("a home with a history", () => {
  let sandbox: Sandbox;
  const memoir = async (...words: readonly string[]): Promise<Body> => {
    const { code, out, err } = await sandbox.run(...words, "--json");
    expect(code, err).toBe(0);
    return JSON.parse(out) as Body;
  };
  const run = (name: string, ...more: readonly string[]) =>
    memoir(
      "run",
      "work.wdl",
      `name=${name}`,
      "--executor",
      "host",
      "--cache-host-tasks",
      "--cache",
      "lab",
      ...more,
    );

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.write("work.wdl", wdl);
    await memoir("cache", "create", "lab", "--location", sandbox.path("lab"));
    for (const name of ["a", "b", "c", "a", "a"]) await run(name);
  }, 4 * limitMs);

  it("savings are what computing had taken, by workflow and by task, and money with prices", async () => {
    const { rows, total } = await memoir("savings");
    expect(rows).toMatchObject([{ name: "work", reused: 4, computed: 6 }]);
    expect(total).not.toHaveProperty("money");
    expect(Number((total as Body)["bytes"])).toBeGreaterThan(400_000);
    const byTask = (await memoir("savings", "--by", "task", "--cpu-price", "3600", "--memory-price", "0"))[
      "rows"
    ] as Rows;
    expect(byTask.map(({ name }) => name)).toEqual(["dear", "cheap"]);
    const [dear] = byTask;
    expect(Number(dear?.["wallSeconds"])).toBeGreaterThan(0.5);
    // A price of 3600 for an hour is 1 for a second, and the task asks for two cpus.
    expect(dear?.["money"]).toBeCloseTo(2 * Number(dear?.["wallSeconds"]), 6);
    expect((await memoir("savings", "--since", "1h"))["rows"]).toHaveLength(1);
    expect((await memoir("savings", "--by", "account"))["rows"]).toMatchObject([{ name: "command line" }]);
    expect((await sandbox.run("savings", "--cpu-price", "-1")).code).toBe(2);
    expect((await sandbox.run("savings")).out).toMatch(/total +4 reused +6 computed/);
  });

  it("advice compares what was asked with what was used", async () => {
    const { tasks, runs } = await memoir("advise", "work");
    expect(runs).toBe(5);
    const dear = (tasks as Rows).find(({ task }) => task === "dear");
    expect(dear).toMatchObject({
      attempts: 3,
      asked: { cpu: 2, memoryBytes: 1_000_000_000 },
      suggested: { cpu: 1 },
    });
    expect(dear?.["wallSeconds"]).toMatchObject({ count: 3 });
    expect((await memoir("advise", "work.wdl"))["runs"]).toBe(5);
    expect((await sandbox.run("advise", "unknown")).err).toContain(
      "no run of it is left; there are runs of work",
    );
    expect((await sandbox.run("advise", "wrok")).err).toContain("did you mean work?");
    expect((await sandbox.run("advise", "work")).out).toContain("cpu: asked 2");
  });

  it("findings of rechecks outlive their run, with the first line that differs", async () => {
    const { run: id } = await run("a", "--recheck", "100%");
    await memoir("runs", "delete", String(id));
    const { tasks } = await memoir("cache", "rechecks", "lab");
    expect(tasks).toMatchObject([
      { task: "dear", same: 0, differs: 1, outputs: { now: 1 } },
      { task: "cheap", same: 1, differs: 0 },
    ]);
    expect((tasks as Rows)[0]?.["last"]).toMatchObject({
      differences: [{ output: "now", kind: "line", line: 1 }],
    });
    const { entries } = await memoir("cache", "entries", "lab");
    for (const { task, differs } of entries as Rows)
      expect([task, differs === true]).toEqual([task, task === "dear"]);
    expect((await sandbox.run("cache", "rechecks", "lab")).out).toContain("dear: now line 1:");
  });

  it("tasks that differ are marked in the cache, and computed each time where they are excluded", async () => {
    await run("a", "--recheck", "100%");
    const { run: computed } = await run("a", "--exclude-unstable");
    const { rows } = await memoir("runs", "show", String(computed));
    expect((rows as Rows).map(({ task, state }) => [task, state]).sort()).toEqual([
      ["cheap", "reused"],
      ["dear", "computed"],
    ]);
    // Nothing of it is recorded: runs without the flag get what they got before.
    expect(await run("a")).toMatchObject({ calls: { reused: 2, computed: 0 } });
    expect((await memoir("cache", "update", "lab", "--exclude-unstable", "yes"))["policies"]).toMatchObject({
      excludeUnstable: true,
    });
    expect(await run("a")).toMatchObject({ calls: { reused: 1, computed: 1 } });
    // Whoever shares the cache sees the mark, with another home as well.
    const other = sandbox.with({ MEMOIR_HOME: sandbox.path("other-home") });
    const shared = await other.json<{ readonly tasks: Rows }>("cache", "rechecks", sandbox.path("lab"));
    expect(shared.tasks).toMatchObject([{ task: "dear", differs: 1, isMarked: true }]);
    await memoir("cache", "rechecks", "lab", "--forget", "dear");
    expect(await run("a")).toMatchObject({ calls: { reused: 2, computed: 0 } });
    expect((await sandbox.run("cache", "rechecks", "lab", "--forget", "dear")).err).toContain("it has none");
    await memoir("cache", "update", "lab", "--exclude-unstable", "no");
  });

  it.each([
    [
      "CWL",
      "unstable.cwl",
      "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: [date, '+%N']\ninputs: []\noutputs: {now: stdout}\n",
    ],
    [
      "Nextflow",
      "unstable.nf",
      "process NOW { output: path 'now.txt'\nscript: 'date +%N > now.txt' }\nworkflow { NOW() }\n",
    ],
  ])("tasks of %s that differ are excluded as well", async (_, file, text) => {
    await sandbox.write(file, text);
    const words = [
      "run",
      file,
      "--executor",
      "host",
      "--cache-host-tasks",
      "--cache",
      sandbox.path(`of-${file}`),
    ];
    await memoir(...words);
    expect(await memoir(...words, "--recheck", "100%")).toMatchObject({ calls: { reused: 1 } });
    expect(await memoir(...words)).toMatchObject({ calls: { reused: 1, computed: 0 } });
    expect(await memoir(...words, "--exclude-unstable")).toMatchObject({ calls: { reused: 0, computed: 1 } });
  });

  it("by cost, what is cheap to compute again for its size goes first", async () => {
    const prune = (...more: readonly string[]) =>
      memoir("cache", "prune", "lab", "--budget", "300K", ...more);
    const removed = async (...more: readonly string[]) =>
      ((((await prune(...more))["plan"] as Body)["remove"] as Rows) ?? []).map(({ taskName }) => taskName);
    expect(await removed("--policy", "cost")).toEqual(["cheap", "cheap"]);
    const byUse = await removed("--dry-run");
    expect((await sandbox.run("cache", "prune", "lab", "--orphans", "--dry-run", "--yes")).code).toBe(2);
    expect(byUse.length).toBeGreaterThan(2);
    expect((await sandbox.run("cache", "prune", "lab", "--policy", "cost", "--older-than", "1d")).code).toBe(
      2,
    );
  });

  it("a cache with a budget is kept within it by the runs that use it", async () => {
    expect(await memoir("cache", "update", "lab", "--budget", "300K")).toMatchObject({
      budgetBytes: 307_200,
    });
    expect((await sandbox.run("cache", "show", "lab")).out).toContain("budget: 300 KiB");
    await run("d");
    const { byTask } = (await memoir("cache", "du", "lab")) as {
      readonly byTask: Readonly<Record<string, Body>>;
    };
    expect(byTask["cheap"]).toMatchObject({ entries: 1 });
    expect(byTask["dear"]).toMatchObject({ entries: 4 });
    expect(await memoir("cache", "update", "lab", "--budget", "0")).not.toHaveProperty("budgetBytes");
    await run("e");
    expect((await memoir("cache", "du", "lab"))["entries"]).toBe(7);
  });

  it(
    "the end of a run is posted, and a receiver that fails changes nothing",
    async () => {
      const seen: Body[] = [];
      let status = 204;
      const receiver = createServer((request, response) => {
        let text = "";
        request.on("data", (chunk) => {
          text += String(chunk);
        });
        request.on("end", () => {
          seen.push({ type: request.headers["content-type"], ...(JSON.parse(text) as Body) });
          response.writeHead(status).end();
        });
      });
      await new Promise<void>((resolve) => {
        receiver.listen(0, "127.0.0.1", resolve);
      });
      try {
        const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
        const { run: id } = await run("a", "--notify", url);
        expect(seen).toMatchObject([
          { type: "application/json", kind: "run.ended", run: id, state: "succeeded", calls: { failed: 0 } },
        ]);
        status = 500;
        const refused = await sandbox.run("run", "work.wdl", "name=a", "--executor", "host", "--notify", url);
        expect(refused.code).toBe(0);
        // It is tried three times, and what the address has in its path is not shown.
        expect(seen).toHaveLength(4);
        expect(refused.err).toContain("answered 500");
        expect(refused.err).not.toContain("/hook");
        status = 204;
        await sandbox.write("two.csv", "smiles\nCCO\nCCN\n");
        await memoir(
          ...["run", "--model", "eos3b5e", "-i", "two.csv", "-o", "out.csv", "--cache-only", "--notify", url],
        );
        expect(seen.at(-1)).toMatchObject({
          ...{ kind: "run.ended", model: "eos3b5e", release: "v1.0.0", state: "succeeded" },
          rows: { computed: 2 },
        });
        await memoir(
          ...["run", "--models", "eos3b5e,rdkit-descriptors", "-i", "two.csv", "-o", "both.csv"],
          ...["--notify", url],
        );
        expect(seen.at(-1)).toMatchObject({
          ...{ kind: "run.ended", model: "eos3b5e,rdkit-descriptors", state: "succeeded" },
          rows: { eos3b5e: { reusedLocal: 2 }, "rdkit-descriptors": { computed: 2 } },
        });
        await sandbox.write("broken.nf", "workflow { error 'on purpose' }\n");
        expect((await sandbox.run("run", "broken.nf", "--executor", "host", "--notify", url)).code).toBe(1);
        expect(seen.at(-1)).toMatchObject({ kind: "run.ended", state: "failed" });
        await sandbox.write("say.nf", "process SAY { script: 'echo hi' }\nworkflow { SAY() }\n");
        const said = await sandbox.run("nextflow", "run", "say.nf", "-ansi-log", "false", "-notify", url);
        expect(said.code, said.err).toBe(0);
        expect(seen.at(-1)).toMatchObject({ state: "succeeded", workflow: "say", calls: { computed: 1 } });
        await sandbox.write(
          "tool.cwl",
          "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: [echo, hi]\ninputs: []\noutputs: []\n",
        );
        const ran = await sandbox.run("cwl-runner", "--no-container", "--notify", url, "tool.cwl");
        expect(ran.code, ran.err).toBe(0);
        expect(seen.at(-1)).toMatchObject({ state: "succeeded", workflow: "tool", calls: { computed: 1 } });
      } finally {
        receiver.close();
      }
      expect(
        (await sandbox.run("run", "work.wdl", "name=a", "--executor", "host", "--notify", "nothing")).code,
      ).toBe(2);
    },
    2 * limitMs,
  );

  it("without runs there is nothing to count", async () => {
    await rm(join(sandbox.home, "runs"), { recursive: true });
    expect((await memoir("savings"))["rows"]).toEqual([]);
  });
});

it(
  "by model, each reused row saves the mean time of a computed one",
  async () => {
    const sandbox = await Sandbox.create();
    await sandbox.write("in.csv", "smiles\nCCO\nCCC\n");
    for (let runs = 0; runs < 2; runs++) {
      const { code, err } = await sandbox.run(
        "run",
        "--model",
        "eos3b5e",
        "-i",
        "in.csv",
        "-o",
        `out-${runs}.csv`,
      );
      expect(code, err).toBe(0);
    }
    const { code, out, err } = await sandbox.run("savings", "--by", "model", "--json");
    expect(code, err).toBe(0);
    const [row] = (JSON.parse(out) as { readonly rows: Rows }).rows;
    expect(row).toMatchObject({ reused: 2, computed: 2 });
    expect(String(row?.["name"])).toMatch(/^eos3b5e /);
    expect(Number(row?.["wallSeconds"])).toBeGreaterThan(0);
  },
  2 * limitMs,
);
