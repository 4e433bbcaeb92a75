import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FinishedAttempt } from "../../../../task/index.ts";
import { file } from "../../values/value.ts";
import { settleLinks } from "./directory-links.ts";
import { OutputFiles } from "./output-files.ts";

let attempt = "";
let elsewhere = "";
let files: OutputFiles;
let finished: FinishedAttempt;
beforeEach(async () => {
  attempt = await mkdtemp(join(tmpdir(), "memoir-outputs-"));
  await mkdir(join(attempt, "work/sub"), { recursive: true });
  await mkdir(join(attempt, "inputs/0"), { recursive: true });
  elsewhere = await mkdtemp(join(tmpdir(), "memoir-elsewhere-"));
  await writeFile(join(elsewhere, "data.txt"), "data");
  await symlink(join(elsewhere, "data.txt"), join(attempt, "inputs/0/data.txt"));
  await writeFile(join(attempt, "work/a.txt"), "a");
  await writeFile(join(attempt, "work/sub/b.txt"), "bb");
  await writeFile(join(attempt, "stdout"), "out");
  finished = {
    exitCode: 0,
    stdoutFile: join(attempt, "stdout"),
    stderrFile: join(attempt, "stderr"),
    workDir: join(attempt, "work"),
    // A staged input is answered by its source.
    hostPathOf: (path) =>
      path.startsWith("/mnt/memoir/inputs/0/")
        ? path.replace("/mnt/memoir/inputs/0", elsewhere)
        : path.startsWith("/mnt/memoir")
          ? path.replace("/mnt/memoir", attempt)
          : path.startsWith("/mnt/disk")
            ? join(attempt, "outside", path)
            : undefined,
    attempt: 0,
    resources: { cpu: 1, memoryBytes: 1, gpu: 0 },
  };
  files = new OutputFiles(finished);
});
afterEach(async () => {
  await rm(attempt, { recursive: true, force: true });
  await rm(elsewhere, { recursive: true, force: true });
});

async function located(path: string): Promise<string | undefined> {
  const settled = await files.settle(file(path), true);
  return settled.kind === "none"
    ? undefined
    : settled.source?.location.replace(attempt, "").replace(elsewhere, "<elsewhere>");
}

describe("files of an output section", () => {
  it("are found below the working directory, and shown as the task saw them", async () => {
    expect(await files.settle(file("sub/b.txt"), false)).toMatchObject({
      path: "/mnt/memoir/work/sub/b.txt",
      source: { location: join(attempt, "work/sub/b.txt"), basename: "b.txt" },
    });
    expect(await located("/mnt/memoir/work/a.txt")).toBe("/work/a.txt");
    expect(await located(join(attempt, "work/a.txt"))).toBe("/work/a.txt");
    expect(await located("missing.txt")).toBeUndefined();
    expect(await files.readText(files.stdout())).toBe("out");
  });

  it("may be links to inputs, to other outputs, and through linked folders", async () => {
    await symlink("/mnt/memoir/inputs/0/data.txt", join(attempt, "work/link-to-input"));
    await symlink("sub/b.txt", join(attempt, "work/link-to-output"));
    await symlink("sub", join(attempt, "work/folder"));
    await symlink("link-to-input", join(attempt, "work/link-to-link"));
    expect(await located("link-to-input")).toBe("<elsewhere>/data.txt");
    expect(await located(join(attempt, "inputs/0/data.txt"))).toBe("/inputs/0/data.txt");
    expect(await located("link-to-output")).toBe("/work/sub/b.txt");
    expect(await located("folder/b.txt")).toBe("/work/sub/b.txt");
    expect(await files.readText(file("link-to-link"))).toBe("data");
    expect((await files.glob("link*")).map((each) => each.path)).toEqual([
      "/mnt/memoir/work/link-to-input",
      "/mnt/memoir/work/link-to-link",
      "/mnt/memoir/work/link-to-output",
    ]);
    expect((await files.settle(file("link-to-input"), false)).kind).toBe("file");
  });

  it.each([
    ["/etc/passwd", /outside of the task's working directory/],
    ["../../../../../../../../etc/passwd", /leads outside of the task's directory/],
    ["to-etc", /\/etc\/passwd is outside of the task's working directory/],
    ["up", /leads outside of the task's directory/],
    ["loop", /more than 40 links/],
  ])("never lead outside: %s", async (path, message) => {
    await symlink("/etc/passwd", join(attempt, "work/to-etc"));
    await symlink("../../../../../../../../etc/passwd", join(attempt, "work/up"));
    await symlink("loop", join(attempt, "work/loop"));
    await expect(files.settle(file(path), false)).rejects.toThrow(message);
  });

  it("may lie anywhere in the file system of the task's container", async () => {
    await writeFile(join(elsewhere, "copy"), "tool's own");
    const asked: string[] = [];
    const contained = new OutputFiles({
      ...finished,
      bring: async (path) => {
        asked.push(path);
        if (path === "/opt/notes.txt") return { kind: "file", hostPath: join(elsewhere, "copy") };
        if (path === "/opt/link") return { kind: "leads", taskPath: "/mnt/memoir/work/a.txt" };
        return path === "/opt" ? { kind: "refused", what: "a directory" } : { kind: "missing" };
      },
    });
    await symlink("/opt/notes.txt", join(attempt, "work/to-notes"));
    expect(await contained.settle(file("/opt/notes.txt"), false)).toMatchObject({
      path: "/opt/notes.txt",
      source: { location: join(elsewhere, "copy"), basename: "notes.txt" },
    });
    expect(await contained.readText(file("to-notes"))).toBe("tool's own");
    expect(await contained.readText(file("/opt/link"))).toBe("a");
    expect((await contained.settle(file("/opt/none"), true)).kind).toBe("none");
    await expect(contained.settle(file("/opt/none"), false)).rejects.toThrow(
      "did not make the file /opt/none",
    );
    await expect(contained.settle({ kind: "directory", path: "/opt" }, false)).rejects.toThrow(
      "/opt is outside of the task's working directory and a directory",
    );
    expect(asked).toContain("/opt/notes.txt");
  });

  it("may lie on a disk that was mounted for the task, whose links lead nowhere else", async () => {
    await mkdir(join(attempt, "outside/mnt/disk/sub"), { recursive: true });
    await writeFile(join(attempt, "outside/mnt/disk/sub/big.txt"), "big");
    await symlink("/etc/passwd", join(attempt, "outside/mnt/disk/passwd"));
    await symlink("sub/big.txt", join(attempt, "outside/mnt/disk/link"));
    await symlink("../../mnt/memoir/work/a.txt", join(attempt, "outside/mnt/disk/to-work"));
    expect(await located("/mnt/disk/sub/big.txt")).toBe("/outside/mnt/disk/sub/big.txt");
    expect(await located("/mnt/disk/link")).toBe("/outside/mnt/disk/sub/big.txt");
    expect(await located("/mnt/disk/to-work")).toBe("/work/a.txt");
    await expect(files.settle(file("/mnt/disk/passwd"), false)).rejects.toThrow(/outside of the task/);
  });

  it("inside of directories lead where the task saw them lead, and nowhere else", async () => {
    const o = join(attempt, "work/o");
    await mkdir(join(o, "inner"), { recursive: true });
    await symlink("/mnt/memoir/work/a.txt", join(o, "absolute"));
    await symlink("../../a.txt", join(o, "inner/relative"));
    await symlink("/mnt/memoir/inputs/0/data.txt", join(o, "input"));
    await symlink("/mnt/memoir/work/sub", join(o, "folder"));
    await symlink("/mnt/memoir/work/none", join(o, "nowhere"));
    await symlink("none", join(o, "dangling"));
    const settled = await files.settle({ kind: "directory", path: "o" }, false);
    expect(settled.kind).toBe("directory");
    expect(await readFile(join(o, "absolute"), "utf8")).toBe("a");
    expect(await readFile(join(o, "inner/relative"), "utf8")).toBe("a");
    expect(await readFile(join(o, "input"), "utf8")).toBe("data");
    expect(await readFile(join(o, "folder/b.txt"), "utf8")).toBe("bb");
    // Nowhere in the task, and nowhere here: nobody will be led astray.
    expect((await readdir(o)).sort()).toEqual([
      ...["absolute", "dangling", "folder", "inner", "input", "nowhere"],
    ]);
  });

  it.each([
    [
      "a file of this machine",
      "/etc/passwd",
      /o\/link|\/etc\/passwd is outside of the task's working directory/,
    ],
    ["a file of this machine, relatively", "../../../../../../../../etc/passwd", /leads outside/],
    ["the directory itself", ".", /contains itself by a link/],
    ["a folder above it", "..", /contains itself by a link/],
  ])("inside of directories never lead to %s", async (_, target, message) => {
    await mkdir(join(attempt, "work/o"));
    await symlink(target, join(attempt, "work/o/link"));
    await expect(files.settle({ kind: "directory", path: "o" }, false)).rejects.toThrow(message);
  });

  it("inside of directories that multiply are counted", async () => {
    for (let level = 0; level < 5; level++) {
      await mkdir(join(attempt, `work/l${level}`));
      for (const name of ["a", "b", "c"])
        await symlink(`../l${level + 1}`, join(attempt, `work/l${level}/${name}`));
    }
    await mkdir(join(attempt, "work/l5"));
    const settle = (most: number) =>
      settleLinks(join(attempt, "work/l0"), "l0", (path) => realpath(path), most);
    await expect(settle(100)).rejects.toThrow("the links of the directory l0 lead to more than 100 files");
    await settle(1_000);
  });

  it("are regular files: nobody waits for a pipe", async () => {
    execFileSync("mkfifo", [join(attempt, "work/pipe")]);
    await expect(files.settle(file("pipe"), false)).rejects.toThrow("pipe is no regular file");
    await expect(files.readText(file("pipe"))).rejects.toThrow("pipe is no regular file");
    expect(await files.glob("pi*")).toEqual([]);
  });

  it("show texts as the task saw its world, wherever it ran", async () => {
    await writeFile(join(attempt, "work/list.txt"), `${attempt}/work/a.txt\n/elsewhere\n`);
    expect(await files.readText(file("list.txt"))).toBe("/mnt/memoir/work/a.txt\n/elsewhere\n");
    expect(files.stderr().path).toBe("/mnt/memoir/stderr");
  });

  it("are what they are declared as", async () => {
    await expect(files.settle(file("sub"), false)).rejects.toThrow(
      /sub is a directory, but the output is declared as a file/,
    );
    expect(await files.settle({ kind: "directory", path: "sub/" }, false)).toMatchObject({
      kind: "directory",
      source: { basename: "sub" },
    });
    expect(await files.stat({ kind: "directory", path: "sub" })).toEqual({ kind: "directory", sizeBytes: 2 });
  });

  it("that expressions write are kept where globs do not see them", async () => {
    const written = await files.write("lines.txt", "x\n");
    expect(await files.readText(written)).toBe("x\n");
    expect((await files.glob("*")).map((each) => each.source?.basename)).toEqual(["a.txt"]);
  });
});
