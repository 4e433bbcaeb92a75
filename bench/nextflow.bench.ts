/**
 * Nextflow: the start of hello up to its first task against `node -e 0`; tasks and warm runs of tasks against the same
 * in WDL; operators of channels against a plain loop that calls the same closure; and parse and check of nf-core/rnaseq
 * against a Node process that reads its files. Processor time is that of the whole process tree where nothing else is
 * named. Runs the built command line (`npm run build` first). NEXTFLOW_BENCH_TASKS (1000), NEXTFLOW_BENCH_WARM (10000),
 * NEXTFLOW_BENCH_ITEMS (1000000) and BENCH_ROUNDS (3) change the sizes; NEXTFLOW_BENCH_RNASEQ names a checkout of
 * https://github.com/nf-core/rnaseq; arguments choose parts: start, tasks, resume, operators, rnaseq.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Channel } from "../src/lang/nextflow/channels/channel.ts";
import { Network } from "../src/lang/nextflow/channels/network.ts";
import { operators } from "../src/lang/nextflow/channels/operators/registry.ts";
import { evaluate } from "../src/lang/nextflow/eval/testing/evaluate-text.ts";
import { timeLimit } from "../src/lang/nextflow/eval/time-limit.ts";
import type { Outside } from "../src/lang/nextflow/stdlib/outside.ts";
import { Closure } from "../src/lang/nextflow/values/closure.ts";
import { isList, type List, type Value } from "../src/lang/nextflow/values/thing.ts";

const tasks = Number(process.env["NEXTFLOW_BENCH_TASKS"] ?? 1_000);
const warmTasks = Number(process.env["NEXTFLOW_BENCH_WARM"] ?? 10_000);
const items = Number(process.env["NEXTFLOW_BENCH_ITEMS"] ?? 1_000_000);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const chosen = (process.env["NEXTFLOW_BENCH_PARTS"] ?? "start,tasks,resume,operators,rnaseq").split(",");
const memoir = join(process.cwd(), "dist", "memoir.js");

if (!existsSync(memoir)) throw new Error("dist/memoir.js is missing: npm run build");

const folder = mkdtempSync(join(tmpdir(), "memoir-nextflow-bench-"));
const env = { ...process.env, MEMOIR_HOME: join(folder, "home"), NXF_ANSI_LOG: "false" };

write(
  "many.nf",
  `process one {
  input: val i
  output: path 'out.txt'
  script: "echo $i > out.txt"
}
workflow { one(channel.of(1..(params.n as int))) }
`,
);
write(
  "many.wdl",
  `version 1.1
task one {
  input { Int i }
  command <<< echo ~{i} > out.txt >>>
  output { File out = "out.txt" }
}
workflow many {
  input { Int n }
  scatter (i in range(n)) { call one { input: i = i } }
  output { Array[File] outs = one.out }
}
`,
);

interface Cost {
  readonly wall: number;
  /** Seconds of processor time, user and system, of the process and all its children. */
  readonly cpu: number;
  /** MiB; 0: GNU time is not installed. */
  readonly memory: number;
}

/** Up to the moment at which the first task writes the time. */
function firstTask(): void {
  write(
    "hello.nf",
    `process sayHello {
  input: val x
  output: stdout
  script: """
  date +%s%N > ${folder}/began-\${params.round}
  echo '$x world!'
  """
}
workflow { channel.of('Hello') | sayHello | view }
`,
  );
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < 7 * rounds; round++) {
    const from = Date.now();
    run(["nextflow", "-q", "run", "hello.nf", "--round", String(round)]);
    ours.push(Number(readFileSync(join(folder, `began-${round}`), "utf8")) / 1e6 - from);
    const started = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    bare.push(performance.now() - started);
  }
  report("Nextflow, hello up to its first task, against node -e 0", {
    ours: median(ours),
    peer: median(bare),
    unit: "ms",
    goal: "<= 3",
  });
}

function taskCost(): void {
  const cost = { nf: [] as number[], wdl: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const how of ["nf", "wdl"] as const) {
      const empty = cold(how, 1, `${how}-1-${round}`);
      cost[how].push(((cold(how, tasks, `${how}-${tasks}-${round}`).cpu - empty.cpu) / (tasks - 1)) * 1000);
    }
  }
  report(`Nextflow, a task beyond the start, cold, against a WDL task (CPU)`, {
    ours: median(cost.nf),
    peer: median(cost.wdl),
    unit: "ms",
    goal: "<= 1.3",
  });
}

function cold(how: "nf" | "wdl", n: number, cache: string): Cost {
  const common = ["--executor", "host", "--cache-host-tasks", "--cache", join(folder, cache)];
  return how === "nf"
    ? run(["run", "many.nf", "--n", String(n), ...common])
    : run(["run", "many.wdl", `n=${n}`, ...common, "--json"]);
}

/** Nextflow's `-resume` in a launch folder of its own, against the warm run of WDL. */
function resume(): void {
  const launch = join(folder, "launch");
  mkdirSync(launch);
  const words = ["nextflow", "-q", "run", "../many.nf", "--n", String(warmTasks)];
  run(words, launch);
  cold("wdl", warmTasks, "warm-wdl");
  cold("nf", warmTasks, "warm-nf");
  const ours: Cost[] = [];
  const cached: Cost[] = [];
  const wdl: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(run([...words, "-resume"], launch));
    wdl.push(cold("wdl", warmTasks, "warm-wdl"));
    cached.push(cold("nf", warmTasks, "warm-nf"));
  }
  const of = (costs: readonly Cost[], kind: keyof Cost) => median(costs.map((each) => each[kind]));
  for (const kind of ["cpu", "wall"] as const) {
    const clock = kind === "cpu" ? "CPU" : "wall";
    report(`Nextflow, -resume of ${warmTasks} tasks, against WDL's warm run (${clock})`, {
      ours: of(ours, kind),
      peer: of(wdl, kind),
      unit: "s",
      goal: "<= 1.5",
    });
    report(`Nextflow, memoir run of ${warmTasks} tasks, warm, against WDL's (${clock})`, {
      ours: of(cached, kind),
      peer: of(wdl, kind),
      unit: "s",
      goal: "<= 1.5",
    });
  }
  report(`Nextflow, -resume of ${warmTasks} tasks, peak memory against 300 MB`, {
    ours: of(ours, "memory"),
    peer: 286,
    unit: "MiB",
    goal: "<= 1",
  });
}

// --- operators

interface Case {
  readonly name: string;
  /** What the loop calls for each item, and the operator where it takes one. */
  readonly closure: string;
  readonly item: (index: number) => Value;
  readonly build: (source: Channel, closure: Closure, other: () => Channel) => Channel;
  /** Of these the operator takes as many as `items`. */
  readonly sources: 1 | 2;
}

const tuple = (index: number): Value => [`sample${index % 1000}`, index];

const cases: readonly Case[] = [
  {
    name: "map",
    closure: "{ it + 1 }",
    item: (index) => index,
    build: (source, closure) => operated(source, "map", [closure]),
    sources: 1,
  },
  {
    name: "filter",
    closure: "{ it % 2 == 0 }",
    item: (index) => index,
    build: (source, closure) => operated(source, "filter", [closure]),
    sources: 1,
  },
  {
    name: "mix",
    closure: "{ it }",
    item: (index) => index,
    build: (source, _, other) => operated(source, "mix", [other()]),
    sources: 2,
  },
  {
    name: "groupTuple",
    closure: "{ key, value -> value }",
    item: tuple,
    build: (source) => operated(source, "groupTuple", []),
    sources: 1,
  },
  {
    name: "join",
    closure: "{ key, value -> value }",
    item: (index) => [`sample${index}`, index],
    build: (source, _, other) => operated(source, "join", [other()]),
    sources: 2,
  },
];

try {
  if (chosen.includes("start")) firstTask();
  if (chosen.includes("tasks")) taskCost();
  if (chosen.includes("resume")) resume();
  if (chosen.includes("operators")) await channelOperators();
  if (chosen.includes("rnaseq")) rnaseq(process.env["NEXTFLOW_BENCH_RNASEQ"]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Rates of items: how many of them an operator, and a loop over the same items, deals with in a second of CPU. */
async function channelOperators(): Promise<void> {
  for (const each of cases) {
    const count = Math.ceil(items / each.sources);
    const lists = Array.from({ length: each.sources }, () =>
      Array.from({ length: count }, (_, i) => each.item(i)),
    );
    const rates = { ours: [] as number[], loop: [] as number[] };
    for (let round = 0; round <= rounds; round++) {
      const closure = evaluate(`return ${each.closure}`);
      if (!(closure instanceof Closure)) throw new Error("not a closure");
      globalThis.gc?.();
      const loop = cpuOf(() => {
        for (const list of lists) for (const value of list) closure.call([value]);
      });
      globalThis.gc?.();
      const before = process.cpuUsage();
      await operatorRun(each, closure, lists);
      const { user, system } = process.cpuUsage(before);
      if (round === 0) continue;
      rates.loop.push(items / loop);
      rates.ours.push(items / ((user + system) / 1e6));
    }
    report(`Nextflow, ${each.name} over ${items} items, against a loop that calls the same closure (CPU)`, {
      ours: Math.round(median(rates.ours)),
      peer: Math.round(median(rates.loop)),
      unit: "items/s",
      goal: ">= 0.2",
    });
  }
}

async function operatorRun(each: Case, closure: Closure, lists: readonly List[]): Promise<void> {
  const network = new Network(outside(), operators, timeLimit(600_000));
  const [first = [], second = []] = lists;
  const out = each.build(Channel.of(network, first), closure, () => Channel.of(network, second));
  let seen = 0;
  out.subscribe({
    next: (value) => {
      seen += each.name === "groupTuple" && isList(value) && isList(value[1]) ? value[1].length : 1;
    },
    end: () => undefined,
  });
  await network.run();
  const expected = each.name === "filter" || each.name === "join" ? items / 2 : items;
  if (Math.abs(seen - expected) > 1) throw new Error(`${each.name} made ${seen} items of ${items}`);
}

function operated(source: Channel, name: string, given: readonly Value[]): Channel {
  const out = source.invoke(name, given);
  if (out instanceof Channel) return out;
  throw new Error(`${name} answers no channel`);
}

/** Operators of channels reach nothing outside. */
function outside(): Outside {
  return {} as Outside;
}

function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

// --- rnaseq

function rnaseq(checkout: string | undefined): void {
  if (checkout === undefined) {
    console.log("skipped: parse and check of nf-core/rnaseq (set NEXTFLOW_BENCH_RNASEQ to a checkout)");
    return;
  }
  const read = `const f=require("fs");for(const n of f.readdirSync(".",{recursive:true}))if(/\\.(nf|config)$/.test(n))f.readFileSync(n,"utf8")`;
  const ours: Cost[] = [];
  const bare: Cost[] = [];
  for (let round = 0; round < 3 * rounds; round++) {
    ours.push(run(["check", "main.nf"], checkout));
    bare.push(measured(process.execPath, ["-e", read], checkout));
  }
  for (const kind of ["cpu", "wall"] as const)
    report(
      `Nextflow, check of nf-core/rnaseq, against reading its files (${kind === "cpu" ? "CPU" : "wall"})`,
      {
        ours: median(ours.map((each) => each[kind])),
        peer: median(bare.map((each) => each[kind])),
        unit: "s",
        goal: "<= 5",
      },
    );
}

// --- running and reporting

function run(words: readonly string[], cwd = folder): Cost {
  return measured(process.execPath, [memoir, ...words], cwd);
}

function measured(program: string, words: readonly string[], cwd: string): Cost {
  const line = existsSync("/usr/bin/time")
    ? ["/usr/bin/time", "-f", "%U %S %M", program, ...words]
    : ["bash", "-c", 'TIMEFORMAT="%U %S 0"; time "$0" "$@"', program, ...words];
  const [first = "", ...rest] = line;
  const from = performance.now();
  const { status, stderr } = spawnSync(first, rest, { cwd, env, encoding: "utf8", maxBuffer: 1 << 28 });
  const wall = (performance.now() - from) / 1000;
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}: ${stderr.slice(-2000)}`);
  const [user = 0, system = 0, kib = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  return { wall, cpu: user + system, memory: kib / 1024 };
}

function write(name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function report(
  bench: string,
  {
    goal,
    ...result
  }: { readonly ours: number; readonly peer: number; readonly unit: string; readonly goal: string },
): void {
  const round = (value: number) => Math.round(value * 1000) / 1000;
  const ratio = round(result.ours / result.peer);
  const shown = { ours: round(result.ours), peer: round(result.peer), unit: result.unit };
  console.log(
    `${bench}: ${shown.ours} ${shown.unit}, ${shown.peer} ${shown.unit}, x ${ratio} (goal ${goal})`,
  );
  console.log(JSON.stringify({ bench, ratio, ...shown }));
}
