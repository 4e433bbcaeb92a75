import { execFileSync } from "node:child_process";
import { appendFile, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Ledger, openLedger } from "../../ledger/index.ts";
import { TaskLog } from "./task-log.ts";

const account = "111111111111";
const stream = "run/1/task/2";
let folder: string;
let ledger: Ledger;
let troubles: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-task-log-"));
  ledger = await openLedger(join(folder, "ledger.db"));
  troubles = [];
});
afterEach(async () => {
  ledger.close();
  await rm(folder, { recursive: true, force: true });
});

const follow = () =>
  new TaskLog(folder, ledger.logs.openFile(account, stream), (words) => troubles.push(words));
const say = (name: "stdout" | "stderr", text: string | Buffer) => appendFile(join(folder, name), text);
const lines = async () => {
  const messages: string[] = [];
  for await (const { message } of ledger.logs.lines(account, stream)) messages.push(message);
  return messages;
};

it("carries whole lines while they come, and the last one without line feed at the end", async () => {
  const log = follow();
  await say("stdout", "one\ntw");
  await expect.poll(lines).toEqual(["one"]);
  await say("stderr", "trouble\n");
  await expect.poll(lines).toEqual(["one", "trouble"]);
  await say("stdout", "o\n\nthree");
  await expect.poll(lines).toEqual(["one", "trouble", "two", ""]);
  await log.end();
  expect(await lines()).toEqual(["one", "trouble", "two", "", "three"]);
  expect(troubles).toEqual([]);
});

it("leaves nothing out of much, and cuts a line without end at whole characters", async () => {
  const many = Array.from({ length: 300_000 }, (_, n) => `line ${n}`);
  await say("stdout", `${many.join("\n")}\n`);
  const endless = "€ä".repeat(200_000);
  await say("stderr", endless);
  const log = follow();
  await log.end();
  const found = await lines();
  expect(found.filter((line) => line.startsWith("line "))).toEqual(many);
  const pieces = found.filter((line) => !line.startsWith("line "));
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.join("")).toBe(endless);
});

it("follows no link and waits for no pipe that a task put in the place of its streams", async () => {
  await writeFile(join(folder, "secret"), "secret\n");
  await symlink(join(folder, "secret"), join(folder, "stdout"));
  execFileSync("sh", ["-c", 'mkfifo "$1"', "sh", join(folder, "stderr")]);
  await follow().end();
  expect(await lines()).toEqual([]);
  expect(troubles).toEqual([]);
});

it("reports once that a log cannot be written, and the task continues", async () => {
  await writeFile(join(folder, "logs"), "a file where the folder should be");
  const log = follow();
  await say("stdout", "one\n");
  await say("stderr", "two\n");
  await log.end();
  expect(troubles).toHaveLength(1);
  expect(troubles[0]).toMatch(/ENOTDIR|EEXIST/);
});
