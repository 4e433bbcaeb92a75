/** The runner of Nextflow's scripts with checks, on small scripts. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureBuilt } from "../cli/memoir.ts";
import { runChecks } from "./nextflow-checks.ts";

let checkout = "";
beforeAll(async () => {
  ensureBuilt();
  checkout = await mkdtemp(join(tmpdir(), "memoir-checkout-"));
});
afterAll(() => rm(checkout, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<void> {
  const path = join(checkout, "tests", name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
}

test("scripts are run with their checks in a copy, and the command that failed is reported", async () => {
  const hello = `process HI {
  output: stdout
  script: 'echo hi'
}
workflow { HI().view() }
`;
  await write("good.nf", hello);
  await write("checks/good.nf/.checks", "$NXF_RUN | tee stdout\ngrep hi stdout\ntest ! -e old\n");
  await write("checks/good.nf/old", "left by an earlier run\n");
  await write("bad.nf", hello);
  await write(
    "checks/bad.nf/.checks",
    "$NXF_RUN > stdout\n[[ `grep -c Cached .nextflow.log` == 1 ]] || false\n",
  );
  await write("unchecked.nf", "workflow { println 'x' }\n");
  await write("wrong.nf", "workflow { error 'no' }\n");
  await write("elsewhere.nf", "workflow { println file('https://example.org').text }\n");
  const results = await runChecks({
    checkout,
    suite: "tests",
    only: [],
    leftOut: ["elsewhere.nf"],
    jobs: 2,
    env: {},
    repositories: [],
  });
  expect(results.map(({ name, kind, of }) => [name, kind, of])).toEqual([
    ["bad.nf", "failed", "lines of .nextflow.log"],
    ["elsewhere.nf", "excluded", undefined],
    ["good.nf", "passed", undefined],
    ["unchecked.nf", "passed", undefined],
    ["wrong.nf", "failed", "the run itself"],
  ]);
  expect(results[0]?.why).toContain("grep -c Cached .nextflow.log");
  expect(existsSync(join(checkout, "tests/checks/good.nf/old"))).toBe(true);
  expect(existsSync(join(checkout, "tests/checks/good.nf/stdout"))).toBe(false);
});
