import { describe, expect, it } from "vitest";
import { MemoryAttemptFiles } from "../../../../task/index.ts";
import { file } from "../../values/value.ts";
import { OutputFiles } from "./output-files.ts";

const attempt = () =>
  new MemoryAttemptFiles(
    {
      "a.txt": "a",
      "sub/b.txt": "bb",
      "/mnt/memoir/stdout": "out",
      "/mnt/memoir/stderr": "",
      "/mnt/memoir/inputs/0/data.txt": "data",
      "link-to-input": { link: "/mnt/memoir/inputs/0/data.txt" },
      "link-to-output": { link: "sub/b.txt" },
      nowhere: { link: "none" },
      folder: { link: "sub" },
      pipe: { special: "a named pipe (FIFO)" },
      "caf\udce9.log": "x",
    },
    { "/data/data.txt": "/mnt/memoir/inputs/0/data.txt" },
  );
const files = new OutputFiles(attempt());

describe("files of an output section", () => {
  it("are shown as the task saw them, with where their bytes are", async () => {
    expect(await files.settle(file("sub/b.txt"), false)).toMatchObject({
      path: "/mnt/memoir/work/sub/b.txt",
      source: { location: "memory://mnt/memoir/work/sub/b.txt", basename: "b.txt" },
    });
    expect(await files.settle(file("missing.txt"), true)).toEqual({ kind: "none" });
    await expect(files.settle(file("missing.txt"), false)).rejects.toThrow(
      "did not make the file missing.txt",
    );
    expect(await files.readText(files.stdout())).toBe("out");
    expect(files.stderr().path).toBe("/mnt/memoir/stderr");
  });

  it("may be links; patterns find them, and leave out what leads nowhere", async () => {
    expect((await files.glob("link*")).map((each) => each.path)).toEqual([
      "/mnt/memoir/work/link-to-input",
      "/mnt/memoir/work/link-to-output",
    ]);
    expect(await files.readText(file("link-to-input"))).toBe("data");
    expect(await files.glob("now*")).toEqual([]);
    expect((await files.glob("f*/b.txt")).map((each) => each.path)).toEqual([
      "/mnt/memoir/work/folder/b.txt",
    ]);
  });

  it("are regular files: a pipe that is named or matched is a failure that says what it is", async () => {
    for (const question of [
      () => files.settle(file("pipe"), false),
      () => files.readText(file("pipe")),
      () => files.glob("pi*"),
    ])
      await expect(question()).rejects.toThrow("pipe is a named pipe (FIFO), expected a regular file");
  });

  it("may have names that are not UTF-8", async () => {
    const [found] = await files.glob("caf*");
    expect(found?.source?.basename).toBe("caf\udce9.log");
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

  it("that expressions write are kept where patterns do not see them", async () => {
    const written = await files.write("lines.txt", "x\n");
    expect(await files.readText(written)).toBe("x\n");
    expect((await files.glob("*.txt")).map((each) => each.source?.basename)).toEqual(["a.txt"]);
  });

  it("what the attempt refuses is reported with its message", async () => {
    const refusing = attempt();
    refusing.failing.set("a.txt", "a.txt is outside the task");
    await expect(new OutputFiles(refusing).settle(file("a.txt"), false)).rejects.toThrow(
      "is outside the task",
    );
  });
});
