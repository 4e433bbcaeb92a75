/**
 * The main job end to end: `memoir run` of 1 million cached molecules, CSV in to CSV out, in rows per second against a
 * bare program that does the same with the same libraries and no care; and the peak memory of runs over 10 million rows.
 * Goals: >= 150,000 rows/s; <= 512 MiB.
 */
import { spawn } from "node:child_process";
import { createHash, hash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open as openStore } from "lmdb";

const program = "dist/memoir.js";
const million = 1_000_000;
const [role, ...args] = process.argv.slice(2);

if (role === "peer-fill") await fillPeer(args[0] ?? "", args[1] ?? "");
else if (role === "peer-run") await runPeer(args[0] ?? "", args[1] ?? "", args[2] ?? "");
else await bench();

async function bench(): Promise<void> {
  if (!existsSync(program)) throw new Error("dist/memoir.js is missing: npm run build");
  const folder = mkdtempSync(join(tmpdir(), "memoir-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);

  await write(path("in.csv"), million, "inputs", 0);
  await write(path("known.csv"), million, "predictions", 0);
  const home = path("home");
  const filling = await memoir(home, "predictions", "import", "eos3b5e", path("known.csv"));
  console.log(
    `import of 1,000,000 rows: ${filling.seconds.toFixed(1)} s, peak ${mebibytes(filling.peakKiB)} MiB`,
  );
  await child([process.argv[1] ?? "", "peer-fill", path("peer"), path("known.csv")]);

  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < 5; round++) {
    ours.push(
      (await memoir(home, "run", "--model", "eos3b5e", "-i", path("in.csv"), "-o", path("out.csv"))).seconds,
    );
    peer.push(
      (await child([process.argv[1] ?? "", "peer-run", path("peer"), path("in.csv"), path("peer.csv")]))
        .seconds,
    );
  }
  if ((await digest(path("out.csv"))) !== (await digest(path("peer.csv"))))
    throw new Error("the two programs wrote different files");
  const rates = [ours, peer].map((seconds) => Math.round(million / median(seconds)));
  report("run of 1M cached molecules, embedded tier, CSV to CSV", rates[0] ?? 0, rates[1] ?? 1, "rows/s");

  await write(path("ten.csv"), 10 * million, "inputs", million);
  const cached = await memoir(
    home,
    "run",
    "--model",
    "eos3b5e",
    "-i",
    path("ten.csv"),
    "-o",
    path("out.csv"),
  );
  console.log(`10M rows, all cached: ${cached.seconds.toFixed(1)} s`);
  report("peak memory of a run over 10M cached rows, against 512 MiB", mebibytes(cached.peakKiB), 512, "MiB");
  report("the same without the mapped store", mebibytes(cached.ownKiB), 512, "MiB");
  const words = ["run", "--model", "eos3b5e", "--local-cache-only", "--local", path("empty")];
  await write(path("ten.csv"), 10 * million, "inputs", 0);
  const missing = await memoir(home, ...words, "-i", path("ten.csv"), "-o", path("out.csv"));
  console.log(`10M rows, all distinct and missing: ${missing.seconds.toFixed(1)} s`);
  report(
    "peak memory of a run over 10M missing rows, against 512 MiB",
    mebibytes(missing.peakKiB),
    512,
    "MiB",
  );
}

/** Rows that look like molecules, in an order unlike that of any store; after `period` rows (0 = never) they repeat. */
async function write(
  path: string,
  count: number,
  what: "inputs" | "predictions",
  period: number,
): Promise<void> {
  const file = createWriteStream(path);
  let text = what === "inputs" ? "smiles\n" : "input,mol_weight\n";
  for (let i = 0; i < count; i++) {
    const n = period === 0 ? i : i % period;
    const input = `CC(C)C1=CC=C(C=C1)C(C)C(=O)N${(Math.imul(n, 2654435761) >>> 0).toString(36)}`;
    text += what === "inputs" ? `${input}\n` : `${input},${n * 1.37 + 0.123}\n`;
    if (text.length < 1 << 20) continue;
    if (!file.write(text)) await new Promise<void>((resolve) => file.once("drain", () => resolve()));
    text = "";
  }
  await new Promise<void>((resolve) => file.end(text, () => resolve()));
}

async function fillPeer(folder: string, known: string): Promise<void> {
  const store = openStore<Buffer, string>({ path: folder, encoding: "binary" });
  const rows = readFileSync(known, "utf8").trimEnd().split("\n").slice(1).toSorted();
  for (let from = 0; from < rows.length; from += 50_000) {
    store.transactionSync(() => {
      for (const row of rows.slice(from, from + 50_000)) {
        const comma = row.lastIndexOf(",");
        const value = Buffer.alloc(8);
        value.writeDoubleLE(Number(row.slice(comma + 1)));
        store.putSync(row.slice(0, comma), value);
      }
    });
  }
  await store.close();
}

/** Reads lines, looks each up, writes them: no quoting, no batches, no checkpoints, no counts. */
async function runPeer(folder: string, input: string, output: string): Promise<void> {
  const store = openStore<Buffer, string>({ path: folder, encoding: "binary", readOnly: true });
  const out = createWriteStream(output);
  let text = "key,input,mol_weight\n";
  let rest = "";
  let first = true;
  for await (const piece of createReadStream(input, { encoding: "latin1", highWaterMark: 1 << 20 })) {
    const lines = (rest + String(piece)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (first) {
        first = false;
        continue;
      }
      const value = store.getBinaryFast(line);
      text += `${hash("md5", line, "hex")},${line},${value === undefined ? "" : value.readDoubleLE(0)}\n`;
    }
    if (!out.write(text)) await new Promise<void>((resolve) => out.once("drain", () => resolve()));
    text = "";
  }
  await new Promise<void>((resolve) => out.end(text, () => resolve()));
  await store.close();
}

interface Measured {
  readonly seconds: number;
  /** Peak resident memory, with the pages of the store that are mapped into the process. */
  readonly peakKiB: number;
  /** Peak of what the process itself holds: without mapped files, which the system takes back when it needs memory. */
  readonly ownKiB: number;
}

function memoir(home: string, ...words: readonly string[]): Promise<Measured> {
  return child([program, ...words], { MEMOIR_HOME: home });
}

function child(words: readonly string[], env: Record<string, string> = {}): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    const started = spawn(process.execPath, [...words], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, ...env },
    });
    let peakKiB = 0;
    let ownKiB = 0;
    // VmHWM never falls: the last reading before the end is the peak, but for the last tenth of a second.
    const watch = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${started.pid}/status`, "utf8");
        peakKiB = Math.max(peakKiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
        ownKiB = Math.max(ownKiB, Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0));
      } catch {
        // It has just ended.
      }
    }, 100);
    started.on("close", (code) => {
      clearInterval(watch);
      if (code === 0) resolve({ seconds: (performance.now() - from) / 1000, peakKiB, ownKiB });
      else reject(new Error(`${words.slice(0, 3).join(" ")} ended with ${code}`));
    });
  });
}

async function digest(path: string): Promise<string> {
  const hasher = createHash("sha256");
  for await (const piece of createReadStream(path)) hasher.update(piece as Buffer);
  return `${(await stat(path)).size} ${hasher.digest("hex")}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function mebibytes(kibibytes: number): number {
  return Math.round(kibibytes / 1024);
}

function report(name: string, ours: number, peer: number, unit: string): void {
  const ratio = Math.round((ours / peer) * 100) / 100;
  console.log(`${name}: ${ours} ${unit}, ${peer} ${unit}, x ${ratio}`);
  console.log(JSON.stringify({ bench: name, ratio, ours, peer, unit }));
}
