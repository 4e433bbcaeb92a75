import { execFileSync } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TaskPath } from "../../kernel/index.ts";
import type { StagedInput } from "../../task/index.ts";
import { type SharedAttempt, SharedAttemptFiles } from "./shared-attempt-files.ts";

let attempt = "";
let elsewhere = "";
let placed: SharedAttempt;
let files: SharedAttemptFiles;
beforeEach(async () => {
  attempt = await mkdtemp(join(tmpdir(), "memoir-attempt-files-"));
  await mkdir(join(attempt, "work/sub"), { recursive: true });
  await mkdir(join(attempt, "inputs/0"), { recursive: true });
  elsewhere = await mkdtemp(join(tmpdir(), "memoir-elsewhere-"));
  await writeFile(join(elsewhere, "data.txt"), "data");
  await symlink(join(elsewhere, "data.txt"), join(attempt, "inputs/0/data.txt"));
  await writeFile(join(attempt, "work/a.txt"), "a");
  await writeFile(join(attempt, "work/sub/b.txt"), "bb");
  await writeFile(join(attempt, "stdout"), "out");
  const input: StagedInput = {
    path: "/mnt/memoir/inputs/0/data.txt" as TaskPath,
    source: { kind: "file", location: join(elsewhere, "data.txt"), basename: "data.txt" },
  };
  placed = { directory: attempt, inputs: [input], disks: ["/mnt/disk"] };
  files = new SharedAttemptFiles(placed);
});
afterEach(async () => {
  await rm(attempt, { recursive: true, force: true });
  await rm(elsewhere, { recursive: true, force: true });
});

const located = async (path: string) =>
  (await files.locationOf(path)).replace(attempt, "").replace(elsewhere, "<elsewhere>");

describe("the files of an attempt", () => {
  it("are found below the working directory, by every name that the task knew", async () => {
    expect(await located("sub/b.txt")).toBe("/work/sub/b.txt");
    expect(await located("/mnt/memoir/work/a.txt")).toBe("/work/a.txt");
    expect(await located(join(attempt, "work/a.txt"))).toBe("/work/a.txt");
    expect(await files.stat("missing.txt")).toBeUndefined();
    expect(await files.stat("a.txt")).toEqual({ kind: "file", sizeBytes: 1, executable: false });
    expect(await files.readText("/mnt/memoir/stdout")).toBe("out");
    expect(Buffer.from(await files.read("sub/b.txt", { start: 1, end: 9 })).toString()).toBe("b");
    expect(files.pathOf(join(attempt, "work/a.txt"))).toBe("/mnt/memoir/work/a.txt");
    expect(files.pathOf(join(elsewhere, "data.txt"))).toBe("/mnt/memoir/inputs/0/data.txt");
    expect(files.pathOf("/etc/passwd")).toBeUndefined();
  });

  it("may be links to inputs, to other outputs, and through linked folders", async () => {
    await symlink("/mnt/memoir/inputs/0/data.txt", join(attempt, "work/link-to-input"));
    await symlink("../inputs/0/data.txt", join(attempt, "work/relative-to-input"));
    await symlink("sub/b.txt", join(attempt, "work/link-to-output"));
    await symlink("sub", join(attempt, "work/folder"));
    await symlink("link-to-input", join(attempt, "work/link-to-link"));
    expect(await located("link-to-input")).toBe("<elsewhere>/data.txt");
    expect(await located("relative-to-input")).toBe("<elsewhere>/data.txt");
    expect(await located("link-to-output")).toBe("/work/sub/b.txt");
    expect(await located("folder/b.txt")).toBe("/work/sub/b.txt");
    expect(await files.readText("link-to-link")).toBe("data");
    expect(await files.readLink("folder")).toBe("sub");
    expect(await files.readLink("a.txt")).toBeUndefined();
    expect((await files.list("."))?.find(({ name }) => name === "folder")?.kind).toBe("link");
  });

  it.each([
    ["/etc/passwd", /outside the task's working directory/],
    ["../../../../../../../../etc/passwd", /leads outside the task's directory/],
    ["to-etc", /\/etc\/passwd is outside the task's working directory/],
    ["up", /leads outside the task's directory/],
    ["loop", /more than 40 links/],
    ["/mnt/memoir/inputs/0/planted", /\/etc\/passwd is outside the task's working directory/],
  ])("never lead outside: %s", async (path, message) => {
    await symlink("/etc/passwd", join(attempt, "work/to-etc"));
    await symlink("/etc/passwd", join(attempt, "inputs/0/planted"));
    await symlink("../../../../../../../../etc/passwd", join(attempt, "work/up"));
    await symlink("loop", join(attempt, "work/loop"));
    await expect(files.stat(path)).rejects.toThrow(message);
  });

  it("may lie anywhere in the file system of the task's container", async () => {
    await writeFile(join(elsewhere, "copy"), "tool's own");
    const contained = new SharedAttemptFiles({
      ...placed,
      bring: async (path) => {
        if (path === "/opt/notes.txt") return { kind: "file", hostPath: join(elsewhere, "copy") };
        if (path === "/opt/link") return { kind: "leads", taskPath: "/mnt/memoir/work/a.txt" };
        return path === "/opt" ? { kind: "refused", what: "a directory" } : { kind: "missing" };
      },
    });
    await symlink("/opt/notes.txt", join(attempt, "work/to-notes"));
    expect(await contained.readText("to-notes")).toBe("tool's own");
    expect(await contained.readText("/opt/link")).toBe("a");
    expect(await contained.stat("/opt/none")).toBeUndefined();
    await expect(contained.stat("/opt")).rejects.toThrow(
      "/opt is outside the task's working directory and a directory",
    );
  });

  it("may be on a disk that was mounted for the task, whose links lead nowhere else", async () => {
    await mkdir(join(attempt, "outside/mnt/disk/sub"), { recursive: true });
    await writeFile(join(attempt, "outside/mnt/disk/sub/big.txt"), "big");
    await symlink("/etc/passwd", join(attempt, "outside/mnt/disk/passwd"));
    await symlink("sub/big.txt", join(attempt, "outside/mnt/disk/link"));
    await symlink("../../mnt/memoir/work/a.txt", join(attempt, "outside/mnt/disk/to-work"));
    expect(await located("/mnt/disk/sub/big.txt")).toBe("/outside/mnt/disk/sub/big.txt");
    expect(await located("/mnt/disk/link")).toBe("/outside/mnt/disk/sub/big.txt");
    expect(await located("/mnt/disk/to-work")).toBe("/work/a.txt");
    await expect(files.stat("/mnt/disk/passwd")).rejects.toThrow(/outside the task/);
  });

  it("have names of any bytes", async () => {
    await writeFile(Buffer.from(`${attempt}/work/caf\xe9`, "latin1"), "coffee");
    expect((await files.list("."))?.map(({ name }) => name)).toContain("caf\udce9");
    expect(await files.readText("caf\udce9")).toBe("coffee");
    expect(await located("caf\udce9")).toBe("/work/caf\udce9");
  });

  it("that are pipes are never opened", async () => {
    execFileSync("mkfifo", [join(attempt, "work/pipe")]);
    expect(await files.stat("pipe")).toEqual({ kind: "special", what: "a named pipe (FIFO)" });
    await expect(files.read("pipe")).rejects.toThrow("pipe is a named pipe (FIFO)");
    await expect(files.locationOf("pipe")).rejects.toThrow("pipe is a named pipe (FIFO)");
    await mkdir(join(attempt, "work/o"));
    execFileSync("mkfifo", [join(attempt, "work/o/p")]);
    await expect(files.locationOf("o")).rejects.toThrow("o/p is a named pipe (FIFO)");
  });

  it("show texts as the task saw its world, wherever it ran", async () => {
    await writeFile(join(attempt, "work/list.txt"), `${attempt}/work/a.txt\n/elsewhere\n`);
    expect(await files.readText("list.txt")).toBe("/mnt/memoir/work/a.txt\n/elsewhere\n");
  });

  it("can be made up: texts, folders and copies", async () => {
    const folder = await files.make([
      { kind: "folder", path: "d" },
      { kind: "text", path: "d/t", content: "text" },
      { kind: "copy", path: "d/c", from: "sub" },
    ]);
    expect(await files.readText(`${folder}/d/t`)).toBe("text");
    expect(await files.readText(`${folder}/d/c/b.txt`)).toBe("bb");
    const once = await files.make([{ kind: "text", path: "x", content: "1" }]);
    expect(await files.make([{ kind: "text", path: "x", content: "1" }])).toBe(once);
    expect((await files.list("."))?.map(({ name }) => name)).toEqual(["a.txt", "sub"]);
  });
});

describe("a directory of an attempt", () => {
  let o = "";
  beforeEach(async () => {
    o = join(attempt, "work/o");
    await mkdir(join(o, "inner"), { recursive: true });
  });

  it("keeps the links that mean the same everywhere, circles and broken ones among them", async () => {
    for (const [target, name] of [
      ["none", "dangling"],
      [".", "self"],
      ["..", "inner/up"],
      ["inner/x", "x"],
    ] as const)
      await symlink(target, join(o, name));
    await files.locationOf("o");
    expect(await readlink(join(o, "dangling"))).toBe("none");
    expect(await readlink(join(o, "self"))).toBe(".");
    expect(await readlink(join(o, "inner/up"))).toBe("..");
    expect(await readlink(join(o, "x"))).toBe("inner/x");
  });

  it("holds what its other links lead to, as the task found it there", async () => {
    await symlink("/mnt/memoir/work/a.txt", join(o, "absolute"));
    await symlink("../../a.txt", join(o, "inner/relative"));
    await symlink("/mnt/memoir/inputs/0/data.txt", join(o, "input"));
    await symlink("/mnt/memoir/work/sub", join(o, "folder"));
    await symlink("/mnt/memoir/work/none", join(o, "nowhere"));
    await writeFile(join(o, "own"), "own");
    await symlink("/mnt/memoir/work/o/own", join(o, "inner/own"));
    await files.locationOf("o");
    for (const [name, content] of [
      ["absolute", "a"],
      ["inner/relative", "a"],
      ["input", "data"],
      ["folder/b.txt", "bb"],
    ] as const) {
      expect(await readFile(join(o, name), "utf8")).toBe(content);
      expect((await lstat(join(o, name))).isFile()).toBe(true);
    }
    expect(await readlink(join(o, "inner/own"))).toBe("../own");
    expect(await readdir(o)).toContain("nowhere");
    expect(await readFile(join(elsewhere, "data.txt"), "utf8")).toBe("data");
  });

  it.each([
    ["a file outside the task", "/etc/passwd", /\/etc\/passwd is outside the task's working directory/],
    ["a file outside the task, by a relative path", "../../../../../../../../etc/passwd", /leads outside/],
    ["a folder above it", "..", /leads to a directory that contains it/],
  ])("never holds %s", async (_, target, message) => {
    await symlink(target, join(o, "link"));
    await expect(files.locationOf("o")).rejects.toThrow(message);
  });

  it("does not mistake what a container lacked for what this machine has", async () => {
    const contained = new SharedAttemptFiles({ ...placed, bring: async () => ({ kind: "missing" }) });
    await symlink("/etc/passwd", join(o, "link"));
    await expect(contained.locationOf("o")).rejects.toThrow(
      "did not exist in the task but exists on this machine",
    );
  });

  it("is refused when folders contain each other by links", async () => {
    await symlink("../p", join(o, "p"));
    await mkdir(join(attempt, "work/p"));
    await symlink("../o", join(attempt, "work/p/o"));
    await expect(files.locationOf("o")).rejects.toThrow(/contains itself by a link/);
  });

  it("of links that multiply is counted", async () => {
    for (let level = 0; level < 12; level++) {
      await mkdir(join(attempt, `work/l${level}`));
      for (const name of ["a", "b", "c"])
        await symlink(`../l${level + 1}`, join(attempt, `work/l${level}/${name}`));
    }
    await mkdir(join(attempt, "work/l12"));
    await writeFile(join(attempt, "work/l12/f"), "");
    const strict = new SharedAttemptFiles({ ...placed, mostBroughtIn: 1_000 });
    await expect(strict.locationOf("l0")).rejects.toThrow("lead to more than 1000 files");
  });
});
