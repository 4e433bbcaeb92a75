/** Whole workflows of every language on a real Slurm cluster, as the command line and the server run them. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { zipOf } from "../server/zip.ts";
import { describeWith } from "../servers/requirement.ts";
import { type SlurmCluster, slurmRequirement, startSlurm } from "../servers/slurm.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";

const scatter = `version 1.1
task double { input { Int n } command <<< echo $((~{n} * 2)) >>> output { Int o = read_int(stdout()) } }
task add { input { Array[Int] all } command <<< echo $((~{sep="+" all})) >>> output { Int o = read_int(stdout()) } }
workflow w {
  input { Int width }
  scatter (i in range(width)) { call double { input: n = i } }
  call add { input: all = double.o }
  output { Int sum = add.o }
}
`;
const tool = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, "cat $1 $1", "-"]
inputs: { f: { type: File, inputBinding: { position: 1 } } }
outputs: { o: { type: stdout } }
`;
const cached = 'cache = "./cache"\ncache-host-tasks = true\n';
/** Where jobs go, by the patterns of one profile. */
const profiles = `${cached}[profile.cluster]
executor = "slurm"
partition = "main"
[profile.cluster.task."add*"]
queue = "long"
`;

describeWith([slurmRequirement], "workflows on a Slurm cluster", () => {
  let cluster: SlurmCluster;
  let box: Sandbox;

  beforeAll(async () => {
    cluster = await startSlurm({ config: ["PartitionName=long Nodes=n1 MaxTime=INFINITE State=UP"] });
  });
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    box = await Sandbox.create(cluster.env);
  });
  afterEach(() => box.remove());

  /** Partition of every job whose script ran below this test's folder, by the number of jobs. */
  async function jobsByPartition(): Promise<Readonly<Record<string, number>>> {
    const listed = await cluster.ask("squeue", "-h", "-r", "-t", "all", "-o", "%i %P");
    const counts: Record<string, number> = {};
    for (const row of listed.trim().split("\n").filter(Boolean)) {
      const [, partition = ""] = row.split(" ");
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    return counts;
  }

  async function jobsOf(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
    const before = await jobsByPartition();
    await work();
    const after = await jobsByPartition();
    return Object.fromEntries(
      Object.entries(after).flatMap(([name, count]): [string, number][] => {
        const more = count - (before[name] ?? 0);
        return more === 0 ? [] : [[name, more]];
      }),
    );
  }

  it("computes a WDL scatter in jobs, single tasks in the partition that a pattern names, and then reuses it", async () => {
    await box.write("memoir.toml", profiles);
    await box.write("w.wdl", scatter);
    const run = () => box.json<RunAnswer>("run", "w.wdl", "width=6", "--profile", "cluster");
    let first: RunAnswer | undefined;
    const jobs = await jobsOf(async () => {
      first = await run();
    });
    expect(first).toMatchObject({ state: "succeeded", outputs: { "w.sum": 30 }, calls: { computed: 7 } });
    expect(jobs).toEqual({ main: 6, long: 1 });
    expect(await jobsOf(async () => expect((await run()).calls).toMatchObject({ reused: 7 }))).toEqual({});
  });

  it("never reuses what nodes of another partition computed", async () => {
    await box.write("memoir.toml", `${cached}executor = "slurm"\n`);
    await box.write("w.wdl", scatter);
    const calls = async (...words: readonly string[]) =>
      (await box.json<RunAnswer>("run", "w.wdl", "width=1", ...words)).calls;
    expect(await calls("--partition", "main")).toMatchObject({ computed: 2 });
    expect(await calls("--partition", "long")).toMatchObject({ computed: 2, reused: 0 });
    expect(await calls("--partition", "main")).toMatchObject({ computed: 0, reused: 2 });
    expect(await calls("--executor", "host")).toMatchObject({ computed: 2, reused: 0 });
  });

  it("runs a CWL tool with its input file", async () => {
    await box.write("t.cwl", tool);
    await box.write("in.txt", "word\n");
    await box.write("job.json", JSON.stringify({ f: { class: "File", path: "in.txt" } }));
    const ran = await box.json<RunAnswer>(
      "run",
      "t.cwl",
      "-i",
      "job.json",
      "--executor",
      "slurm",
      "--no-cache",
    );
    expect(await readFile(String(ran.outputs["o"]), "utf8")).toBe("word\nword\n");
  });

  it("leaves jobs to the next run when Memoir is killed, and runs each once", async () => {
    await box.write("memoir.toml", `${cached}executor = "slurm"\n`);
    await mkdir(box.path("marks"));
    const waiting = `version 1.1
task wait { input { Int n } command <<<
  echo ran >> ${box.folder}/marks/~{n}
  looks=0; while [ ! -e ${box.folder}/go ] && [ $looks -lt 12000 ]; do sleep 0.05; looks=$((looks + 1)); done
  echo ~{n}
>>> output { Int o = read_int(stdout()) } }
workflow w { scatter (i in range(3)) { call wait { input: n = i } } output { Array[Int] o = wait.o } }
`;
    await box.write("w.wdl", waiting);
    const killed = box.start("run", "w.wdl");
    await cluster.until("all tasks run", async () =>
      [0, 1, 2].every((n) => existsSync(box.path(`marks/${n}`))),
    );
    killed.process.kill("SIGKILL");
    await killed.ended;
    const next = box.json<RunAnswer>("run", "w.wdl");
    await writeFile(box.path("go"), "");
    expect(await next).toMatchObject({ state: "succeeded", outputs: { "w.o": [0, 1, 2] } });
    for (const n of [0, 1, 2]) expect(await readFile(box.path(`marks/${n}`), "utf8")).toBe("ran\n");
  });

  async function withServer(
    work: (ask: (path: string, body?: object) => Promise<Readonly<Record<string, string>>>) => Promise<void>,
  ): Promise<void> {
    const server = box.start("server", "--port", "0", "--profile", "cluster", "--cache-host-tasks");
    try {
      let url = "";
      await cluster.until("the server listens", async () => {
        url = /listening on (http:\S+)/.exec(server.err())?.[1] ?? "";
        return url !== "" || server.process.exitCode !== null;
      });
      await work(async (path, body) => {
        const headers = { "content-type": "application/json" };
        const more = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
        const response = await fetch(url + path, more);
        return (await response.json()) as Readonly<Record<string, string>>;
      });
    } finally {
      server.process.kill("SIGTERM");
      await server.ended;
    }
  }

  async function startRun(
    ask: (path: string, body?: object) => Promise<Readonly<Record<string, string>>>,
    source: string,
    { main = "main.wdl", ...more }: { readonly main?: string } & Readonly<Record<string, unknown>>,
  ): Promise<() => Promise<void>> {
    const definitionZip = zipOf({ [main]: source }).toString("base64");
    const { id: workflowId } = await ask("/workflow", {
      definitionZip,
      requestId: randomUUID(),
    });
    const order = { workflowId, roleArn: "arn:aws:iam::000000000000:role/r", requestId: randomUUID() };
    const { id } = await ask("/run", { ...order, outputUri: `file://${box.folder}/out`, ...more });
    return () =>
      cluster.until("the run has ended", async () => {
        const { status = "", statusMessage } = await ask(`/run/${id}`);
        if (status === "FAILED") throw new Error(`the run failed: ${statusMessage}`);
        return status === "COMPLETED";
      });
  }

  it("computes the runs of a server with --profile", async () => {
    await box.write("memoir.toml", profiles);
    await withServer(async (ask) => {
      const jobs = await jobsOf(async () => (await startRun(ask, scatter, { parameters: { width: 2 } }))());
      expect(jobs).toEqual({ main: 2, long: 1 });
    });
  });

  it("computes Nextflow of a server with --profile, with no clusterOptions but those that it allows", async () => {
    await box.write(
      "memoir.toml",
      profiles.replace("[profile", 'allow-cluster-options = "--comment=*"\n[profile'),
    );
    const pipeline = (options: string) => `process add {
  clusterOptions '${options}'
  publishDir '/mnt/workflow/pubdir'
  output: path 'ran.txt'
  script: 'echo ran > ran.txt'
}
workflow { add() }
`;
    await withServer(async (ask) => {
      const run = async (options: string) =>
        (await startRun(ask, pipeline(options), { main: "main.nf", parameters: {} }))();
      const jobs = await jobsOf(() => run('--comment="of a pipeline"'));
      expect(jobs).toEqual({ long: 1 });
      const [id = ""] = await readdir(box.path("out"));
      expect(await readFile(box.path(`out/${id}/pubdir/ran.txt`), "utf8")).toBe("ran\n");
      expect(await cluster.ask("squeue", "-h", "-t", "all", "-o", "%k")).toContain("of a pipeline");
      const refused = ["--comment=x /etc/passwd", "--uid=0", "-w n1", "--comm=x"];
      for (const options of refused)
        expect(await jobsOf(() => expect(run(options)).rejects.toThrow("is refused here"))).toEqual({});
    });
  });

  it("keeps the jobs of a run group within its limits", async () => {
    await box.write("memoir.toml", profiles);
    const waiting = `version 1.1
task wait { input { Int n } command <<<
  echo > ${box.folder}/marks/~{n}
  looks=0; while [ ! -e ${box.folder}/go ] && [ $looks -lt 12000 ]; do sleep 0.05; looks=$((looks + 1)); done
>>> output { Int o = n } }
workflow w { scatter (i in range(4)) { call wait { input: n = i } } output { Array[Int] o = wait.o } }
`;
    await mkdir(box.path("marks"));
    const running = async () => (await cluster.ask("squeue", "-h", "-r", "-o", "%i")).trim().split("\n");
    await withServer(async (ask) => {
      const { id: runGroupId } = await ask("/runGroup", { name: "g", maxCpus: 2, requestId: "g" });
      const ended = await startRun(ask, waiting, { runGroupId, parameters: {} });
      await cluster.until("two tasks run", async () => (await readdir(box.path("marks"))).length === 2);
      expect(await running()).toHaveLength(2);
      await writeFile(box.path("go"), "");
      await ended();
      expect(await readdir(box.path("marks"))).toHaveLength(4);
    });
  });
});
