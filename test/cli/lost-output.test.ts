/** Standard output and standard error that cannot be written: an error of one line or nothing, and never a stack. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registry } from "../../src/cli/registry.ts";
import { describeWith, findProgram, type Requirement } from "../servers/requirement.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

const full = /^error: cannot write standard output: the disk is full \[DISK_FULL\]\n {2}.*\n$/;

describe("a full device as standard output", () => {
  it.each([
    ["", 2],
    ["--help", 4],
    ["help", 4],
    ["--version", 4],
    ["cache", 2],
    ["cache --help", 4],
    ["catalog", 4],
    ["doctor", 4],
    ["completion bash", 4],
    ["example -n 3", 4],
    ["example -n 3 -o -", 4],
    ["cache list", 4],
    ["runs list", 4],
  ])("memoir %s says so and ends with %d", (words, code) => {
    const ended = box.shell(`memoir ${words} > /dev/full`);
    expect(ended.err).toMatch(full);
    expect(ended.code).toBe(code);
  });

  it("every command's help says so and ends with 4", () => {
    const names = registry.map(({ name }) => name);
    const lines = names.map((name) => `memoir ${name} --help > /dev/full; echo $?`);
    const { out, err } = box.shell(lines.join("\n"));
    expect(out).toBe("4\n".repeat(names.length));
    expect(err.match(/\[DISK_FULL\]/g)).toHaveLength(names.length);
    expect(err.trim().split("\n")).toHaveLength(2 * names.length);
  });

  it("--json says so in JSON", () => {
    const { code, err } = box.shell("memoir catalog --json > /dev/full");
    expect(JSON.parse(err)).toMatchObject({ error: { code: "DISK_FULL" } });
    expect(code).toBe(4);
  });

  it("a command that found errors keeps its exit code", async () => {
    await box.write("wrong.wdl", "version 1.1\nworkflow w {\n  output { Int x = y }\n}\n");
    const { code, err } = box.shell("memoir check wrong.wdl > /dev/full");
    expect(err).toMatch(full);
    expect(code).toBe(3);
  });
});

it("a descriptor that cannot be written ends with 4", () => {
  for (const words of ["--help", "catalog"]) {
    const { code, err } = box.shell(`memoir ${words} 1< /dev/null`);
    expect(err).toMatch(/^error: cannot write standard output: EBADF \[FILE_NOT_WRITABLE\]\n {2}.*\n$/);
    expect(code).toBe(4);
  }
});

it("a reader that reads nothing is not an error", () => {
  for (const words of ["--help", "--version", "help run", "catalog --json", "example -n 5", "doctor"]) {
    const { code, err } = box.shell(`set -o pipefail; memoir ${words} | true`);
    expect([words, code, err]).toEqual([words, 0, ""]);
  }
});

describe("standard error that nobody takes", () => {
  it.each(["2> /dev/full", "2> >(true)", "2< /dev/null", "2>&-"])(
    "does not change the exit code of an error (%s)",
    (redirected) => {
      const { code, out } = box.shell(`memoir nonsense ${redirected}`);
      expect([code, out]).toEqual([2, ""]);
    },
  );

  it("does not end a workflow that is running", async () => {
    await box.write(
      "steps.wdl",
      `version 1.1
task step {
  input { Int i }
  command { echo ~{i} }
  output { Int o = read_int(stdout()) }
}
workflow w {
  scatter (i in range(5)) { call step { input: i } }
  output { Array[Int] all = step.o }
}
`,
    );
    for (const redirected of ["2> >(true)", "2> /dev/full"]) {
      const { code, out } = box.shell(`memoir run steps.wdl --executor host --no-cache --json ${redirected}`);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ outputs: { "w.all": [0, 1, 2, 3, 4] } });
    }
  });
});

const mountTmpfs: Requirement = {
  name: "mounting a small disk",
  programs: ["mount", "umount"],
  debianPackages: ["mount"],
  needsRoot: true,
};

describeWith([mountTmpfs], "a disk that gets full in the middle of a text", () => {
  let disk = "";
  const program = (name: string) => findProgram(name) ?? name;
  beforeAll(() => {
    disk = box.path("disk");
    mkdirSync(disk);
    const { status, stderr } = spawnSync(program("mount"), ["-t", "tmpfs", "-o", "size=4k", "tmpfs", disk], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`mount: ${stderr}`);
  });
  afterAll(() => {
    spawnSync(program("umount"), [disk]);
  });

  it("is an error, though the system took the first part", () => {
    for (const words of ["completion bash", "example -n 1000", "example -n 1000 -o -"]) {
      const { code, err } = box.shell(`memoir ${words} > disk/out`);
      expect(err).toMatch(full);
      expect(code).toBe(4);
      expect(statSync(`${disk}/out`).size).toBe(4096);
      expect(readFileSync(`${disk}/out`, "utf8")).not.toContain("\0");
    }
  });
});
