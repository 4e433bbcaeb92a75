import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { FileValue } from "../../task/index.ts";
import { deliverObjects } from "./cwl-outputs.ts";

let folder: string;
let outdir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "memoir-cwl-outputs-"));
  outdir = join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(place: string, content: string | Uint8Array): FileValue {
  const location = join(folder, place);
  mkdirSync(join(location, ".."), { recursive: true });
  writeFileSync(location, content);
  const basename = place.split("/").at(-1) ?? "";
  return { kind: "file", location, basename };
}

interface OutputObject {
  readonly basename: string;
  readonly checksum: string;
  readonly size: number;
  readonly location: string;
}

let said: string[] = [];

async function delivered(
  outputs: Readonly<Record<string, FileValue | readonly FileValue[]>>,
  inputs: readonly string[] = [],
) {
  said = [];
  const place = { outdir, inputs: async () => inputs, say: (words: string) => void said.push(words) };
  return JSON.parse(await deliverObjects(outputs, place, freshAsk())) as Readonly<Record<string, unknown>>;
}

it("files of one name are numbered, and one file that is two outputs has one name", async () => {
  const files = [file("a/x.txt", "1"), file("b/x.txt", "2"), file("c/x.txt", "3")];
  const [first] = files;
  const result = await delivered({ all: files, again: first as FileValue });
  expect((result["all"] as readonly OutputObject[]).map((each) => each.basename)).toEqual([
    "x.txt",
    "x_2.txt",
    "x_3.txt",
  ]);
  expect((result["again"] as OutputObject).basename).toBe("x.txt");
  expect(readFileSync(join(outdir, "x_3.txt"), "utf8")).toBe("3");
});

it("names that contain numbers are distinguished from numbered ones", async () => {
  const files = [file("a/x_2.txt", "own"), file("b/x.txt", "1"), file("c/x.txt", "2")];
  const result = await delivered({ all: files });
  expect((result["all"] as readonly OutputObject[]).map((each) => each.basename)).toEqual([
    "x_2.txt",
    "x.txt",
    "x_3.txt",
  ]);
});

it("has the checksum and size of each copy, of small files and of large ones", async () => {
  const result = await delivered({ small: file("s", "abc"), large: file("l", Buffer.alloc((1 << 20) + 1)) });
  expect(result["small"]).toMatchObject({
    checksum: "sha1$a9993e364706816aba3e25717850c26c9cd0d89d",
    size: 3,
  });
  expect(result["large"]).toMatchObject({ size: (1 << 20) + 1 });
});

it("a copy of a read-only result belongs to the user, and keeps the right to be executed", async () => {
  const result = file("tool", "#!/bin/sh\n");
  chmodSync(result.location, 0o555);
  await delivered({ result });
  expect(statSync(join(outdir, "tool")).mode & 0o700).toBe(0o700);
});

it("an output that is there already under another name of the same file stays whole", async () => {
  const result = file("a/x.txt", "content");
  mkdirSync(outdir);
  linkSync(result.location, join(outdir, "x.txt"));
  const before = statSync(result.location).mtimeMs;
  await delivered({ result });
  expect(readFileSync(result.location, "utf8")).toBe("content");
  expect(statSync(result.location).mtimeMs).toBe(before);
});

it.each([10, 2 << 20])(
  "files of the user that outputs of %i bytes would be written through stay whole",
  async (size) => {
    const result = file("a/x.txt", Buffer.alloc(size, "n"));
    const named = file("named.txt", "mine");
    const linked = file("linked.txt", "mine");
    mkdirSync(outdir);
    linkSync(named.location, join(outdir, "x.txt"));
    symlinkSync(linked.location, join(outdir, "x_2.txt"));
    await delivered({ result, second: file("b/x.txt", Buffer.alloc(size, "m")) });
    for (const name of ["x.txt", "x_2.txt"]) expect(statSync(join(outdir, name)).size).toBe(size);
    for (const { location } of [named, linked]) expect(readFileSync(location, "utf8")).toBe("mine");
  },
);

it("a folder is not written through a link, and its members take the place of links", async () => {
  file("a/d/in/x.txt", "new");
  const mine = file("mine/x.txt", "mine");
  const result: FileValue = { kind: "directory", location: join(folder, "a/d"), basename: "d" };
  mkdirSync(outdir);
  symlinkSync(join(folder, "mine"), join(outdir, "d"));
  await expect(delivered({ result })).rejects.toMatchObject({ code: "FILE_NOT_WRITABLE" });
  rmSync(join(outdir, "d"));
  mkdirSync(join(outdir, "d"));
  symlinkSync(join(folder, "mine"), join(outdir, "d/in"));
  await delivered({ result });
  expect(readFileSync(join(outdir, "d/in/x.txt"), "utf8")).toBe("new");
  expect(readFileSync(mine.location, "utf8")).toBe("mine");
});

it("inputs that are passed on under each other's names are not overwritten", async () => {
  const [a, b] = [file("out/a.txt", "a"), file("out/b.txt", "b")];
  const swapped = delivered({ a: { ...a, basename: "b.txt" }, b: { ...b, basename: "a.txt" } });
  await expect(swapped).rejects.toMatchObject({ code: "FILE_NOT_WRITABLE" });
  expect([a, b].map(({ location }) => readFileSync(location, "utf8"))).toEqual(["a", "b"]);
});

describe("a folder where an output folder goes", () => {
  const result = (): FileValue => ({ kind: "directory", location: join(folder, "a/d"), basename: "d" });
  const members = (result: Readonly<Record<string, unknown>>) =>
    (result["result"] as { listing: readonly OutputObject[] }).listing.map((each) => each.basename);
  beforeEach(() => {
    file("a/d/x.txt", "new");
    mkdirSync(join(folder, "a/d/empty"));
  });

  it("is moved aside with a word when it holds anything else, and earlier ones that were moved stay", async () => {
    for (const [n, name] of ["d.previous", "d.previous-2"].entries()) {
      const stray = file("out/d/stray", `mine ${n}`);
      expect(members(await delivered({ result: result() }))).toEqual(["empty", "x.txt"]);
      expect(readdirSync(join(outdir, "d"))).toEqual(["empty", "x.txt"]);
      expect(said).toEqual([expect.stringContaining(join(outdir, name))]);
      expect(readFileSync(stray.location.replace("out/d", `out/${name}`), "utf8")).toBe(`mine ${n}`);
    }
    expect(readdirSync(outdir).sort()).toEqual(["d", "d.previous", "d.previous-2"]);
  });

  it.each([
    ["the same bytes", "x.txt", "old", 0o644],
    ["the right to be executed", "x.txt", "new", 0o755],
    ["the names", "y.txt", "new", 0o644],
  ])("is moved aside when it differs in %s", async (_, name, content, mode) => {
    chmodSync(file(`out/d/${name}`, content).location, mode);
    mkdirSync(join(outdir, "d/empty"));
    expect(members(await delivered({ result: result() }))).toEqual(["empty", "x.txt"]);
    expect(readFileSync(join(outdir, "d/x.txt"), "utf8")).toBe("new");
    expect(readFileSync(join(outdir, "d.previous", name), "utf8")).toBe(content);
  });

  it("stays when it holds the result already, and is filled when it is empty", async () => {
    mkdirSync(join(outdir, "d"), { recursive: true });
    for (let n = 0; n < 2; n++) {
      expect(members(await delivered({ result: result() }))).toEqual(["empty", "x.txt"]);
      expect(said).toEqual([]);
      expect(readdirSync(outdir)).toEqual(["d"]);
    }
  });

  it("is not touched when the run has read something inside it", async () => {
    const input = file("out/d/input.txt", "mine");
    await expect(delivered({ result: result() }, [input.location])).rejects.toMatchObject({
      code: "OUTPUT_OVER_INPUT",
      message: expect.stringContaining(input.location),
    });
    expect(readFileSync(input.location, "utf8")).toBe("mine");
    expect(readdirSync(outdir)).toEqual(["d"]);
  });

  it("is not touched when the result cannot be copied", async () => {
    file("out/d/stray", "mine");
    execFileSync("mkfifo", [join(folder, "a/d/pipe")]);
    await expect(delivered({ result: result() })).rejects.toMatchObject({ code: "FILE_NOT_REGULAR" });
    expect(readdirSync(outdir)).toEqual(["d"]);
    expect(readdirSync(join(outdir, "d"))).toEqual(["stray"]);
  });
});
