import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseExitCode, parseUsage, readAttemptEnd, usageOf, writeStopMark } from "./attempt-files.ts";

const measured =
  '{"wallCentiseconds":250,"cgroupCpuMicroseconds":1500000,"cpuTicks":120,"peakBytes":1048576,"oomKills":0}';

describe("what an attempt left", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "memoir-attempt-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const put = (name: string, text: string) => writeFile(join(directory, name), text);

  it("is nothing until there is a whole exit code", async () => {
    expect(await readAttemptEnd(directory, { wallSeconds: 1 })).toBeUndefined();
    await put("usage.json", measured);
    for (const text of ["", "1", "12x\n", "1\n2\n", "-1\n", "1000\n"]) {
      await put("rc", text);
      expect(await readAttemptEnd(directory, { wallSeconds: 1 })).toBeUndefined();
    }
  });

  it("is its exit code and what it used", async () => {
    await put("usage.json", measured);
    await put("rc", "3\n");
    expect(await readAttemptEnd(directory, { wallSeconds: 9 })).toEqual({
      kind: "exited",
      exitCode: 3,
      outOfMemory: false,
      usage: { wallSeconds: 2.5, cpuSeconds: 1.5, maxRssBytes: 1_048_576, source: "cgroup" },
    });
  });

  it("is doubtful when memory ran out, even with exit code 0", async () => {
    await put("usage.json", measured.replace('"oomKills":0', '"oomKills":2'));
    await put("rc", "0\n");
    expect(await readAttemptEnd(directory, { wallSeconds: 9 })).toMatchObject({
      exitCode: 0,
      outOfMemory: true,
    });
  });

  it("is our stopping it, whatever exit code came of that", async () => {
    await put("rc", "143\n");
    await writeStopMark(directory, "timed-out");
    expect(await readAttemptEnd(directory, { wallSeconds: 9 })).toMatchObject({ kind: "timed-out" });
    await writeStopMark(directory, "cancelled");
    expect(await readAttemptEnd(directory, { wallSeconds: 9 })).toEqual({ kind: "cancelled" });
  });

  it("is not read from what a task put in place of our files", async () => {
    await symlink("/dev/zero", join(directory, "rc"));
    await put("usage.json", `{"peakBytes":${"1".repeat(9000)}}`);
    expect(await readAttemptEnd(directory, { wallSeconds: 9 })).toBeUndefined();
  });
});

describe("parseUsage", () => {
  it.each(["", "{", "[]", "null", "3", '{"peakBytes":-1,"cpuTicks":"7","oomKills":1.5}'])(
    "takes nothing from %j",
    (text) => {
      expect(new Set(Object.values(parseUsage(text)))).toEqual(new Set([null]));
    },
  );

  it("falls back from cgroup to /proc to nothing, and says which", () => {
    const none = parseUsage("");
    expect(usageOf(none, 4)).toEqual({ wallSeconds: 4, cpuSeconds: null, maxRssBytes: null, source: "none" });
    expect(usageOf({ ...none, cpuTicks: 250 }, 4)).toMatchObject({ cpuSeconds: 2.5, source: "proc" });
  });
});

it("reads an exit code only as a complete line", () => {
  expect(parseExitCode("137\n")).toBe(137);
  expect(parseExitCode("13")).toBeUndefined();
});
