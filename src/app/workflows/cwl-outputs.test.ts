import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { FileValue, Value } from "../../task/index.ts";
import { deliverObjects } from "./cwl-outputs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-outputs-"));
  await mkdir(join(folder, "made"));
  await writeFile(join(folder, "made/x.txt"), "x\n");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = (basename: string, more: Partial<FileValue> = {}): FileValue => ({
  kind: "file",
  location: join(folder, "made/x.txt"),
  basename,
  ...more,
});
const deliver = (out: Value) => deliverObjects({ out }, join(folder, "results"), freshAsk());

describe("names of outputs", () => {
  it.each(["../x.txt", "/tmp/memoir-x.txt", "a/b", "..", ".", "", "a\0b"])(
    "%j is refused, also of a secondary file and of a folder",
    async (basename) => {
      const directory: FileValue = { kind: "directory", location: join(folder, "made"), basename };
      for (const value of [file(basename), file("x.txt", { siblings: [file(basename)] }), directory])
        await expect(deliver(value)).rejects.toMatchObject({ code: "STORE_NAME_INVALID" });
      expect(await readdir(folder)).toEqual(["made", "results"]);
    },
  );

  it.each(["a b.txt", "ü#%:.txt", "...", "-rf"])("%j is brought as it is", async (basename) => {
    const text = await deliver(file(basename));
    expect(JSON.parse(text)).toMatchObject({ out: { basename, path: join(folder, "results", basename) } });
    expect(await readdir(join(folder, "results"))).toEqual([basename]);
  });
});
