/**
 * WDL against miniwdl, paired and interleaved: a check of many files and of a trivial one, a trivial workflow from start
 * to end, and scatters of trivial tasks, cold and warm. miniwdl is run from the checkout that MINIWDL names, by
 * MINIWDL_PYTHON (default: /usr/bin/python3), and its tasks as plain processes in its own folders through a stand-in for
 * `podman`, so that neither side pays for containers. Its call cache is on; for the warm rows what it kept of the whole
 * workflow is taken away, so that tasks are looked up, as here. Processor time is that of the whole process tree.
 * Runs the built command line (`npm run build` first). MINIWDL_BENCH_CALLS (1000) and BENCH_ROUNDS (3) change the sizes.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { writeWideWorkflow } from "./wide-workflow.ts";

const calls = Number(process.env["MINIWDL_BENCH_CALLS"] ?? 1_000);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const memoir = join(process.cwd(), "dist", "memoir.js");
const checkout = process.env["MINIWDL"];
const python = process.env["MINIWDL_PYTHON"] ?? "/usr/bin/python3";

if (!existsSync(memoir)) throw new Error("dist/memoir.js is missing: npm run build");
if (checkout === undefined || !existsSync(join(checkout, "WDL", "__main__.py"))) {
  console.error(
    `the benchmark needs a checkout of miniwdl to compare with: MINIWDL=FOLDER npm run bench -- miniwdl${
      checkout === undefined ? "" : `; ${checkout} holds no WDL/__main__.py`
    }`,
  );
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "memoir-miniwdl-bench-"));
const config = join(folder, "miniwdl.cfg");
const env = {
  ...process.env,
  MEMOIR_HOME: join(folder, "home"),
  HOME: folder,
  PYTHONPATH: resolve(checkout),
  MINIWDL_CFG: config,
};
const version = spawnSync(python, ["-m", "WDL", "--version"], { encoding: "utf8", env });
if (version.status !== 0) {
  console.error(
    `${python} cannot run miniwdl; its dependencies are missing (Debian: apt-get install --no-install-recommends python3-lark python3-coloredlogs python3-docker python3-importlib-metadata python3-regex python3-xdg python3-ruamel.yaml python3-argcomplete python3-pythonjsonlogger python3-psutil python3-pygtail):\n${version.stderr.slice(-500)}`,
  );
  process.exit(2);
}

/** Stands in for podman: starts the command in the folder that would have been mounted as the working directory. */
const standIn = join(folder, "no-podman");
writeFileSync(
  standIn,
  `#!/bin/sh
[ "$1" = run ] || exit 0
while :; do
  case "$1" in
    --workdir) workdir=$2; shift 2 ;;
    --cpus | --memory | --user) shift 2 ;;
    -v) [ "\${2#*:}" = "$workdir" ] && place=\${2%%:*}; shift 2 ;;
    run | --rm) shift ;;
    *) shift; break ;;
  esac
done
cd "$place" && exec "$@"
`,
);
chmodSync(standIn, 0o755);
writeFileSync(
  join(folder, "hello.wdl"),
  `version 1.1
task hello {
  input { String name = "world" }
  command <<< echo "hello ~{name}" >>>
  output { String greeting = read_string(stdout()) }
}
workflow w {
  call hello
  output { String greeting = hello.greeting }
}
`,
);
writeFileSync(
  join(folder, "scatter.wdl"),
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
  /** Seconds from start to end. */
  readonly wall: number;
  /** Seconds of processor time, user and system, of the process and all its children. */
  readonly cpu: number;
}

const host = ["--executor", "host"];

try {
  console.log(`against miniwdl ${revision(checkout)}; medians of ${rounds} interleaved rounds`);
  checks();
  trivialWorkflow();
  scatter(100);
  if (calls !== 100) scatter(calls);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function checks(): void {
  const wide = join(folder, "wide");
  mkdirSync(wide);
  const { files, lines } = writeWideWorkflow(wide);
  for (const [what, document, goal] of [
    [`check of ${files} files, ${lines} lines`, join(wide, "main.wdl"), "goal: at most 0.3 s"],
    ["check of a trivial workflow", "hello.wdl", undefined],
  ] as const) {
    const ours: Cost[] = [];
    const theirs: Cost[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(ofMemoir("check", document));
      theirs.push(ofMiniwdl("check", "--no-shellcheck", document));
    }
    both(`WDL, ${what}`, ours, theirs, goal);
  }
}

function trivialWorkflow(): void {
  const ours: Cost[] = [];
  const theirs: Cost[] = [];
  configure(undefined);
  for (let round = 0; round < rounds + 2; round++) {
    ours.push(ofMemoir("run", "hello.wdl", ...host, "--no-cache"));
    theirs.push(ofMiniwdl("run", "hello.wdl", "--dir", freshFolder()));
  }
  both("WDL, a trivial workflow from start to end", ours, theirs);
}

function scatter(n: number): void {
  const bare: number[] = [];
  const cold = { memoir: [] as Cost[], miniwdl: [] as Cost[] };
  const warm = { memoir: [] as Cost[], miniwdl: [] as Cost[] };
  for (let round = 0; round < rounds; round++) {
    bare.push(shellLoop(n));
    const cache = join(folder, `cache-${n}-${round}`);
    const ours = () =>
      ofMemoir("run", "scatter.wdl", `n=${n}`, ...host, "--cache-host-tasks", "--cache", `${cache}-memoir`);
    cold.memoir.push(ours());
    warm.memoir.push(ours());
    configure(`${cache}-miniwdl`);
    const theirs = () => ofMiniwdl("run", "scatter.wdl", `n=${n}`, "--dir", freshFolder());
    cold.miniwdl.push(theirs());
    forgetTheWorkflow(`${cache}-miniwdl`, n);
    warm.miniwdl.push(theirs());
  }
  const beyond = (costs: readonly Cost[]) => ((wallOf(costs) - median(bare)) / n) * 1_000;
  both(`WDL, scatter of ${n} with a cache, cold`, cold.memoir, cold.miniwdl);
  const [ours, theirs] = [beyond(cold.memoir), beyond(cold.miniwdl)];
  report(
    `WDL, scatter of ${n} with a cache, cold, a call beyond a shell loop`,
    { ours, peer: theirs, unit: "ms" },
    "goal: at most 8 ms",
  );
  const goal = n === 1_000 ? "goal: at most 0.4 s, 6 times less" : undefined;
  both(`WDL, scatter of ${n} with a cache, warm`, warm.memoir, warm.miniwdl, goal);
}

/** miniwdl looks for the whole workflow first; without it, it looks for each task. */
function forgetTheWorkflow(cache: string, n: number): void {
  const kept = readdirSync(cache);
  if (!kept.includes("many") || !kept.includes("one"))
    throw new Error(`miniwdl kept neither tasks nor the workflow in ${cache}: ${kept.join(", ")}`);
  const tasks = readdirSync(join(cache, "one"), { recursive: true }).filter((name) =>
    String(name).endsWith(".json"),
  );
  if (tasks.length !== n) throw new Error(`miniwdl kept ${tasks.length} calls of ${n}`);
  rmSync(join(cache, "many"), { recursive: true });
}

function configure(cache: string | undefined): void {
  const lines = [
    "[scheduler]",
    "container_backend = podman",
    "[podman]",
    `exe = ["${standIn}"]`,
    "[call_cache]",
    `get = ${cache !== undefined}`,
    `put = ${cache !== undefined}`,
    ...(cache === undefined ? [] : [`dir = ${cache}`]),
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
}

function freshFolder(): string {
  return mkdtempSync(join(folder, "run-"));
}

function ofMemoir(...words: readonly string[]): Cost {
  return timed([process.execPath, memoir, ...words]);
}

function ofMiniwdl(...words: readonly string[]): Cost {
  return timed([python, "-m", "WDL", ...words]);
}

/** The shell's `time` knows what all children took. */
function timed(line: readonly string[]): Cost {
  const times = join(folder, "times");
  const said = join(folder, "said");
  const script = `TIMEFORMAT='%R %U %S'; { time "$@" > "${said}" 2>&1; } 2> "${times}"`;
  const { status } = spawnSync("bash", ["-c", script, "bash", ...line], {
    cwd: folder,
    env,
    stdio: "ignore",
  });
  if (status !== 0)
    throw new Error(`${line.join(" ")} ended with ${status}:\n${readFileSync(said, "utf8").slice(-2_000)}`);
  const [wall = 0, user = 0, system = 0] = readFileSync(times, "utf8").trim().split(/\s+/).map(Number);
  return { wall, cpu: user + system };
}

/** The same commands in folders of their own, as many at a time as there are cores: what the processes cost by themselves. */
function shellLoop(n: number): number {
  const place = freshFolder();
  const script = `seq ${n} | xargs -P ${cpus().length} -I{} sh -c 'mkdir ${place}/{} && cd ${place}/{} && bash -c "echo {} > out.txt"'`;
  const from = performance.now();
  execFileSync("bash", ["-c", script]);
  return (performance.now() - from) / 1_000;
}

function revision(of: string): string {
  const { status, stdout } = spawnSync("git", ["-C", of, "describe", "--tags", "--always"], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : `in ${of}`;
}

function both(bench: string, ours: readonly Cost[], theirs: readonly Cost[], goal?: string): void {
  report(`${bench} (wall)`, { ours: wallOf(ours), peer: wallOf(theirs), unit: "s" }, goal);
  report(`${bench} (CPU)`, { ours: cpuOf(ours), peer: cpuOf(theirs), unit: "s" });
}

function cpuOf(costs: readonly Cost[]): number {
  return median(costs.map((cost) => cost.cpu));
}

function wallOf(costs: readonly Cost[]): number {
  return median(costs.map((cost) => cost.wall));
}

function report(
  bench: string,
  { ours, peer, unit }: { readonly ours: number; readonly peer: number; readonly unit: string },
  goal?: string,
): void {
  const ratio = Math.round((peer / ours) * 100) / 100;
  const round = (value: number) => Math.round(value * 1_000) / 1_000;
  console.log(
    `${bench}: ${round(ours)} ${unit}, ${round(peer)} ${unit}, ${ratio} times less${goal === undefined ? "" : ` (${goal})`}`,
  );
  console.log(JSON.stringify({ bench, ratio, ours: round(ours), peer: round(peer), unit }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
