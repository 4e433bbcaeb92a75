/** Slices on a disk that fills up, and shards that were mixed up: every row once in the end, or a merge that names what is wrong. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWith, type Requirement } from "../servers/requirement.ts";
import { Sandbox } from "./memoir.ts";

const root: Requirement = {
  name: "a small file system",
  programs: ["mount", "umount"],
  debianPackages: ["mount"],
  needsRoot: true,
};
const rows = Array.from({ length: 400 }, (_, i) => `C${"C".repeat(i % 20)}${"N".repeat((i % 380) / 20)}`);
const model = ["--model", "molecular-weight"] as const;

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
  await box.inputs("in.csv", rows);
  await box.json("run", ...model, "-i", "in.csv", "-o", "whole.csv", "--local", "other");
});
afterAll(() => box.remove());

const plan = (name: string, slices: number) =>
  box.json("batch", "plan", ...model, "-i", "in.csv", "--slices", String(slices), "-o", name);
const slice = (number: number, name: string) =>
  ["batch", "work", name, "--slice", String(number), "--local", "local"] as const;

describeWith([root], "a batch on a disk that is full", () => {
  beforeAll(() => {
    mkdirSync(box.path("disk"));
    const words = ["-t", "tmpfs", "-o", "size=256k,mode=777", "none", box.path("disk")];
    expect(spawnSync("mount", words).status).toBe(0);
  });
  afterAll(() => {
    spawnSync("umount", [box.path("disk")]);
  });

  /** Takes all space that there is but for some KiB. */
  function fill(leftKibibytes: number): void {
    const filler = box.path("disk/filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4096"]);
    truncateSync(filler, statSync(filler).size - leftKibibytes * 1024);
  }
  const free = () => rmSync(box.path("disk/filler"));

  it.each([0, 4, 8])("with %i KiB left writes no shard, and repeating gives every row once", async (left) => {
    await plan("disk.json", 2);
    const shards = ["--shards", "disk/shards"] as const;
    rmSync(box.path("disk/shards"), { recursive: true, force: true });
    await box.json(...slice(1, "disk.json"), ...shards);
    fill(left);
    const { code, err } = await box.run(...slice(2, "disk.json"), ...shards);
    expect([code, err]).toEqual([4, expect.stringContaining("[DISK_FULL]")]);
    expect(readdirSync(box.path("disk/shards")).filter((name) => name.endsWith(".rows"))).toHaveLength(1);
    const early = await box.run("batch", "merge", "disk.json", ...shards, "-o", "early.csv");
    expect([early.code, early.err]).toEqual([75, expect.stringContaining("slice 2 of 2 is not done")]);
    free();
    await box.json(...slice(2, "disk.json"), ...shards);
    fill(left);
    const full = await box.run("batch", "merge", "disk.json", ...shards, "-o", "disk/out.csv");
    expect([full.code, full.err]).toEqual([4, expect.stringContaining("[DISK_FULL]")]);
    expect(existsSync(box.path("disk/out.csv"))).toBe(false);
    free();
    await box.json("batch", "merge", "disk.json", ...shards, "-o", "disk/out.csv");
    expect(await box.read("disk/out.csv")).toBe(await box.read("whole.csv"));
    rmSync(box.path("disk/out.csv"));
  });
});

describe("shards that were mixed up", () => {
  it("are never taken for others, whatever name they have", async () => {
    await plan("mixed.json", 3);
    await plan("others.json", 2);
    for (const number of [1, 2, 3]) await box.json(...slice(number, "mixed.json"));
    for (const number of [1, 2]) await box.json(...slice(number, "others.json"));
    const files = (name: string) =>
      readdirSync(box.path(name))
        .filter((each) => each.endsWith(".rows"))
        .sort()
        .map((each) => join(box.path(name), each));
    const [first = "", second = "", third = ""] = files("mixed.json.shards");
    const [foreign = ""] = files("others.json.shards");
    const kept = `${box.path("kept")}`;
    copyFileSync(second, kept);
    for (const wrong of [first, third, foreign]) {
      copyFileSync(wrong, second);
      const { code, err } = await box.run("batch", "merge", "mixed.json", "-o", "mixed.csv");
      expect([code, err]).toEqual([75, expect.stringContaining("slice 2 of 3 is not done")]);
      expect(existsSync(box.path("mixed.csv"))).toBe(false);
    }
    // Files of other batches in the same folder do no harm.
    copyFileSync(kept, second);
    copyFileSync(foreign, join(box.path("mixed.json.shards"), "copy-of-1.rows"));
    writeFileSync(join(box.path("mixed.json.shards"), "notes.txt"), "mine\n");
    await box.json("batch", "merge", "mixed.json", "-o", "mixed.csv");
    expect(await box.read("mixed.csv")).toBe(await box.read("whole.csv"));
  });
});
