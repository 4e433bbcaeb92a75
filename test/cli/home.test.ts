/** Homes that cannot be used: one answer from every command, and a doctor that reports it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Env, Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
  await box.inputs("in.csv", ["CCO"]);
  await box.write("file", "not a folder\n");
  await box.write("w.wdl", "version 1.1\nworkflow w {\n  output { Int x = 1 }\n}\n");
  symlinkSync("nowhere", box.path("dangling"));
  symlinkSync("loop", box.path("loop"));
  mkdirSync(box.home);
});
afterAll(() => box.remove());

interface BadHome {
  readonly title: string;
  readonly env: Env;
  readonly says: string;
}

const badHomes: readonly BadHome[] = [
  { title: "a file", env: { MEMOIR_HOME: "file" }, says: "file as Memoir's home: it is not a folder" },
  {
    title: "a path through a file",
    env: { MEMOIR_HOME: "file/below" },
    says: "file/below as Memoir's home: a part of the path is a file",
  },
  {
    title: "a link that leads nowhere",
    env: { MEMOIR_HOME: "dangling" },
    says: "leads to nowhere, which does not exist",
  },
  {
    title: "a path through a link that leads nowhere",
    env: { MEMOIR_HOME: "dangling/below" },
    says: "leads to nowhere, which does not exist",
  },
  { title: "a loop of links", env: { MEMOIR_HOME: "loop" }, says: "its links form a loop" },
  { title: "a device", env: { MEMOIR_HOME: "/dev/null" }, says: "it is not a folder" },
  { title: "blanks", env: { MEMOIR_HOME: " " }, says: "MEMOIR_HOME is blank" },
  { title: "a ~ in quotes", env: { MEMOIR_HOME: "~/memoir" }, says: "MEMOIR_HOME begins with ~" },
  { title: "a URL", env: { MEMOIR_HOME: "s3://bucket/memoir" }, says: "MEMOIR_HOME is a URL, not a folder" },
  {
    title: "none, where HOME is empty",
    env: { MEMOIR_HOME: "", HOME: "" },
    says: "MEMOIR_HOME is not set, and HOME is empty",
  },
  {
    title: "none, where HOME is relative",
    env: { MEMOIR_HOME: "", HOME: "rel" },
    says: "MEMOIR_HOME is not set, and HOME is not an absolute path",
  },
];

describe.each(badHomes)("a home that is $title", ({ env, says }) => {
  it("is refused by every command that needs one, and nothing is made", async () => {
    const before = readdirSync(box.folder);
    for (const words of [
      ["cache", "list"],
      ["runs", "list"],
      ["predictions", "stats"],
      ["run", "--model", "eos3b5e", "-i", "in.csv", "-o", "out.csv"],
      ["run", "w.wdl"],
    ]) {
      const { code, err, out } = await box.with(env).run(...words);
      expect(err, words.join(" ")).toContain(says);
      expect(err).toContain("[HOME_UNUSABLE]");
      expect([code, out]).toEqual([4, ""]);
    }
    expect(readdirSync(box.folder)).toEqual(before);
  });
});

it("a file as home is refused by every other command, too, except by those that need no home", async () => {
  const strange = box.with({ MEMOIR_HOME: "file" });
  for (const words of [
    ["catalog"],
    ["close"],
    ["serve", "eos3b5e"],
    ["runs", "show", "last"],
    ["cache", "create", "c"],
    ["server", "--port", "0", "--executor", "host", "--for", "0"],
  ]) {
    const { code, err } = await strange.run(...words);
    expect(err, words.join(" ")).toContain("[HOME_UNUSABLE]");
    expect(code).toBe(4);
  }
  for (const words of [
    ["check", "w.wdl"],
    ["inputs", "w.wdl"],
    ["completion", "bash"],
  ])
    expect((await strange.run(...words)).code).toBe(0);
});

it.each(badHomes.filter((_, i) => i % 3 === 0))(
  "a home that is $title does not prevent the doctor from reporting the rest",
  async ({ env, says }) => {
    const before = readdirSync(box.folder);
    const { code, out } = await box.with(env).run("doctor", "--json");
    expect(code).toBe(4);
    const { findings } = JSON.parse(out) as { findings: { name: string; state: string; detail: string }[] };
    const of = (name: string) => findings.find((finding) => finding.name === name);
    expect(of("home")).toMatchObject({ state: "trouble", detail: expect.stringContaining(says) });
    expect(of("models")).toMatchObject({ state: "trouble" });
    expect(of("Node.js")).toMatchObject({ state: "ok" });
    expect(of("bash")).toMatchObject({ state: "ok" });
    expect(readdirSync(box.folder)).toEqual(before);
  },
);

it("a home that does not exist yet is made, with the folders above it", async () => {
  const { code } = await box.with({ MEMOIR_HOME: "new/deep/home" }).run("serve", "eos3b5e", "--session", "s");
  expect(code).toBe(0);
  expect(existsSync(box.path("new/deep/home/sessions/s.json"))).toBe(true);
});

it("without MEMOIR_HOME, also when it is empty, the home is .memoir in HOME", async () => {
  mkdirSync(box.path("user"));
  const user = box.with({ MEMOIR_HOME: "", HOME: box.path("user") });
  expect((await user.run("serve", "eos3b5e", "--session", "s")).code).toBe(0);
  expect(existsSync(box.path("user/.memoir/sessions/s.json"))).toBe(true);
});

it("a current folder that was removed is named as the reason", () => {
  mkdirSync(box.path("gone"));
  const { code, err } = box.shell("cd gone; rmdir ../gone; memoir cache list");
  expect(err).toContain("error: the current folder does not exist any more [FILE_NOT_FOUND]");
  expect(code).toBe(3);
});

it("every variable of Memoir's is described in the page of the doctor", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const page = await readFile(join(root, "docs/commands/doctor.md"), "utf8");
  const { stdout } = spawnSync(
    "grep",
    ["-rhoE", "--include=*.ts", '"MEMOIR_[A-Z0-9_]+"', "src/app", "src/cli"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  const read = new Set(stdout.match(/MEMOIR_[A-Z0-9_]+/g));
  expect(read.size).toBeGreaterThan(4);
  for (const name of read) expect(page).toContain(`\`${name}\``);
});

describe("values of variables that cannot be meant", () => {
  it.each([
    [
      "MEMOIR_LOCAL",
      "~/cache",
      "it begins with ~, which the shell replaces only outside quotes (from MEMOIR_LOCAL)",
    ],
    ["MEMOIR_LOCAL", "  ", "it is blank (from MEMOIR_LOCAL)"],
    ["MEMOIR_LOCAL", "mysql://host/db", "no local cache of this kind is known"],
    ["MEMOIR_LOCAL", "redis://host:99999", "[STORE_URL_INVALID]"],
    [
      "MEMOIR_CLOUD",
      "~/cache",
      "it begins with ~, which the shell replaces only outside quotes (from MEMOIR_CLOUD)",
    ],
    ["MEMOIR_CLOUD", "gs://bucket", "no cloud cache of this kind is known"],
    ["MEMOIR_SESSION", "../up", 'cannot use "../up" as the name of a session'],
    ["MEMOIR_SESSION", " ", 'cannot use " " as the name of a session'],
  ])("%s=%j is refused, and reported by the doctor if it is a place", async (name, value, says) => {
    const before = readdirSync(box.folder);
    const strange = box.with({ [name]: value });
    const { code, err } = await strange.run("serve", "eos3b5e", "--cache-only");
    expect(err).toContain(says);
    expect(code).toBe(2);
    if (name !== "MEMOIR_SESSION") {
      const doctor = await strange.run("doctor");
      expect(doctor.code).toBe(4);
      expect(doctor.out.replaceAll(/\s+/g, " ")).toContain(says.replace(/^\[|\]$/g, ""));
    }
    expect(readdirSync(box.folder)).toEqual(before);
  });
});
