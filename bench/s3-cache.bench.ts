/**
 * Run caches on S3 behind a proxy that keeps each request waiting for 20 ms: 1,000 calls recorded, 1,000 reused out of a
 * large cache, and what looks after a cache. Counts requests. Runs the built command line (`npm run build` first).
 * S3_BENCH_ENTRIES (default 100,000) is the size of the large cache, S3_BENCH_CALLS (1,000) the number of calls,
 * S3_BENCH_LATENCY the milliseconds.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../src/hash/index.ts";
import { type CallKey, freshAsk, mapBounded } from "../src/kernel/index.ts";
import { createEntryStore } from "../src/store/entries/index.ts";
import { createS3Store } from "../src/store/objects/index.ts";
import { missingOf } from "../test/servers/requirement.ts";
import { makeBucket, type S3Address, s3Environment, s3Requirement, startS3 } from "../test/servers/s3.ts";
import { type LatencyProxy, startLatencyProxy } from "./latency-proxy.ts";

const calls = Number(process.env["S3_BENCH_CALLS"] ?? 1_000);
const entries = Number(process.env["S3_BENCH_ENTRIES"] ?? 100_000);
const latencyMs = Number(process.env["S3_BENCH_LATENCY"] ?? 20);
const memoir = join(process.cwd(), "dist", "memoir.js");
const folder = mkdtempSync(join(tmpdir(), "memoir-s3-bench-"));
const ask = freshAsk();

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
  output { Int n_outs = length(one.out) }
}
`,
);
writeFileSync(
  join(folder, "folder.wdl"),
  `version 1.2
task make {
  input { Int n }
  command <<< mkdir made; for i in $(seq ~{n}); do echo $i > made/$i.txt; done >>>
  output { Directory made = "made" }
}
task count {
  input { Directory made String salt }
  command <<< ls ~{made} | wc -l; echo ~{salt} >>>
  output { String n = read_string(stdout()) }
}
workflow passed {
  input { Int n String salt }
  call make { input: n = n }
  call count { input: made = make.made, salt = salt }
  output { String counted = count.n }
}
`,
);

const missing = missingOf(s3Requirement);
if (missing !== undefined) console.error(`not measured: ${missing}`);
else {
  const server = await startS3();
  const proxy = await startLatencyProxy(server.endpoint, latencyMs);
  try {
    await recording(server, proxy);
    await staging(server, proxy);
    await maintenance(server, proxy);
    if (entries > 0) await reusing(server, proxy);
  } finally {
    proxy.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function recording(server: S3Address, proxy: LatencyProxy): Promise<void> {
  const cache = `s3://${await makeBucket(server, "bench")}/cache`;
  const cold = await scatter(server, proxy, cache);
  const beside = await scatter(server, proxy, join(folder, "beside"));
  report(`${calls} computed calls recorded on S3 at ${latencyMs} ms, requests a call against 4`, {
    ours: round3(cold.requests / calls),
    peer: 4,
    unit: "requests",
  });
  report(`${calls} computed calls recorded on S3 at ${latencyMs} ms, against recorded in a folder`, {
    ours: cold.seconds,
    peer: beside.seconds,
    unit: "s",
  });
  const warm = await scatter(server, proxy, cache);
  report(
    `${calls} reused calls of a cache of ${calls} on S3 at ${latencyMs} ms, requests a call against 0.2`,
    {
      ours: round3(warm.requests / calls),
      peer: 0.2,
      unit: "requests",
    },
  );
}

async function reusing(server: S3Address, proxy: LatencyProxy): Promise<void> {
  const cache = `s3://${await makeBucket(server, "bench")}/cache`;
  await scatter(server, proxy, cache);
  await fill(server, cache, entries - calls);
  const warm = await scatter(server, proxy, cache);
  report(`${calls} reused calls of ${entries} on S3 at ${latencyMs} ms, requests a call against 0.2`, {
    ours: round3(warm.requests / calls),
    peer: 0.2,
    unit: "requests",
  });
  report(`${calls} reused calls of ${entries} on S3 at ${latencyMs} ms, with process start, against 2 s`, {
    ours: warm.seconds,
    peer: 2,
    unit: "s",
  });
}

async function staging(server: S3Address, proxy: LatencyProxy): Promise<void> {
  const cache = `s3://${await makeBucket(server, "bench")}/cache`;
  const run = (salt: string) =>
    timed(server, proxy, [
      ...["run", "folder.wdl", "n=300", `salt=${salt}`, "--executor", "host", "--cache-host-tasks"],
      ...["--cache", cache],
    ]);
  await run("first");
  const second = await run("second");
  report(`a recorded folder of 300 files staged from S3 at ${latencyMs} ms, the whole run, against 1 s`, {
    ours: second.seconds,
    peer: 1,
    unit: "s",
  });
}

async function maintenance(server: S3Address, proxy: LatencyProxy): Promise<void> {
  const cache = `s3://${await makeBucket(server, "bench")}/cache`;
  await scatter(server, proxy, cache, 200);
  for (const [verb, peer] of [
    ["du", 0.5],
    ["entries", 0.5],
    ["verify", 1],
    ["prune", 0.5],
  ] as const) {
    const more = verb === "prune" ? ["--older-than", "0s", "--yes"] : [];
    const { seconds } = await timed(server, proxy, ["cache", verb, cache, ...more]);
    report(`memoir cache ${verb} of 200 entries on S3 at ${latencyMs} ms, against ${peer} s`, {
      ours: seconds,
      peer,
      unit: "s",
    });
  }
}

/** As runs of 1,000 calls record them, without the latency. */
async function fill(server: S3Address, cache: string, count: number): Promise<void> {
  const [, , bucket = "", prefix = ""] = cache.split("/");
  const objects = () =>
    createS3Store({ bucket, prefix, endpoint: server.endpoint, region: server.region, credentials: server });
  const look = objects();
  const mark = await look.read("memoir-cache.json", ask);
  await look.close();
  const { uuid: cacheUuid } = JSON.parse(Buffer.from(mark ?? []).toString()) as { uuid: string };
  const attempt = join(folder, randomUUID());
  mkdirSync(attempt);
  for (let at = 0; at < count; at += 1_000) {
    const store = createEntryStore({ objects: objects(), cacheUuid });
    await mapBounded(Array.from({ length: Math.min(1_000, count - at) }), 32, async (_, i) => {
      const out = join(attempt, `${at + i}.txt`);
      writeFileSync(out, String(at + i));
      await store.record(
        {
          key: sha256(`filled ${at + i}`) as unknown as CallKey,
          ...{ taskName: "one", callPath: `many.one[${i}]`, runId: `filled-${at}`, workflow: "many" },
          ...{ language: "wdl", exitCode: 0 },
          components: { task: "one", command: `echo ${at + i} > out.txt`, outputs: ["out"], shell: ["bash"] },
          outputs: { out: { kind: "file", location: out, basename: "out.txt" } },
          cost: { cpuSeconds: 0.01, wallSeconds: 0.02, maxRssBytes: 4096, bytesOut: 6 },
        },
        ask,
      );
    });
    await store.close();
  }
}

function scatter(
  server: S3Address,
  proxy: LatencyProxy,
  cache: string,
  n = calls,
): Promise<{ readonly seconds: number; readonly requests: number }> {
  return timed(server, proxy, [
    ...["run", "scatter.wdl", `n=${n}`, "--executor", "host", "--cache-host-tasks", "--max-cpus", "8"],
    ...["--cache", cache, "--json"],
  ]);
}

async function timed(
  server: S3Address,
  proxy: LatencyProxy,
  words: readonly string[],
): Promise<{ readonly seconds: number; readonly requests: number }> {
  proxy.reset();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [memoir, ...words], {
    cwd: folder,
    env: {
      ...process.env,
      ...s3Environment({ ...server, endpoint: proxy.endpoint }),
      // Another home each time: nothing is known of what earlier runs read.
      MEMOIR_HOME: join(folder, `home-${randomUUID()}`),
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => (said += String(text)));
  const code = await new Promise((resolve) => child.once("close", resolve));
  const seconds = round3((performance.now() - startedAt) / 1000);
  if (code !== 0) throw new Error(`memoir ${words.join(" ")} ended with ${code}: ${said}`);
  const { requests, bytes, byKind } = proxy.seen();
  if (process.env["S3_BENCH_DETAILS"] !== undefined)
    console.error(
      `${words.slice(0, 3).join(" ")}: ${seconds} s, ${requests} requests, ${bytes} bytes`,
      byKind,
    );
  return { seconds, requests };
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function report(
  bench: string,
  result: { readonly ours: number; readonly peer: number; readonly unit: string },
): void {
  console.log(JSON.stringify({ bench, ratio: round3(result.ours / result.peer), ...result }));
}
