/** Names that a script left empty, and ages and counts that are none: nothing is chosen by them. */
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
  await box.write("w.wdl", "version 1.1\nworkflow w {\n  output { Int x = 1 }\n}\n");
  await box.json("run", "w.wdl", "--no-cache");
});
afterAll(() => box.remove());

async function runIds(): Promise<readonly string[]> {
  const { runs } = await box.json<{ runs: readonly { id: string }[] }>("runs", "list");
  return runs.map(({ id }) => id);
}

describe("the only run", () => {
  it.each(["delete", "show", "logs", "outputs", "cancel"])(
    "is not meant by an empty name: runs %s",
    async (verb) => {
      for (const name of ["", " "]) {
        const { code, err } = await box.run("runs", verb, name);
        expect(err).toContain("its name is empty; give an id, or last [CLI_USAGE]");
        expect(code).toBe(2);
      }
      expect(await runIds()).toHaveLength(1);
    },
  );

  it("is not deleted by one letter of its id, or by an age that is none", async () => {
    const [id = ""] = await runIds();
    expect((await box.run("runs", "delete", id.slice(0, 1))).code).toBe(3);
    for (const age of [".d", "1.2.3d", "", "d", "-1d"]) {
      const { code, err } = await box.run("runs", "delete", "--older-than", age);
      expect(err).toContain("--older-than: expected an age such as 30d, 12h or 90m");
      expect(code).toBe(2);
    }
    expect(await runIds()).toEqual([id]);
    expect((await box.run("runs", "show", id.slice(-4))).code).toBe(0);
  });
});

it("an empty place, or one that begins with ~, is not made a cache or a folder of runs", async () => {
  const before = readdirSync(box.folder);
  for (const words of [
    ["cache", "create", "c", "--location", ""],
    ["cache", "create", "c", "--location", "~/cache"],
    ["cache", "du", ""],
    ["run", "w.wdl", "--cache", ""],
    ["run", "w.wdl", "--cache", "~/cache"],
    ["run", "w.wdl", "--runs-dir", ""],
    ["runs", "list", "--runs-dir", "~/runs"],
  ]) {
    const { code, err } = await box.run(...words);
    expect(err, words.join(" ")).toMatch(/it (is empty|begins with ~)/);
    expect(code).toBe(2);
  }
  expect(readdirSync(box.folder)).toEqual(before);
});

it("a list of fewer than no rows is refused", async () => {
  for (const words of [
    ["runs", "list"],
    ["cache", "entries"],
  ]) {
    const { code, err } = await box.run(...words, "--limit", "-1");
    expect(err).toContain("--limit: expected 0 or more, got -1 [CLI_USAGE]");
    expect(code).toBe(2);
  }
});
