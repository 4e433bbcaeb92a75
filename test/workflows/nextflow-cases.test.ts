/** Which source of a setting wins, and what the options of Nextflow's command line do. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CommandCase, optionCases, precedenceCases } from "./nextflow-cases.ts";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

describe.each([
  ["precedence", precedenceCases],
  ["options", optionCases],
] as const)("%s", (_, cases) => {
  it.each(cases.map((each) => [each.name, each] as const))("%s", (_, one) => check(one));
});

async function check({ files, words, before = [], env = {}, out, includes = [], code = 0 }: CommandCase) {
  for (const [name, text] of Object.entries(files)) await box.write(name, text);
  const here = box.with({ NXF_HOME: box.path("no-home"), NXF_OFFLINE: "true", ...env });
  for (const line of before) await here.run("nextflow", ...line);
  const ended = await here.run("nextflow", ...words);
  expect([ended.code, ended.err]).toEqual([code, ""]);
  if (out !== undefined) expect(ended.out.trim()).toBe(out);
  for (const text of includes) expect(ended.out).toContain(text);
}
