/** `memoir check` and `memoir inputs` with the configuration of a Nextflow pipeline. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await box.write("main.nf", "params.reads = null\nworkflow { println params.reads }\n");
});
afterEach(() => box.remove());

it("inputs shows what the configuration and its profiles set, as defaults", async () => {
  await box.write(
    "nextflow.config",
    "params { reads = 'a.fq'\n depth = 3 }\nprofiles { test { params.depth = 5 } }\n",
  );
  await box.write("more.config", "params.reads = 'b.fq'\n");
  const all = async (...words: string[]) =>
    JSON.parse((await box.run("inputs", "main.nf", "--all", ...words)).out) as Record<string, string>;
  expect((await all())["depth"]).toContain("default = 3");
  const changed = await all("-profile", "test", "-c", "more.config");
  expect([changed["depth"], changed["reads"]]).toEqual([
    expect.stringContaining("default = 5"),
    expect.stringContaining('default = "b.fq"'),
  ]);
});

it("check names errors of configuration at their places, and profiles and files that are not there", async () => {
  await box.write("nextflow.config", "profiles { test { params.depth = 1 } }\n");
  expect((await box.run("check", "main.nf", "-profile", "test")).code).toBe(0);
  const unknown = await box.run("check", "main.nf", "-profile", "tset");
  expect(unknown.code).not.toBe(0);
  expect(unknown.err).toContain("Unknown configuration profile: 'tset'");
  const missing = await box.run("check", "main.nf", "-c", "none.config");
  expect(missing.code).not.toBe(0);
  expect(missing.err).toContain("none.config");
  await box.write("broken.config", "params {\n  a = [1,\n}\n");
  const broken = await box.run("check", "main.nf", "-c", "broken.config");
  expect(broken.code).toBe(3);
  expect(broken.out).toContain("broken.config:3:1: error:");
});
