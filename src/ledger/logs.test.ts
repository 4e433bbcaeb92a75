import { appendFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Ledger, openLedger } from "./ledger.ts";
import { LogFileWriter, readLogFile } from "./log-file.ts";
import type { LogPage, LogWindow } from "./log-window.ts";
import { migrations } from "./migrations.ts";

const account = "111111111111";
let folder: string;
let ledger: Ledger;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-logs-"));
  ledger = await openLedger(join(folder, "ledger.db"));
});
afterEach(async () => {
  ledger.close();
  await rm(folder, { recursive: true, force: true });
});

const messages = (page: LogPage | undefined) => page?.lines.map((line) => line.message);

/** Every page from the front, then from the back: each gives every line once. */
async function walk(read: (window: LogWindow) => Promise<LogPage | undefined>, limit: number) {
  const forward: string[] = [];
  for (let from = 0; ; ) {
    const page = await read({ from, limit });
    if (page === undefined || page.lines.length === 0) break;
    forward.push(...page.lines.map((line) => line.message));
    from = page.next;
  }
  const backward: string[] = [];
  for (let before: number | undefined; ; ) {
    const place = before === undefined ? {} : { before };
    const page = await read({ newest: true, limit, ...place });
    if (page === undefined || page.lines.length === 0) break;
    backward.unshift(...page.lines.map((line) => line.message));
    before = page.previous;
  }
  return { forward, backward };
}

describe.each(["lines", "file"] as const)("a stream of %s", (kind) => {
  const stream = "run/1/task/2";
  const write = (words: readonly string[]) => {
    if (kind === "lines")
      ledger.logs.append(
        account,
        stream,
        words.map((message) => ({ at: Date.now(), message })),
      );
    else {
      const writer = ledger.logs.openFile(account, stream);
      for (const word of words) writer.write(Buffer.from(word));
      writer.close();
    }
  };

  it("is read forward and backward, each line once, and continues where it grew", async () => {
    const words = Array.from({ length: 25 }, (_, n) => `line ${n} ä`);
    write(words);
    expect(await walk((window) => ledger.logs.read(account, stream, window), 4)).toEqual({
      forward: words,
      backward: words,
    });
    const last = await ledger.logs.read(account, stream, { newest: true, limit: 2 });
    expect(messages(last)).toEqual(words.slice(-2));
    const from = last?.next ?? 0;
    expect(await ledger.logs.read(account, stream, { from, limit: 5 })).toMatchObject({
      lines: [],
      next: from,
    });
    write(["new"]);
    expect(messages(await ledger.logs.read(account, stream, { from, limit: 5 }))).toEqual(["new"]);
  });

  it("ends its pages at a mebibyte", async () => {
    const long = "x".repeat(200_000);
    write(Array.from({ length: 12 }, (_, n) => `${n} ${long}`));
    const read = (window: LogWindow) => ledger.logs.read(account, stream, window);
    const pages = [await read({ limit: 100 }), await read({ limit: 100, newest: true })];
    expect(pages.map((page) => page?.lines.length)).toEqual([5, 5]);
    const { forward, backward } = await walk(read, 100);
    expect(forward.map((message) => Number(message.split(" ")[0]))).toEqual([...Array(12).keys()]);
    expect(backward).toEqual(forward);
  });

  it("is seen by its account only", async () => {
    write(["secret"]);
    expect(await ledger.logs.read("222222222222", stream, { limit: 9 })).toBeUndefined();
    expect(ledger.logs.streams("222222222222", { limit: 9 })).toEqual([]);
  });
});

describe("a stream in a file", () => {
  const path = () => join(folder, "x.log");
  /** A line per time, whatever the clock says. */
  const write = (times: readonly number[]) => {
    let now = 0;
    const writer = new LogFileWriter(path(), () => now);
    for (const time of times) {
      now = time;
      writer.write(Buffer.from(`at ${time}\nand`));
    }
    writer.close();
  };

  it("is searched by time, with many lines of one moment", async () => {
    const times = [5, 5, 5, 7, 7, 9, 20, 20, 20, 20, 31];
    write(times);
    for (const since of [0, 4, 5, 6, 7, 8, 9, 10, 20, 21, 31, 32]) {
      for (const until of [0, 5, 8, 20, 25, 31, 32, 99]) {
        const page = await readLogFile(path(), { since, until, limit: 100 });
        const expected = times.filter((time) => time >= since && time < until);
        expect(
          page.lines.map((line) => line.at),
          `${since} to ${until}`,
        ).toEqual(expected.flatMap((time) => [time, time]));
      }
    }
  });

  it("shows no line that is still being written, and is empty when its file is missing", async () => {
    write([1]);
    await appendFile(path(), "0000000000002 half a");
    expect(messages(await readLogFile(path(), { limit: 9 }))).toEqual(["at 1", "and"]);
    expect(messages(await readLogFile(path(), { limit: 9, newest: true }))).toEqual(["at 1", "and"]);
    expect(await readLogFile(join(folder, "none.log"), { from: 7, limit: 9 })).toEqual({
      lines: [],
      next: 7,
      previous: 7,
    });
  });

  it("keeps every byte that is text, and reads the rest as replacement characters", async () => {
    const writer = new LogFileWriter(path(), () => 1);
    writer.write(Buffer.concat([Buffer.from("ü\r"), Buffer.from([0xff, 0x00]), Buffer.from("€")]));
    writer.close();
    const [line] = (await readLogFile(path(), { limit: 9 })).lines;
    expect(line?.message).toBe("ü\r\ufffd\u0000€");
    expect(line?.end).toBe((await stat(path())).size);
  });
});

it("a ledger of an earlier version keeps its lines and learns of its streams", async () => {
  const file = join(folder, "old.db");
  const { default: Database } = await import("libsql");
  const old = new Database(file);
  old.exec(`${migrations[0]}; PRAGMA user_version = 1;`);
  const insert = old.prepare("INSERT INTO log_line (account, stream, at, message) VALUES (?, ?, ?, ?)");
  for (const at of [7, 9]) insert.run(account, "run/1/task/2", at, `at ${at}`);
  old.close();
  const opened = await openLedger(file);
  expect(opened.logs.streams(account, { limit: 9 })).toEqual([
    { name: "run/1/task/2", firstAt: 7, lastAt: 9 },
  ]);
  expect(messages(await opened.logs.read(account, "run/1/task/2", { limit: 9 }))).toEqual(["at 7", "at 9"]);
  opened.close();
});

describe("the list of streams", () => {
  it("is paged by name or by the last line's time, in both directions, and knows streams without lines", () => {
    ledger.logs.append(account, "run/2", [{ at: 30, message: "x" }]);
    ledger.logs.openFile(account, "run/2/task/9").close();
    ledger.logs.append(account, "run/10", [{ at: 40, message: "x" }]);
    ledger.logs.append(account, "run/1", [{ at: 50, message: "x" }]);
    const list = (query: object) => {
      const names: string[] = [];
      for (let after: string | undefined; ; ) {
        const [one] = ledger.logs.streams(account, {
          ...query,
          limit: 1,
          ...(after === undefined ? {} : { after }),
        });
        if (one === undefined) return names;
        names.push(one.name);
        after = one.name;
      }
    };
    expect(list({})).toEqual(["run/1", "run/10", "run/2", "run/2/task/9"]);
    expect(list({ descending: true })).toEqual(["run/2/task/9", "run/2", "run/10", "run/1"]);
    expect(list({ prefix: "run/2" })).toEqual(["run/2", "run/2/task/9"]);
    // A stream without lines has no last one.
    expect(list({ order: "last-written" })).toEqual(["run/2", "run/10", "run/1"]);
    expect(list({ order: "last-written", descending: true })).toEqual(["run/1", "run/10", "run/2"]);
    expect(ledger.logs.streams(account, { prefix: "run/2/", limit: 9 })).toEqual([
      { name: "run/2/task/9", firstAt: undefined, lastAt: undefined },
    ]);
  });
});
