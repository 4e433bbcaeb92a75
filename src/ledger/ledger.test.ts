import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Ledger, openLedger } from "./ledger.ts";
import type { RunGroupRecord } from "./records.ts";

let folder: string;
let ledger: Ledger;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-ledger-"));
  ledger = await openLedger(join(folder, "sub", "ledger.db"));
});
afterEach(async () => {
  ledger.close();
  await rm(folder, { recursive: true, force: true });
});

function group(id: string, account = "111111111111", name = `group ${id}`): RunGroupRecord {
  return { account, id, name, createdAt: "2026-01-01T00:00:00Z", tags: { a: "ä" }, maxRuns: 3 };
}

describe("the ledger", () => {
  it("gives back records as they were put, to their account only", () => {
    ledger.runGroups.insert(group("1"));
    expect(ledger.runGroups.get("111111111111", "1")).toEqual(group("1"));
    expect(ledger.runGroups.get("222222222222", "1")).toBeUndefined();
    ledger.runGroups.put({ ...group("1"), maxRuns: 9 });
    expect(ledger.runGroups.get("111111111111", "1")?.maxRuns).toBe(9);
    expect(ledger.runGroups.remove("222222222222", "1")).toBe(false);
    expect(ledger.runGroups.remove("111111111111", "1")).toBe(true);
    expect(() => ledger.runGroups.put(group("1"))).toThrow(/no such record/);
  });

  it("pages through records in the order of creation, whatever is inserted meanwhile", () => {
    for (let i = 0; i < 7; i++) ledger.runGroups.insert(group(String(i)));
    ledger.runGroups.insert(group("foreign", "222222222222"));
    const first = ledger.runGroups.page("111111111111", {}, { limit: 3 });
    expect(first.items.map((item) => item.id)).toEqual(["0", "1", "2"]);
    ledger.runGroups.insert(group("late"));
    const seen = first.items.map((item) => item.id);
    for (let token = first.nextToken; token !== undefined; ) {
      const page = ledger.runGroups.page("111111111111", {}, { limit: 3, token });
      seen.push(...page.items.map((item) => item.id));
      token = page.nextToken;
    }
    expect(seen).toEqual(["0", "1", "2", "3", "4", "5", "6", "late"]);
    expect(ledger.runGroups.page("111111111111", { name: "group 4" }, { limit: 3 }).items).toHaveLength(1);
  });

  it("refuses a page token of another listing, in which it would pass over records", () => {
    const [account, limit] = ["111111111111", 1];
    for (const id of ["1", "2"]) ledger.runGroups.insert(group(id));
    const { nextToken: token = "" } = ledger.runGroups.page(account, {}, { limit });
    expect(token).not.toBe("");
    expect(() => ledger.runs.page(account, {}, { limit, token })).toThrow(/handed out for this listing/);
    expect(() => ledger.runGroups.page(account, { name: "g" }, { limit, token })).toThrow(/handed out/);
    expect(ledger.runGroups.page(account, { name: undefined }, { limit, token }).items).toHaveLength(1);
  });

  it("refuses page tokens that it did not hand out", () => {
    for (const token of ["", "x", "cDE=", "p1", Buffer.from("p1; DROP").toString("base64url")]) {
      expect(() => ledger.runGroups.page("111111111111", {}, { limit: 3, token }), token).toThrow(/token/);
    }
  });

  it("a transaction that throws changes nothing", () => {
    expect(() =>
      ledger.transaction(() => {
        ledger.runGroups.insert(group("1"));
        ledger.transaction(() => ledger.runGroups.insert(group("2")));
        throw new Error("stop");
      }),
    ).toThrow("stop");
    expect(ledger.runGroups.count(undefined)).toBe(0);
  });

  it("ids are decimal, new every time, and continue after a restart", async () => {
    const ids = [ledger.nextId(), ledger.nextId()];
    ledger.close();
    ledger = await openLedger(join(folder, "sub", "ledger.db"));
    ids.push(ledger.nextId());
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^\d{7,18}$/);
  });

  it("distinguishes a repeated request from another one with the same request id", () => {
    const at = { account: "111111111111", operation: "StartRun", requestId: "r" };
    expect(ledger.recall(at, "{}")).toEqual({ kind: "new" });
    ledger.remember(at, "{}", '{"id":"1"}');
    expect(ledger.recall(at, "{}")).toEqual({ kind: "answered", answer: '{"id":"1"}' });
    expect(ledger.recall(at, '{"x":1}')).toEqual({ kind: "conflict" });
    expect(ledger.recall({ ...at, account: "222222222222" }, "{}")).toEqual({ kind: "new" });
  });

  it("a second process may read and write at the same time", async () => {
    const other = await openLedger(join(folder, "sub", "ledger.db"));
    other.runGroups.insert(group("theirs"));
    ledger.runGroups.insert(group("ours"));
    expect(other.runGroups.all(undefined).map((item) => item.id)).toEqual(["theirs", "ours"]);
    other.close();
  });
});
