/** What is left when a run is killed, stopped, doubled or loses its cache, and that resuming it gives the same output. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../servers/free-port.ts";
import { redisRequirement, startRedis } from "../servers/redis.ts";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { modelFixtures, Sandbox, type Started } from "./memoir.ts";

let box: Sandbox;
/** A model that counts characters and writes one line per batch into a log next to it. */
let counted: readonly string[];
const rows = Array.from({ length: 6000 }, (_, i) => `C${"N".repeat(i % 7)}${i % 5900}`);

beforeAll(async () => {
  box = await Sandbox.create({ MEMOIR_MODEL_GUARD: "off" });
  const folder = box.path("counting");
  await cp(join(modelFixtures, "slow"), folder, { recursive: true });
  await writeFile(
    join(folder, "model/framework/run.sh"),
    `while [ -e "${box.path("hold")}" ] && [ "$(wc -l < "${box.path("batches.log")}")" -ge "$(cat "${box.path("hold")}")" ]; do sleep 0.02; done
if grep -q WAIT "$2" && [ ! -e "${box.path("go")}" ]; then touch "${box.path("waiting")}"; sleep 600; fi
awk 'NR == 1 { print "length"; next } { print length($0) }' "$2" > "$3"
echo batch >> "${box.path("batches.log")}"
`,
  );
  // A fixed place for the model: a folder that is used in place has another release after every change in it.
  await box.json("fetch", folder);
  counted = ["--model", "eos0slo"];
  await box.inputs("in.csv", rows);
  await box.json("run", ...counted, "-i", "in.csv", "-o", "whole.csv", "--local", "whole-local");
  expect((await box.rows("whole.csv")).slice(0, 2)).toEqual(["C0,2", "CN1,3"]);
});
afterEach(goOn);
afterAll(() => box.remove());

const batches = () =>
  existsSync(box.path("batches.log"))
    ? readFileSync(box.path("batches.log"), "utf8").trim().split("\n").length
    : 0;

/** From so many more batches on the model waits for `goOn`, so that a run cannot end before it is disturbed. */
async function holdAfter(count: number): Promise<void> {
  await box.write("hold", String(batches() + count));
}

async function goOn(): Promise<void> {
  await rm(box.path("hold"), { force: true });
}

/** Resolves when the model has finished so many more batches. */
function moreBatches(count: number, run: Started): Promise<void> {
  const target = batches() + count;
  return until(() => batches() >= target, run);
}

async function until(reached: () => boolean, run: Started): Promise<void> {
  while (!reached()) {
    if (run.process.exitCode !== null) throw new Error(`the run ended too early:\n${run.err()}`);
    await wait(5);
  }
}

describe("an interrupted run", () => {
  it.each([
    ["kill -9", "SIGKILL"],
    ["Ctrl-C", "SIGINT"],
    ["SIGTERM", "SIGTERM"],
  ] as const)(
    "%s leaves no output; the same command resumes and gives the uninterrupted output",
    async (_, signal) => {
      const words = [
        "run",
        ...counted,
        "-i",
        "in.csv",
        "-o",
        `${signal}.csv`,
        "-b",
        "50",
        "--local",
        `${signal}-local`,
      ];
      for (const at of [20, 25, 30]) {
        await holdAfter(at + 5);
        const run = box.start(...words);
        await moreBatches(at, run);
        run.process.kill(signal);
        const { code, err } = await run.ended;
        if (signal !== "SIGKILL") {
          expect(code).toBe(130);
          expect(err).toContain("finished work is kept");
        }
        expect(existsSync(box.path(`${signal}.csv`))).toBe(false);
      }
      await goOn();
      const before = batches();
      const { counts } = await box.json<{ counts: { reusedLocal: number } }>(...words);
      expect(await box.read(`${signal}.csv`)).toBe(await box.read("whole.csv"));
      // 75 of 118 batches were finished before; what was not recorded yet at a kill is computed again.
      expect(counts.reusedLocal).toBeGreaterThan(0);
      expect(batches() - before).toBeLessThan(5900 / 50);
      expect(existsSync(box.path(`${signal}.csv.memoir-partial`))).toBe(false);
    },
  );

  it.each(["csv", "tsv", "json"])(
    "resumes after the rows that are written already, in .%s",
    async (extension) => {
      const local = `resume-${extension}`;
      const known = await box.write("known.csv", `input,length\n${rows.map((row) => `${row},7\n`).join("")}`);
      await box.json("predictions", "import", "eos0slo", known, "--local", local);
      // Rows are answered in blocks of 20,000; only the third one has something to compute, and the model hangs there.
      const many = [...Array.from({ length: 50_000 }, (_, i) => rows[i % 5900] ?? ""), "WAIT", "new"];
      await box.inputs("many-in.csv", many);
      const words = ["run", ...counted, "-i", "many-in.csv", "-o", `many.${extension}`, "--local", local];
      const run = box.start(...words);
      await until(() => existsSync(box.path("waiting")), run);
      run.process.kill("SIGINT");
      expect((await run.ended).code).toBe(130);
      await box.write("go", "");
      const { resumedRows, rows: written } = await box.json<{ resumedRows: number; rows: number }>(...words);
      expect([resumedRows, written]).toEqual([40_000, 50_002]);
      await box.json("run", ...counted, "-i", "many-in.csv", "-o", `fresh.${extension}`, "--local", local);
      expect(await box.read(`many.${extension}`)).toBe(await box.read(`fresh.${extension}`));
      await Promise.all([rm(box.path("go")), rm(box.path("waiting"))]);
    },
  );

  it("starts again when the input was changed meanwhile", async () => {
    const words = ["run", ...counted, "-i", "changing.csv", "-o", "changed.csv", "--local", "changing-local"];
    await box.inputs("changing.csv", rows);
    await holdAfter(3);
    const run = box.start(...words);
    await moreBatches(2, run);
    run.process.kill("SIGKILL");
    await run.ended;
    await goOn();
    await box.inputs("changing.csv", ["first", ...rows]);
    await box.json(...words);
    expect((await box.rows("changed.csv"))[0]).toBe("first,5");
    expect(await box.rows("changed.csv")).toHaveLength(rows.length + 1);
  });
});

describe("several at once", () => {
  it("two sessions serve two models side by side, and a shell's session is its own", async () => {
    await box.inputs("two.csv", ["CCO"]);
    const a = box.with({ MEMOIR_SESSION: "a" });
    const b = box.with({ MEMOIR_SESSION: "b" });
    await Promise.all([a.json("serve", "eos3b5e"), b.json("serve", "eos0slo")]);
    await Promise.all([
      a.json("run", "-i", "two.csv", "-o", "a.csv"),
      b.json("run", "-i", "two.csv", "-o", "b.csv"),
    ]);
    expect(await box.rows("a.csv")).toEqual(["CCO,46.069"]);
    expect(await box.rows("b.csv")).toEqual(["CCO,3"]);
    // Each `bash -c` is a separate shell: what one serves, the other does not see.
    const one = box.shell("memoir serve eos3b5e >/dev/null && memoir info --json && memoir close");
    expect(one.code).toBe(0);
    expect(one.out).toContain('"model": "eos3b5e"');
    expect(one.out).toContain("closed the session shell-");
    expect(box.shell("memoir info; exit $?").code).toBe(2);
  });

  it("four processes fill one cache at the same time without a loss", async () => {
    const shared = ["--local", "shared-local", "--cloud", "shared-cloud", "--cache-only"];
    const parts = [0, 1, 2, 3].map((part) => rows.slice(part * 400, part * 400 + 800));
    await Promise.all(
      parts.map(async (part, i) => {
        await box.inputs(`part${i}.csv`, part);
        await box.json(
          "run",
          ...counted,
          ...shared,
          "-b",
          "200",
          "-i",
          `part${i}.csv`,
          "-o",
          `part${i}-out.csv`,
        );
      }),
    );
    for (const [i, part] of parts.entries())
      expect(await box.rows(`part${i}-out.csv`)).toEqual(part.map((row) => `${row},${row.length}`));
    const distinct = new Set(parts.flat()).size;
    for (const flag of ["--local-cache-only", "--cloud-cache-only"]) {
      const where = ["--local", "shared-local", "--cloud", "shared-cloud", flag];
      const dumped = await box.json<{ rows: number }>("dump", ...counted, ...where, "-o", "shared.csv");
      expect(dumped.rows).toBe(distinct);
    }
  });

  it("a second run into the same output is refused while the first is at work", async () => {
    const words = ["run", ...counted, "-i", "in.csv", "-o", "busy.csv", "-b", "50", "--local", "busy-local"];
    await holdAfter(4);
    const first = box.start(...words);
    await moreBatches(2, first);
    const { code, err } = await box.run(...words);
    expect(code).toBe(4);
    expect(err).toContain("[PREDICT_OUTPUT_BUSY]");
    await goOn();
    expect((await first.ended).code).toBe(0);
    expect(await box.read("busy.csv")).toBe(await box.read("whole.csv"));
  });

  it("serving again in one session replaces it with a note; close ends it; a second close is not an error", async () => {
    const mine = box.with({ MEMOIR_SESSION: "mine" });
    await mine.run("serve", "eos3b5e");
    const { err } = await mine.run("serve", "eos0slo");
    expect(err).toContain("the session served eos3b5e before; it is replaced");
    expect((await mine.run("close")).out).toContain("closed the session mine of eos0slo");
    const again = await mine.run("close");
    expect([again.code, again.out]).toEqual([0, "no model was served\n"]);
    expect(readdirSync(join(box.home, "sessions"))).not.toContain("mine.json");
  });

  it("a session file that Memoir did not write is reported, and serve repairs it", async () => {
    await mkdir(join(box.home, "sessions"), { recursive: true });
    await writeFile(join(box.home, "sessions", "torn.json"), '{"format":1');
    const torn = box.with({ MEMOIR_SESSION: "torn" });
    const { code, err } = await torn.run("info");
    expect([code, err.includes("[SESSION_DAMAGED]")]).toEqual([4, true]);
    await torn.json("serve", "eos3b5e");
    expect((await torn.json("info"))["model"]).toBe("eos3b5e");
  });
});

describeWith([redisRequirement], "a Redis that dies", () => {
  it("in the middle of a run: the run completes by computing; without computing it ends with exit code 4", async () => {
    const redis = await startRedis();
    try {
      const words = ["run", ...counted, "-i", "in.csv", "-b", "50", "--local", redis.url];
      await holdAfter(5);
      const run = box.start(...words, "-o", "dying.csv");
      await moreBatches(3, run);
      await redis.kill();
      await goOn();
      const { code, err } = await run.ended;
      expect(code).toBe(0);
      expect(err).toContain("warning: the local cache");
      expect(await box.read("dying.csv")).toBe(await box.read("whole.csv"));

      const before = batches();
      const without = await box.run(...words, "-o", "dead.csv", "--local-cache-only");
      expect(without.code).toBe(4);
      expect(without.err).toContain("[STORE_TIER_UNREACHABLE]");
      expect(existsSync(box.path("dead.csv"))).toBe(false);
      expect(batches()).toBe(before);
    } finally {
      await redis.stop();
    }
  });

  it("and answers again before the run has ended gets every answer", async () => {
    const redis = await startRedis();
    try {
      await holdAfter(3);
      redis.freeze();
      const words = ["run", ...counted, "-i", "in.csv", "-b", "200", "--local", redis.url, "--json"];
      const run = box.start(...words, "-o", "thawed.csv");
      await moreBatches(3, run);
      await until(() => run.err().includes("warning: the local cache"), run);
      redis.thaw();
      await goOn();
      const { code, out } = await run.ended;
      expect([code, await box.read("thawed.csv")]).toEqual([0, await box.read("whole.csv")]);
      expect(JSON.parse(out)).toMatchObject({ notStored: [] });
      const { Redis } = await import("ioredis");
      const client = new Redis(redis.url);
      expect(await client.hlen("cache:eos0slo")).toBe(new Set(rows).size);
      await client.quit();
    } finally {
      redis.thaw();
      await redis.stop();
    }
  });

  it("and comes back after the run has ended gets its answers with the next run, which reuses them", async () => {
    const redis = await startRedis();
    try {
      await redis.kill();
      await box.inputs("away.csv", ["CCO", "CCC"]);
      const words = ["run", ...counted, "-i", "away.csv", "--local", redis.url];
      const away = await box.run(...words, "-o", "away-1.csv");
      expect(away.code).toBe(0);
      expect(away.err).toMatch(/not stored: .*2 answers in the local cache .*next run/);
      const again = await box.json(...words, "-o", "away-2.csv");
      expect(again).toMatchObject({ notStored: [{ cache: "local", rows: 2, waiting: 2 }] });
      await redis.restart();
      const back = await box.json(...words, "-o", "away-3.csv");
      expect(back).toMatchObject({ counts: { reusedLocal: 2, computed: 0 }, notStored: [], warnings: [] });
      expect(await box.rows("away-3.csv")).toEqual(["CCO,3", "CCC,3"]);
    } finally {
      await redis.stop();
    }
  });

  it("that never answers is left out with a warning", async () => {
    const redis = await startRedis();
    redis.freeze();
    try {
      await box.inputs("few.csv", ["CCO", "CCC"]);
      const { code, err } = await box.run(
        "run",
        ...counted,
        "-i",
        "few.csv",
        "-o",
        "frozen.csv",
        "--local",
        redis.url,
      );
      expect(code).toBe(0);
      expect(err).toContain("warning: the local cache");
      expect(await box.rows("frozen.csv")).toEqual(["CCO,3", "CCC,3"]);
    } finally {
      redis.thaw();
      await redis.stop();
    }
  });
});

describeWith([s3Requirement], "an S3 that cannot be reached", () => {
  it("gets its answers with the next run that reaches it", async () => {
    const s3 = await sharedS3();
    const bucket = await makeBucket(s3, "away");
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const mine = box.with({
      ...s3Environment(s3),
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL: endpoint,
    });
    await box.inputs("cloudy.csv", ["CCO", "CCC"]);
    const where = ["--cache-only", "--local", "cloudy-local", "--cloud", `s3://${bucket}/memoir`];
    const words = ["run", ...counted, "-i", "cloudy.csv", ...where];
    const away = await mine.json(...words, "-o", "cloudy-1.csv");
    expect(away).toMatchObject({
      counts: { computed: 2 },
      notStored: [{ cache: "cloud", rows: 2, waiting: 2 }],
    });

    const target = new URL(
      s3Environment(s3)["AWS_ENDPOINT_URL_S3"] ?? s3Environment(s3)["AWS_ENDPOINT_URL"] ?? "",
    );
    const way = createServer((socket) => {
      const onward = connect(Number(target.port), target.hostname);
      for (const end of [socket, onward])
        end.on("error", () => [socket, onward].map((each) => each.destroy()));
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => way.listen(port, "127.0.0.1", resolve));
    try {
      const back = await mine.json(...words, "-o", "cloudy-2.csv");
      expect(back).toMatchObject({ counts: { reusedLocal: 2 }, notStored: [] });
      const only = ["--cloud-cache-only", "--cloud", `s3://${bucket}/memoir`];
      await mine.json("run", ...counted, "-i", "cloudy.csv", "-o", "cloudy-3.csv", ...only);
      expect(await box.rows("cloudy-3.csv")).toEqual(["CCO,3", "CCC,3"]);
    } finally {
      way.close();
    }
  });
});
