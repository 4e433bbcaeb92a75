import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Ledger, openLedger } from "../../ledger/index.ts";
import { type EventPlace, type FilterQuery, filterEvents } from "./filter-events.ts";

const account = "111111111111";
let folder: string;
let ledger: Ledger;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-filter-"));
  ledger = await openLedger(join(folder, "ledger.db"));
});
afterEach(async () => {
  ledger.close();
  await rm(folder, { recursive: true, force: true });
});

async function pages(query: Partial<FilterQuery> & Pick<FilterQuery, "streams" | "limit">) {
  const found: { stream: string; message: string; at: number }[] = [];
  let count = 0;
  for (let after: EventPlace | undefined; ; count++) {
    const { events, next } = await filterEvents(ledger.logs, {
      ...{ account, matches: () => true, since: 0, until: Number.MAX_SAFE_INTEGER },
      ...query,
      after,
    });
    expect(events.length).toBeLessThanOrEqual(query.limit);
    found.push(...events.map(({ stream, message, at }) => ({ stream, message, at })));
    if (next === undefined) return { found, count };
    after = next;
  }
}

it("gives the lines of all streams in the order of time, each once, whatever the size of a page", async () => {
  const written: { stream: string; message: string; at: number }[] = [];
  for (let n = 0; n < 300; n++) {
    const line = { at: 1000 + Math.floor(n / 7), message: `m${n}` };
    const stream = `s${(n * 7919) % 5}`;
    ledger.logs.append(account, stream, [line]);
    written.push({ stream, ...line });
  }
  const sorted = written.sort(
    (a, b) => a.at - b.at || (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : 0),
  );
  const streams = ["s0", "s1", "s2", "s3", "s4"];
  for (const limit of [1, 3, 50, 299, 300, 1000])
    expect((await pages({ streams, limit })).found, `limit ${limit}`).toEqual(sorted);
  const window = await pages({ streams, limit: 10, since: 1010, until: 1020 });
  expect(window.found).toEqual(sorted.filter(({ at }) => at >= 1010 && at < 1020));
});

it("finds the one line in many that matches, in bounded steps", async () => {
  const lines = Array.from({ length: 250_000 }, (_, n) => (n === 249_000 ? "needle" : "hay"));
  const writer = ledger.logs.openFile(account, "big");
  writer.write(Buffer.from(lines.join("\n")));
  writer.close();
  const { found, count } = await pages({
    streams: ["big"],
    limit: 10,
    matches: (message) => message === "needle",
  });
  expect(found.map(({ message }) => message)).toEqual(["needle"]);
  expect(count).toBeGreaterThan(0);
});
