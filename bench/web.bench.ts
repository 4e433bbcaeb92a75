/**
 * The web page over a run of 10,000 calls, in Debian's Chromium: first paint of its calls (goal: 1 s), the longest task
 * while scrolling through all of them (goal: 100 ms), JavaScript of the first page after gzip (goal: 90 kB), memory of
 * the server with 50 open pages (goal: 200 MB more), and how soon a page shows a run that has begun (goal: 500 ms).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium, type Page } from "playwright-core";

const program = "dist/memoir.js";
const calls = 10_000;
const openPages = 50;
const folder = mkdtempSync(join(tmpdir(), "memoir-bench-web-"));
const env = { ...process.env, MEMOIR_HOME: join(folder, "home") };
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const wdl = `version 1.1
task small {
  input { Int n }
  command <<< echo ~{n} >>>
  output { String said = read_string(stdout()) }
}
workflow wide { input { Array[Int] ns } scatter (n in ns) { call small { input: n } } }
`;

const run = manyCalls();
const server = spawn(process.execPath, [program, "ui", "--no-browser"], {
  env,
  stdio: ["ignore", "ignore", "pipe"],
});
const link = await linkOf(server);
const origin = new URL(link).origin;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
const page = await context.newPage();
await page.goto(link);
// First, before anything that the server frees later is in its memory.
await memory();
await firstPaint(page);
await scrolling(page);
await scriptSize();
await events(page);
await browser.close();
server.kill();

/** A real run of two calls, whose events are written again for each of the others. */
function manyCalls(): string {
  const file = join(folder, "wide.wdl");
  writeFileSync(file, wdl);
  const words = [program, "run", file, "ns=[0]", "--executor", "host"];
  const { status, stderr } = spawnSync(process.execPath, words, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const runs = join(folder, "home", "runs");
  const id = readdirSync(runs).find((name) => /^\d{8}-/.test(name)) ?? "";
  const events = join(runs, id, "events.jsonl");
  const lines = readFileSync(events, "utf8").trimEnd().split("\n");
  const ofCall = lines.filter((line) => line.includes('"call":"wide.small[0]"'));
  const others = Array.from({ length: calls - 1 }, (_, at) =>
    ofCall.map((line) => line.replaceAll("wide.small[0]", `wide.small[${at + 1}]`)).join("\n"),
  );
  const end = lines.findIndex((line) => line.includes('"run.ended"'));
  writeFileSync(events, "");
  appendFileSync(events, `${[...lines.slice(0, end), ...others, ...lines.slice(end)].join("\n")}\n`);
  return id;
}

function linkOf({ stderr }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      const found = /open (\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
}

async function firstPaint(page: Page): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    await page.goto(`${origin}/runs/${run}`);
    await page.getByRole("link", { name: "wide.small[0]", exact: true }).waitFor();
    times.push(performance.now() - began);
  }
  result("first calls of a run of 10,000 are drawn", median(times), 1000, "ms");
}

async function scrolling(page: Page): Promise<void> {
  await page
    .getByText(`${calls.toLocaleString("en-GB")} calls`)
    .first()
    .waitFor();
  const longest = await page.evaluate<number>(`new Promise((resolve) => {
    let longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ entryTypes: ["longtask"] });
    const box = document.querySelector("[data-rows]");
    const step = () => {
      box.scrollTop += 1500;
      if (box.scrollTop + box.clientHeight < box.scrollHeight - 1) requestAnimationFrame(step);
      else setTimeout(() => resolve(longest), 200);
    };
    step();
  })`);
  result("longest task while scrolling through 10,000 calls", longest, 100, "ms");
}

/** What the browser loads for the first page. */
async function scriptSize(): Promise<void> {
  const fresh = await context.newPage();
  const names: string[] = [];
  fresh.on("response", (response) => {
    if (response.url().endsWith(".js")) names.push(new URL(response.url()).pathname);
  });
  await fresh.goto(`${origin}/`);
  await fresh.getByRole("heading", { level: 1 }).waitFor();
  await fresh.waitForLoadState("networkidle");
  const bytes = names.map((name) => gzipSync(readFileSync(join("dist", "web", name)), { level: 9 }).length);
  result(
    "JavaScript of the first page after gzip",
    bytes.reduce((sum, size) => sum + size, 0) / 1000,
    90,
    "kB",
  );
  await fresh.close();
}

async function memory(): Promise<void> {
  const resident = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1] ?? 0) / 1000;
  const before = resident();
  const pages: Page[] = [];
  for (let at = 0; at < openPages; at++) {
    // A context of its own has connections of its own, as another person's browser has.
    const other = await browser.newContext({ storageState: await context.storageState() });
    const opened = await other.newPage();
    await opened.goto(`${origin}/runs`);
    await opened.getByRole("link", { name: "wide" }).first().waitFor();
    pages.push(opened);
  }
  result(`memory of the server with ${openPages} open pages`, Math.max(0, resident() - before), 200, "MB");
  for (const opened of pages) await opened.context().close();
}

/** From the time that the run says it began at until its row is in the page. */
async function events(page: Page): Promise<void> {
  // A page in the background follows nothing.
  await page.bringToFront();
  const following = page.waitForRequest((request) => request.url().includes("/runs/changes"));
  await page.goto(`${origin}/runs`);
  await page.getByRole("link", { name: "wide" }).first().waitFor();
  await following;
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    const seen = page.evaluate<number>(`new Promise((resolve) => {
      const rows = () => document.querySelectorAll("[data-rows] [role=row]").length;
      const before = rows();
      new MutationObserver(() => { if (rows() > before) resolve(Date.now()); })
        .observe(document.body, { childList: true, subtree: true });
    })`);
    const words = [program, "run", join(folder, "wide.wdl"), `ns=[${round + 1}]`, "--executor", "host"];
    const child = spawn(process.execPath, words, { env, stdio: "ignore" });
    const closed = new Promise((resolve) => child.once("close", resolve));
    const at = await seen;
    await closed;
    const runs = readdirSync(join(folder, "home", "runs")).filter((name) => /^\d{8}-/.test(name));
    const record = join(folder, "home", "runs", runs.sort().at(-1) ?? "", "run.json");
    const { startedAt } = JSON.parse(readFileSync(record, "utf8")) as { readonly startedAt: string };
    times.push(at - Date.parse(startedAt));
  }
  result("a run that has begun is seen on an open page", median(times), 500, "ms");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function result(bench: string, found: number, goal: number, unit: string): void {
  const ours = Math.round(found * 10) / 10;
  const ratio = Math.round((ours / goal) * 100) / 100;
  console.log(`${bench}: ${ours} ${unit}, goal ${goal} ${unit}, x ${ratio}`);
  console.log(JSON.stringify({ bench: `${bench}, against its goal`, ratio, ours, peer: goal, unit }));
}
