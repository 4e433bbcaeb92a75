import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type ZipMember, zipOf } from "./zip-writer.ts";

function member(
  path: string,
  text: string,
  kind: ZipMember["kind"] = "file",
  bytes = text.length,
): ZipMember {
  const chunks = async function* () {
    for (let at = 0; at < text.length; at += 1000) yield Buffer.from(text.slice(at, at + 1000));
  };
  return { path, bytes, kind, chunks };
}

async function* each(members: readonly ZipMember[]) {
  yield* members;
}

/** What Python's `zipfile` reads: an implementation that is not ours. */
const reader = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as zip:
    bad = zip.testzip()
    members = [[each.filename, each.external_attr >> 16, zip.read(each).decode()[:20], each.file_size] for each in zip.infolist()[:9]]
    print(json.dumps([bad, len(zip.infolist()), members]))`;

async function readBack(members: readonly ZipMember[]): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "memoir-zip-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "a.zip");
  const chunks: Uint8Array[] = [];
  for await (const chunk of zipOf(each(members))) chunks.push(chunk);
  await writeFile(file, Buffer.concat(chunks));
  expect((await readFile(file)).length).toBeGreaterThan(20);
  const { stdout, stderr } = spawnSync("python3", ["-c", reader, file], { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

it("a zip of files, programs, links and folders is read by others, with its modes", async () => {
  const long = "memoir ".repeat(100_000);
  expect(
    await readBack([
      member("ro-crate-metadata.json", "{}"),
      member("outputs/ä b.txt", long),
      member("bin/run", "#!/bin/sh", "program"),
      member("now", "outputs/ä b.txt", "link"),
      member("empty/", "", "folder"),
    ]),
  ).toEqual([
    null,
    5,
    [
      ["ro-crate-metadata.json", 0o100644, "{}", 2],
      ["outputs/ä b.txt", 0o100644, long.slice(0, 20), long.length],
      ["bin/run", 0o100755, "#!/bin/sh", 9],
      ["now", 0o120777, "outputs/ä b.txt", 16],
      ["empty/", 0o40755, "", 0],
    ],
  ]);
});

it("a member that may be larger than 4 GiB, and more than 65,535 members, are written as ZIP64", async () => {
  const many = Array.from({ length: 66_000 }, (_, at) => member(`f${at}`, ""));
  const found = (await readBack([member("large", "really small", "file", 2 ** 33), ...many])) as readonly [
    unknown,
    number,
    readonly (readonly unknown[])[],
  ];
  expect([found[0], found[1], found[2][0]]).toEqual([null, 66_001, ["large", 0o100644, "really small", 12]]);
}, 60_000);

it("a member that cannot be read ends the zip with its error", async () => {
  const broken: ZipMember = {
    ...member("broken", ""),
    chunks: async function* () {
      yield Buffer.from("begun");
      throw new Error("the file was changed");
    },
  };
  await expect(readBack([broken])).rejects.toThrow("the file was changed");
});
