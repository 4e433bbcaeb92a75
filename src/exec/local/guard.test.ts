import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { InputMount } from "../core/index.ts";
import { guardTable, parseMounts } from "./guard.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "memoir-guard-test-")));
  mkdirSync(join(folder, "set/sub"), { recursive: true });
  mkdirSync(join(folder, "attempt/inputs/0"), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mounts = (): readonly InputMount[] => [
  { source: join(folder, "set"), target: "/mnt/memoir/inputs/0/set", kind: "directory" },
];

/** Targets of the table. */
async function table(): Promise<readonly string[]> {
  const directory = join(folder, "attempt");
  const placeOf = (target: string) => target.replace("/mnt/memoir", directory);
  const text = await guardTable(mounts(), { directory, placeOf }, freshAsk());
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
}

const place = () => join(folder, "attempt/inputs/0/set");

describe("the table of mounts", () => {
  it("has an input at its place, and no links that stay inside it", async () => {
    symlinkSync("sub", join(folder, "set/inside"));
    symlinkSync("../sub", join(folder, "set/sub/up"));
    symlinkSync("nowhere", join(folder, "set/broken"));
    expect(await table()).toEqual([place()]);
  });

  it("has what links lead to, also over other folders, each once", async () => {
    mkdirSync(join(folder, "other"));
    writeFileSync(join(folder, "other/a"), "");
    writeFileSync(join(folder, "far"), "");
    symlinkSync(join(folder, "other"), join(folder, "set/one"));
    symlinkSync(join(folder, "other"), join(folder, "set/sub/two"));
    symlinkSync("../far", join(folder, "other/next"));
    symlinkSync(join(folder, "set/sub"), join(folder, "set/itself"));
    expect([...(await table())].sort()).toEqual(
      [place(), join(folder, "other"), join(folder, "far"), join(folder, "set/sub")].sort(),
    );
  });

  it("has what a link leads to when it is read where the input is, not where it comes from", async () => {
    writeFileSync(join(folder, "attempt-file"), "");
    symlinkSync("../../../../attempt-file", join(folder, "set/sub/climbs"));
    symlinkSync("../../../../../attempt-file", join(folder, "set/sub/climbs-more"));
    expect(await table()).toEqual([place(), join(folder, "attempt-file")]);
  });

  it("is refused when a link leads to a folder that the task works in", async () => {
    symlinkSync("/", join(folder, "set/root"));
    await expect(table()).rejects.toMatchObject({ code: "EXEC_START_FAILED" });
  });
});

it("mount points are read with their odd characters and options", () => {
  const text = "36 35 98:0 /x /mnt/a\\040b rw,nosuid,nodev - ext4 /dev/root rw\n";
  expect(parseMounts(text)).toEqual([{ point: "/mnt/a b", options: ["rw", "nosuid", "nodev"] }]);
});
