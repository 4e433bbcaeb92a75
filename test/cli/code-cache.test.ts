/** The code that the command keeps between its starts: a copy of the program, whose folder the tests may change. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { removeFolder } from "../remove-folder.ts";
import { ensureBuilt, memoirProgram } from "./memoir.ts";

const dist = dirname(memoirProgram);
let folder: string;
let box: string;

beforeAll(() => {
  ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), "memoir-code-cache-"));
});
afterAll(() => removeFolder(folder));

beforeEach(() => {
  box = mkdtempSync(join(folder, "box-"));
  mkdirSync(join(box, "program", "dist"), { recursive: true });
  copyFileSync(join(dist, "..", "package.json"), join(box, "program", "package.json"));
  for (const name of readdirSync(dist).filter((each) => each.endsWith(".js")))
    copyFileSync(join(dist, name), join(box, "program", "dist", name));
  writeFileSync(join(box, "one.wdl"), "version 1.1\ntask one { command <<< true >>> }\n");
});

function check(env: Readonly<Record<string, string>> = {}) {
  return memoir(["check", "one.wdl"], env);
}

function memoir(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const program = join(box, "program", "dist", "memoir.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    cwd: box,
    env: { PATH: process.env["PATH"], HOME: join(box, "user"), MEMOIR_HOME: join(box, "home"), ...env },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const good = { status: 0, stdout: "ok one.wdl (task one)\n", stderr: "" };

/** Of a command, below one of the places. */
function kept(place = join(box, "program", ".code-cache"), use = "check"): string | undefined {
  if (!existsSync(place) || !statSync(place).isDirectory()) return undefined;
  const [build] = readdirSync(place);
  return build === undefined ? undefined : join(place, build, `${use}.bin`);
}

function keptFile(place?: string, use?: string): string {
  const path = kept(place, use);
  if (path === undefined) throw new Error("no code was kept");
  return path;
}

it("is written once and used then", () => {
  expect(check()).toEqual(good);
  const path = keptFile();
  const { ino, mode } = statSync(path);
  expect(mode & 0o022).toBe(0);
  expect(check()).toEqual(good);
  expect(statSync(path).ino).toBe(ino);
  expect(readdirSync(dirname(path))).toEqual(["check.bin"]);
});

it("is used by a run of a workflow, which compiles nothing again", () => {
  const words = [
    "run",
    "one.wdl",
    "--executor",
    "host",
    "--cache",
    "./cache",
    "--cache-host-tasks",
    "--json",
  ];
  // The second run reuses, for which it loads more.
  for (let run = 0; run < 2; run++) expect(memoir(words).status).toBe(0);
  const path = keptFile(undefined, "run");
  const { ino } = statSync(path);
  expect(memoir(words).status).toBe(0);
  expect(statSync(path).ino).toBe(ino);
});

it.each([
  ["is cut off", (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
  ["has other bytes in its middle", (bytes: Buffer) => Buffer.from(bytes).fill(0x5a, 9_000, 9_400)],
  ["is empty", () => Buffer.alloc(0)],
])("is compiled again when it %s", (_, damage) => {
  expect(check()).toEqual(good);
  const whole = readFileSync(keptFile());
  writeFileSync(keptFile(), damage(whole));
  expect(check()).toEqual(good);
  expect(readFileSync(keptFile()).length).toBeGreaterThan(whole.length / 2);
});

it("is not used when others may write it", () => {
  expect(check()).toEqual(good);
  chmodSync(keptFile(), 0o666);
  const { ino } = statSync(keptFile());
  expect(check()).toEqual(good);
  expect(statSync(keptFile()).mode & 0o022).toBe(0);
  expect(statSync(keptFile()).ino).not.toBe(ino);
});

it("is kept in the user's cache folder when the program's folder cannot be written", () => {
  writeFileSync(join(box, "program", ".code-cache"), "");
  expect(check()).toEqual(good);
  const path = keptFile(join(box, "user", ".cache", "memoir", "code"));
  const { ino } = statSync(path);
  expect(check()).toEqual(good);
  expect(statSync(path).ino).toBe(ino);
});

it("is not kept anywhere with MEMOIR_CODE_CACHE=off, nor after a command that failed", () => {
  expect(check({ MEMOIR_CODE_CACHE: "off" })).toEqual(good);
  writeFileSync(join(box, "one.wdl"), "version 1.1\ntask {\n");
  expect(check().status).not.toBe(0);
  expect(kept()).toBeUndefined();
  expect(kept(join(box, "user", ".cache", "memoir", "code"))).toBeUndefined();
});
