/** Commands and flags of Ersilia's command line: obeyed, or answered by name with what to use instead. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

describe("flags that Memoir does not obey", () => {
  it.each([
    ["fetch ./model --from_dockerhub", "needs an id such as eos4e40"],
    ["fetch eos3b5e --from_s3", "fetch from git, a folder, an image (--from-dockerhub) or a server's URL"],
    ["fetch eos3b5e --reuse", "`memoir catalog` lists what is here"],
    ["fetch eos3b5e --with_fastapi", "run.sh"],
    ["serve eos3b5e -nn", "--match canonical"],
    ["serve eos3b5e --nearest-neigbors", "--match canonical"],
    ["serve eos3b5e --output-source cloud-only", "--cloud-cache-only"],
  ])("%s: exit code 2 and the way to go", async (line, way) => {
    const { code, out, err } = await box.run(...line.split(" "));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(way);
    expect(err).not.toContain("unknown option");
  });

  it("are in the help", async () => {
    const { out } = await box.run("fetch", "--help");
    expect(out).toMatch(/--from-dockerhub +the same as --image/);
    expect(out).toMatch(/--from-s3 +refused: fetch from git/);
    expect(out).toMatch(/--overwrite +accepted/);
  });
});

it("fetch --from_dockerhub asks the container engine for Ersilia's image", async () => {
  const nothing = box.with({ PATH: "/nonexistent" });
  const { code, err } = await nothing.run("fetch", "eos3b5e", "--from_dockerhub", "--version", "v2");
  expect([code, err]).toEqual([4, expect.stringContaining("fetching the image ersiliaos/eos3b5e:v2")]);
  expect(err).toContain("EXEC_ENGINE_NOT_FOUND");
});

describe("flags that Memoir obeys", () => {
  it.each([
    "fetch eos3b5e --overwrite",
    "fetch eos3b5e --from_github",
    "example -n 2 --model eos3b5e",
    "example eos3b5e -n 2 -r -s",
    "example --model eos3b5e -p -c",
    "info --model eos3b5e",
    "info eos3b5e -o x.json",
    "info eos3b5e -o x.csv",
    "catalog -l --less -t --task Annotation",
    "serve eos3b5e -t -p 8080 --tracking_use_case local --max_cache_memory_frac 0.3 --session x",
    "serve eos3b5e -rs -ws -a public --enable-cache --session x",
    "close --session x",
  ])("%s", async (line) => {
    const { code, err } = await box.run(...line.split(" "));
    expect([code, err.includes("error")]).toEqual([0, false]);
  });

  it("--task leaves out models of other tasks", async () => {
    const { models } = await box.json<{ models: unknown[] }>("catalog", "--task", "Sampling");
    expect(models).toEqual([]);
  });

  it("a model is named once", async () => {
    expect((await box.run("example", "eos3b5e", "--model", "eos3b5e")).code).toBe(2);
    const { out } = await box.run("example", "-n", "100000", "-o", "many.csv");
    expect(out).toMatch(
      /^written [\d,]+ inputs, all that the built-in list has \(asked for: 100,000\), to many\.csv$/m,
    );
  });
});

it.each([
  ["test eos3b5e", "--mode curated"],
  ["uninstall", "~/.memoir"],
  ["publish", "publishes no models"],
  ["setup", "memoir doctor"],
])("memoir %s is answered by name", async (line, way) => {
  const { code, err } = await box.run(...line.split(" "));
  expect(code).toBe(2);
  expect(err).toContain("is a command of Ersilia's");
  expect(err).toContain(way);
});
