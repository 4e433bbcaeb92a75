/**
 * `memoir server` under load: GetRun in requests per second against a plain node:http server that answers the same bytes
 * (goal: x 0.4), and 50 clients that poll while 1,000 queued runs of a small workflow are worked off: no error, the p99
 * of GetRun, and the server's peak memory. Before that, the time from StartRun to COMPLETED of a trivial run against
 * `memoir run` of the same (goal: at most x 1.3), and the p99 of StartRun against that of GetRun with 30 clients that poll
 * (goal: at most x 2). SERVER_BENCH_RUNS (1000) changes the number of queued runs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signedHeaders } from "../test/server/sign.ts";
import { zipOf } from "../test/server/zip.ts";

const program = "dist/memoir.js";
const clients = 50;
const queuedRuns = Number(process.env["SERVER_BENCH_RUNS"] ?? 1_000);
const trivialRuns = 10;
const pollingClients = 30;
const startedRuns = Math.min(300, queuedRuns);
const requestsPerRound = 10_000;
const rounds = 7;
const pollEveryMs = 100;
const key = { accessKeyId: "AKIDBENCH", secretAccessKey: "bench-secret", account: "111111111111" };

const wdl = `version 1.1
task small {
  input {
    Int n
  }
  command <<<
    echo ~{n}
  >>>
  output {
    String said = read_string(stdout())
  }
}
`;

const [role, ...args] = process.argv.slice(2);
if (role === "bare") bare(args[0] ?? "");
else await bench();

/** The peer: the same body with the same headers, and no work. */
function bare(file: string): void {
  const body = readFileSync(file, "utf8");
  const headers = {
    "content-type": "application/json",
    "x-amzn-requestid": "00000000-0000-0000-0000-000000000000",
    "content-length": String(Buffer.byteLength(body)),
  };
  const server = createServer((_, response) => response.writeHead(200, headers).end(body));
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    console.error(`listening on http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
  });
}

async function bench(): Promise<void> {
  if (!existsSync(program)) throw new Error("dist/memoir.js is missing: npm run build");
  const folder = mkdtempSync(join(tmpdir(), "memoir-bench-"));
  const children: ChildProcess[] = [];
  process.on("exit", () => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const words = ["server", "--port", "0", "--executor", "host", "--cache-host-tasks", "--files", folder];
  const keyFile = join(folder, "keys.json");
  writeFileSync(keyFile, JSON.stringify([key]));
  const ours = await start([program, ...words, "--access-keys", keyFile], folder);
  children.push(ours.child);
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const send = (to: number, method: string, path: string, body?: object) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const unsigned = { method, host: `127.0.0.1:${to}`, path, ...(text === undefined ? {} : { body: text }) };
    return exchange({ agent, port: to, method, path, headers: signedHeaders(unsigned, { key }), text });
  };

  const { id: workflowId } = await send(ours.port, "POST", "/workflow", {
    definitionZip: zipOf({ "main.wdl": wdl }).toString("base64"),
    requestId: "workflow",
  });
  const startRun = (n: number) =>
    send(ours.port, "POST", "/run", {
      ...{ workflowId, roleArn: "arn:aws:iam::111111111111:role/r", outputUri: `file://${folder}/out` },
      ...{ parameters: { n }, requestId: `run-${n}` },
    });
  const first = await startRun(0);
  for (;;) if ((await send(ours.port, "GET", `/run/${first["id"]}`))["status"] === "COMPLETED") break;

  const until = async (run: unknown) => {
    for (;;) {
      const { status, statusMessage } = await send(ours.port, "GET", `/run/${run}`);
      if (status === "COMPLETED") return;
      if (status === "FAILED" || status === "CANCELLED") throw new Error(`run ${run}: ${statusMessage}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  writeFileSync(join(folder, "main.wdl"), wdl);
  const times: { readonly server: number[]; readonly command: number[] } = { server: [], command: [] };
  for (let n = 0; n < trivialRuns; n++) {
    const began = performance.now();
    await until((await startRun(10_000 + n))["id"]);
    const between = performance.now();
    await runCommand(folder, n);
    times.server.push(between - began);
    times.command.push(performance.now() - between);
  }
  report("a trivial run from StartRun to COMPLETED, against memoir run of the same", {
    ours: round1(median(times.server)),
    peer: round1(median(times.command)),
    unit: "ms",
  });

  const path = `/run/${first["id"]}`;
  const asked: { readonly start: number[]; readonly get: number[] } = { start: [], get: [] };
  let isStarting = true;
  const polling = Array.from({ length: pollingClients }, async () => {
    while (isStarting) {
      const began = performance.now();
      await send(ours.port, "GET", path);
      asked.get.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
  });
  const started: unknown[] = [];
  for (let n = 0; n < startedRuns; n++) {
    const began = performance.now();
    started.push((await startRun(20_000 + n))["id"]);
    asked.start.push(performance.now() - began);
  }
  isStarting = false;
  await Promise.all(polling);
  for (const run of started) await until(run);
  report(`p99 of StartRun against that of GetRun, ${pollingClients} polling clients`, {
    ours: round1(partOf(asked.start, 0.99)),
    peer: round1(partOf(asked.get, 0.99)),
    unit: "ms",
  });

  const payload = join(folder, "payload.json");
  const sample = await send(ours.port, "GET", path);
  writeFileSync(payload, JSON.stringify(sample));
  const peer = await start([process.argv[1] ?? "", "bare", payload], folder);
  children.push(peer.child);
  const rates: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  for (let round = 0; round < rounds; round++) {
    rates.peer.push(await flood(agent, peer.port, path));
    rates.ours.push(await flood(agent, ours.port, path));
  }
  peer.child.kill("SIGKILL");
  report("GetRun, signed and verified, against plain node:http", {
    ours: median(rates.ours),
    peer: median(rates.peer),
    unit: "requests/s",
  });

  const runs: string[] = [];
  const beganMs = performance.now();
  let submitted = 1;
  const submitters = Array.from({ length: 8 }, async () => {
    while (submitted <= queuedRuns) runs.push(String((await startRun(submitted++))["id"]));
  });
  const waits: number[] = [];
  let over = false;
  const pollers = Array.from({ length: clients }, async (_, client) => {
    for (let turn = client; !over; turn += 7) {
      const run = runs[turn % Math.max(1, runs.length)];
      const began = performance.now();
      if (run !== undefined) {
        await send(ours.port, "GET", `/run/${run}`);
        waits.push(performance.now() - began);
      }
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
  });
  await Promise.all(submitters);
  const submittedMs = performance.now() - beganMs;
  for (const run of runs)
    for (;;) {
      const { status, statusMessage } = await send(ours.port, "GET", `/run/${run}`);
      if (status === "COMPLETED") break;
      if (status === "FAILED" || status === "CANCELLED") throw new Error(`run ${run}: ${statusMessage}`);
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
  over = true;
  await Promise.all(pollers);
  const seconds = (performance.now() - beganMs) / 1000;
  const sorted = waits.sort((a, b) => a - b);
  const at = (part: number) => Math.round((sorted[Math.floor(sorted.length * part)] ?? 0) * 10) / 10;
  const peakMiB = Math.round(peakKiB(ours.child.pid ?? 0) / 1024);
  console.log(
    `${queuedRuns} runs submitted in ${(submittedMs / 1000).toFixed(1)} s and worked off in ${seconds.toFixed(1)} s; ` +
      `${waits.length} polls without an error: GetRun p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; peak memory ${peakMiB} MiB`,
  );
  console.log(
    JSON.stringify({
      bench: "1,000 queued runs, 50 polling clients",
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      peakMiB,
      seconds,
    }),
  );
  agent.destroy();
  process.exit(0);
}

/** Requests per second, with one signature for all: clients sign, the server verifies every one. */
async function flood(agent: Agent, port: number, path: string): Promise<number> {
  const unsigned = { method: "GET", host: `127.0.0.1:${port}`, path };
  const headers = signedHeaders(unsigned, { key });
  let left = requestsPerRound;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (left-- > 0) await exchange({ agent, port, method: "GET", path, headers, text: undefined });
    }),
  );
  return Math.round((requestsPerRound / (performance.now() - began)) * 1000);
}

interface Exchange {
  readonly agent: Agent;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string | undefined;
}

function exchange({ text, ...options }: Exchange): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        if ((response.statusCode ?? 500) >= 300)
          reject(new Error(`${options.path}: ${response.statusCode} ${body}`));
        else resolve(body === "" ? {} : JSON.parse(body));
      });
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

async function start(
  words: readonly string[],
  folder: string,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, words, {
    env: { ...process.env, MEMOIR_HOME: join(folder, "home") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const port = await new Promise<number>((resolve, reject) => {
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.on("close", () => reject(new Error(`the server ended:\n${said}`)));
  });
  return { child, port };
}

function peakKiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

/** The same task by the command line, without a cache, as the server runs it. */
async function runCommand(folder: string, n: number): Promise<void> {
  const words = ["run", "main.wdl", `n=${n}`, "--executor", "host", "--no-cache"];
  const env = { ...process.env, MEMOIR_HOME: join(folder, "home-command") };
  const child = spawn(process.execPath, [join(process.cwd(), program), ...words], {
    cwd: folder,
    env,
    stdio: "ignore",
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`memoir run ended with ${code}`);
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

function partOf(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function report(
  bench: string,
  { ours, peer, unit }: { readonly ours: number; readonly peer: number; readonly unit: string },
): void {
  const ratio = Math.round((ours / peer) * 100) / 100;
  console.log(`${bench}: ${ours} ${unit}, ${peer} ${unit}, x ${ratio}`);
  console.log(JSON.stringify({ bench, ratio, ours, peer, unit }));
}
