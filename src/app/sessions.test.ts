import { readdirSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isAppError } from "../kernel/index.ts";
import { createSessions, type Session } from "./sessions.ts";

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "memoir-sessions-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const sessionsOf = (parentPid: number, fromEnvironment?: string) =>
  createSessions({ home, parentPid, fromEnvironment });
const session = (name: string): Session => ({
  format: 1,
  name,
  openedAt: "2026-11-22T00:00:00.000Z",
  settings: { model: "eos3b5e", mode: "compute", match: "exact", localCache: "on", cloudUse: "read-write" },
});

it("the flag's name wins over the environment's, and that over the shell", async () => {
  expect(await sessionsOf(process.pid, "env").nameFor("flag")).toBe("flag");
  expect(await sessionsOf(process.pid, "env").nameFor(undefined)).toBe("env");
  expect(await sessionsOf(process.pid).nameFor(undefined)).toMatch(new RegExp(`^shell-${process.pid}-\\w+$`));
});

it("a shell is identified by its process id and its start time", async () => {
  const mine = await sessionsOf(process.pid).nameFor(undefined);
  expect(await sessionsOf(process.pid).nameFor(undefined)).toBe(mine);
  expect(await sessionsOf(process.ppid).nameFor(undefined)).not.toBe(mine);
});

it("a command uses the session of the nearest shell above it that has one", async () => {
  const outer = sessionsOf(process.ppid);
  const inner = sessionsOf(process.pid);
  const outerName = await outer.nameFor(undefined);
  const innerName = await inner.nameFor(undefined);
  expect(await inner.nameOf(undefined)).toBe(innerName);
  await outer.open(session(outerName));
  expect(await inner.nameOf(undefined)).toBe(outerName);
  expect(await sessionsOf(process.pid, "env").nameOf(undefined)).toBe("env");
  await inner.open(session(innerName));
  expect(await inner.nameOf(undefined)).toBe(innerName);
  expect(await outer.nameOf(undefined)).toBe(outerName);
});

it.each(["", "../up", "a/b", ".hidden", "shell-1-2", "x".repeat(65)])("refuses the name %j", async (name) => {
  const error: unknown = await sessionsOf(1)
    .nameFor(name)
    .catch((thrown: unknown) => thrown);
  expect(isAppError(error, "SESSION_NAME_INVALID")).toBe(true);
});

it("opens, finds, replaces and closes; the file is the owner's alone", async () => {
  const sessions = sessionsOf(process.pid);
  expect(await sessions.open(session("a"))).toBeUndefined();
  expect(await sessions.find("a")).toEqual(session("a"));
  expect(statSync(sessions.pathOf("a")).mode & 0o777).toBe(0o600);
  expect(await sessions.open(session("a"))).toEqual(session("a"));
  expect(await sessions.close("a")).toEqual(session("a"));
  expect(await sessions.close("a")).toBeUndefined();
  expect(await sessions.find("a")).toBeUndefined();
});

it("forgets the sessions of shells that have ended, also when their process id lives again", async () => {
  const sessions = sessionsOf(process.pid);
  const mine = await sessions.nameFor(undefined);
  await sessions.open(session(mine));
  await sessions.open(session("named"));
  const folder = join(home, "sessions");
  await writeFile(join(folder, `shell-${process.pid}-1.json`), JSON.stringify(session("old")));
  await writeFile(join(folder, "shell-999999999-77.json"), JSON.stringify(session("gone")));
  await sessions.open(session("named"));
  expect(readdirSync(folder).toSorted()).toEqual([`${mine}.json`, "named.json"].toSorted());
});

it("says that a file is not a session", async () => {
  const sessions = sessionsOf(process.pid);
  await sessions.open(session("a"));
  await writeFile(sessions.pathOf("a"), "{}");
  const error: unknown = await sessions.find("a").catch((thrown: unknown) => thrown);
  expect(isAppError(error, "SESSION_DAMAGED")).toBe(true);
});
