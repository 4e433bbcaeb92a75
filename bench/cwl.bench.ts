/**
 * CWL against cwltool, paired and interleaved: a trivial tool from start to end, scatters of trivial jobs cold and
 * warm, JavaScript expressions, ten jobs over one large input, and the whole conformance suite of v1.2. Processor time
 * is that of the whole process tree. Runs the built command line (`npm run build` first) and the `cwltool` of the PATH.
 * CWL_BENCH_JOBS (1000), CWL_BENCH_MB (300) and BENCH_ROUNDS (3) change the sizes. CWL_BENCH_SUITE names a checkout of
 * https://github.com/common-workflow-language/cwl-v1.2; without it the suite is left out.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CwlTest, readTests } from "../test/conformance/cwl-suite.ts";

const jobs = Number(process.env["CWL_BENCH_JOBS"] ?? 1_000);
const megabytes = Number(process.env["CWL_BENCH_MB"] ?? 300);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const memoir = join(process.cwd(), "dist", "memoir.js");

if (!existsSync(memoir)) throw new Error("dist/memoir.js is missing: npm run build");
const version = spawnSync("cwltool", ["--version"], { encoding: "utf8" });
if (version.status !== 0) {
  console.error(
    "the benchmark needs cwltool to compare with (Debian: apt-get install --no-install-recommends cwltool)",
  );
  process.exit(2);
}
console.log(`against ${version.stdout.trim()}; medians of ${rounds} interleaved rounds`);

const folder = mkdtempSync(join(tmpdir(), "memoir-cwl-bench-"));
const env = { ...process.env, MEMOIR_HOME: join(folder, "home") };

const echo = `class: CommandLineTool
baseCommand: echo
stdout: out.txt
inputs: {word: {type: Any, inputBinding: {}}}
outputs: {out: stdout}
`;
write("echo.cwl", `cwlVersion: v1.2\n${echo}`);
write("echo.json", '{"word": "hello"}');
write(
  "scatter.cwl",
  `cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {words: 'int[]'}
steps:
  say: {run: echo.cwl, scatter: word, in: {word: words}, out: [out]}
outputs: {out: {type: 'File[]', outputSource: say/out}}
`,
);
write(
  "expressions.cwl",
  `cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand: 'true'
arguments: [${Array.from({ length: jobs }, (_, i) => `$(inputs.n + ${i})`).join(", ")}]
inputs: {n: int}
outputs: {}
`,
);
write("expressions.json", '{"n": 7}');
write(
  "large.cwl",
  `cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {file: File, ns: 'int[]'}
steps:
  look:
    run:
      class: CommandLineTool
      baseCommand: [head, -c]
      stdout: out.txt
      inputs: {n: {type: int, inputBinding: {position: 1}}, file: {type: File, inputBinding: {position: 2}}}
      outputs: {out: stdout}
    scatter: n
    in: {n: ns, file: file}
    out: [out]
outputs: {out: {type: 'File[]', outputSource: look/out}}
`,
);

interface Cost {
  /** Seconds from start to end. */
  readonly wall: number;
  /** Seconds of processor time, user and system, of the process and all its children. */
  readonly cpu: number;
}

type Runner = "memoir" | "cwltool";

try {
  trivialTool();
  scatter(100);
  if (jobs !== 100) scatter(jobs);
  expressions();
  largeInput();
  await wholeSuite(process.env["CWL_BENCH_SUITE"]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function trivialTool(): void {
  const ours: Cost[] = [];
  const theirs: Cost[] = [];
  for (let round = 0; round < rounds + 2; round++) {
    ours.push(run("memoir", "echo.cwl", "echo.json"));
    theirs.push(run("cwltool", "echo.cwl", "echo.json"));
  }
  both("CWL, one echo tool", ours, theirs, "goal: at most 0.25 s CPU, 4 times less");
}

function scatter(n: number): void {
  const job = `words-${n}.json`;
  write(job, JSON.stringify({ words: Array.from({ length: n }, (_, i) => i) }));
  const cold = { memoir: [] as Cost[], cwltool: [] as Cost[] };
  const warm = { memoir: [] as Cost[], cwltool: [] as Cost[] };
  for (let round = 0; round < rounds; round++) {
    for (const runner of ["memoir", "cwltool"] as const) {
      const cache = join(folder, `cache-${runner}-${n}-${round}`);
      cold[runner].push(run(runner, "scatter.cwl", job, cache));
      warm[runner].push(run(runner, "scatter.cwl", job, cache));
    }
  }
  both(`CWL, scatter of ${n} with a cache, cold`, cold.memoir, cold.cwltool);
  const goal = n === 1_000 ? "goal: at most 1 s, 7 times less CPU" : undefined;
  both(`CWL, scatter of ${n} with a cache, warm`, warm.memoir, warm.cwltool, goal);
}

function expressions(): void {
  const ours: Cost[] = [];
  const theirs: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(run("memoir", "expressions.cwl", "expressions.json"));
    theirs.push(run("cwltool", "expressions.cwl", "expressions.json"));
  }
  both(`CWL, ${jobs} JavaScript expressions`, ours, theirs, "goal: at most 0.4 s CPU");
}

function largeInput(): void {
  const made = spawnSync("dd", [
    "if=/dev/urandom",
    `of=${join(folder, "large")}`,
    "bs=1M",
    `count=${megabytes}`,
  ]);
  if (made.status !== 0) throw new Error(`making a file of ${megabytes} MB failed: ${made.stderr}`);
  write(
    "large.json",
    JSON.stringify({
      file: { class: "File", path: "large" },
      ns: Array.from({ length: 10 }, (_, i) => i + 1),
    }),
  );
  const caches = { memoir: join(folder, "large-memoir"), cwltool: join(folder, "large-cwltool") };
  const cold = {
    memoir: run("memoir", "large.cwl", "large.json", caches.memoir),
    cwltool: run("cwltool", "large.cwl", "large.json", caches.cwltool),
  };
  const bare: Cost[] = [];
  const warm = { memoir: [] as Cost[], cwltool: [] as Cost[] };
  for (let round = 0; round < rounds; round++) {
    bare.push(run("memoir", "large.cwl", "large.json"));
    warm.memoir.push(run("memoir", "large.cwl", "large.json", caches.memoir));
    warm.cwltool.push(run("cwltool", "large.cwl", "large.json", caches.cwltool));
  }
  const what = `CWL, ten jobs over one input of ${megabytes} MB`;
  both(`${what}, cold`, [cold.memoir], [cold.cwltool]);
  both(`${what}, warm`, warm.memoir, warm.cwltool);
  report(
    `${what}, warm against no cache (wall)`,
    wallOf(warm.memoir),
    wallOf(bare),
    "goal: within 5 %",
    "share",
  );
}

/** Every test of the suite as a process of its own, two at a time, without containers and without a cache. */
async function wholeSuite(checkout: string | undefined): Promise<void> {
  if (checkout === undefined) {
    console.log("CWL, whole v1.2 suite: left out, CWL_BENCH_SUITE names no checkout of cwl-v1.2");
    return;
  }
  const suite = join(folder, "suite");
  cpSync(checkout, suite, { recursive: true, filter: (path) => !path.endsWith("/.git") });
  const tests = await readTests(join(suite, "conformance_tests.yaml"));
  if (tests.length === 0) throw new Error(`${checkout}/conformance_tests.yaml holds no tests`);
  const cost = (runner: Runner) => {
    const { cost: taken, asExpected } = runSuite(runner, tests);
    console.log(`${runner}: ${asExpected} of ${tests.length} tests end with the exit code that they expect`);
    return taken;
  };
  const [ours, theirs] = [cost("memoir"), cost("cwltool")];
  const what = `CWL, whole v1.2 suite (${tests.length} tests) without containers, two at a time`;
  both(what, [ours], [theirs], "goal: a third of cwltool's CPU");
}

/** Each test is one line of a script for `xargs`, whose children's time the shell's `time` knows. */
function runSuite(
  runner: Runner,
  tests: readonly CwlTest[],
): { readonly cost: Cost; readonly asExpected: number } {
  const place = join(folder, `suite-${runner}`);
  mkdirSync(place);
  const program = runner === "memoir" ? `${process.execPath} ${memoir} cwl-runner` : "cwltool";
  const lines = tests.map((test, i) => {
    const job = test.job === undefined || test.job === null ? "" : ` '${test.job}'`;
    const words = `--no-container --quiet --outdir ${place}/${i} '${test.tool}'${job}`;
    return `cd '${test.folder}' && timeout 120 ${program} ${words} > ${place}/${i}.json 2> ${place}/${i}.err; echo $? > ${place}/${i}.code`;
  });
  const list = join(place, "list");
  writeFileSync(list, `${lines.join("\n")}\n`);
  const cost = timed(`xargs -d '\\n' -n 1 -P 2 sh -c < ${list}`);
  const codes = tests.map((_, i) => readFileSync(join(place, `${i}.code`), "utf8").trim());
  const asExpected = tests.filter((test, i) => (codes[i] === "0") !== (test.should_fail === true)).length;
  return { cost, asExpected };
}

/** What a line of shell and all its children take. */
function timed(line: string): Cost {
  const times = join(folder, "times");
  const script = `TIMEFORMAT='%R %U %S'; { time { ${line}; }; } 2> ${times}`;
  const { status } = spawnSync("bash", ["-c", script], { cwd: folder, env, stdio: "ignore" });
  if (status !== 0) throw new Error(`${line} ended with ${status}`);
  const [wall = 0, user = 0, system = 0] = readFileSync(times, "utf8").trim().split(/\s+/).map(Number);
  return { wall, cpu: user + system };
}

/**
 * One run in a fresh output folder. The shell's `time` knows what all children took. Nothing is removed before the end:
 * a file system that has to free thousands of files makes the next run slower, whichever runner that is.
 */
function run(runner: Runner, document: string, job: string, cache?: string): Cost {
  const outdir = mkdtempSync(join(folder, "out-"));
  const words =
    runner === "memoir"
      ? [process.execPath, memoir, "cwl-runner", ...(cache === undefined ? [] : ["--cache", cache])]
      : ["cwltool", ...(cache === undefined ? [] : ["--cachedir", cache])];
  const line = [...words, "--no-container", "--quiet", "--outdir", outdir, document, job];
  if (cache !== undefined && runner === "cwltool") mkdirSync(cache, { recursive: true });
  const times = join(folder, "times");
  const script = `TIMEFORMAT='%R %U %S'; { time "$@" > "${join(folder, "answer.json")}" 2> "${join(folder, "said")}"; } 2> "${times}"`;
  const { status } = spawnSync("bash", ["-c", script, "bash", ...line], {
    cwd: folder,
    env,
    stdio: "ignore",
  });
  if (status !== 0)
    throw new Error(
      `${line.join(" ")} ended with ${status}:\n${readFileSync(join(folder, "said"), "utf8").slice(-2_000)}`,
    );
  const [wall = 0, user = 0, system = 0] = readFileSync(times, "utf8").trim().split(/\s+/).map(Number);
  return { wall, cpu: user + system };
}

function both(bench: string, ours: readonly Cost[], theirs: readonly Cost[], goal?: string): void {
  report(`${bench} (CPU)`, cpuOf(ours), cpuOf(theirs), goal, "times less");
  report(`${bench} (wall)`, wallOf(ours), wallOf(theirs), undefined, "times less");
}

function cpuOf(costs: readonly Cost[]): number {
  return median(costs.map((cost) => cost.cpu));
}

function wallOf(costs: readonly Cost[]): number {
  return median(costs.map((cost) => cost.wall));
}

/** `times less`: the ratio is peer / ours; `share`: ours / peer. */
function report(
  bench: string,
  ours: number,
  peer: number,
  goal: string | undefined,
  form: "times less" | "share",
): void {
  const ratio = Math.round((form === "share" ? ours / peer : peer / ours) * 100) / 100;
  const round = (value: number) => Math.round(value * 1_000) / 1_000;
  const relation = form === "share" ? `${ratio} of it` : `${ratio} times less`;
  console.log(
    `${bench}: ${round(ours)} s, ${round(peer)} s, ${relation}${goal === undefined ? "" : ` (${goal})`}`,
  );
  console.log(JSON.stringify({ bench, ratio, ours: round(ours), peer: round(peer), unit: "s" }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function write(name: string, content: string): void {
  writeFileSync(join(folder, name), content);
}
