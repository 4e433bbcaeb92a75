import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { checkSlurm } from "./check-slurm.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "memoir-slurm-check-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Slurm's commands, which end as the real ones do. */
function commandsThatSay(words: string): void {
  for (const name of ["sbatch", "squeue", "scancel", "scontrol"]) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho "scontrol: ${words}" >&2\nexit 1\n`);
    chmodSync(path, 0o755);
  }
}

describe("what doctor says of Slurm's commands", () => {
  it("without a configured cluster is not trouble: nothing is meant to be used", async () => {
    commandsThatSay("fatal: Could not establish a configuration source");
    const { state } = await checkSlurm({ PATH: `${folder}:/usr/bin:/bin` }, freshAsk());
    expect(state).toBe(existsSync("/etc/slurm/slurm.conf") ? "trouble" : "absent");
  });

  it.each([
    [{ SLURM_CONF: "/nowhere/slurm.conf" }, "fatal: Unable to process configuration file"],
    [{}, "error: Unable to contact slurm controller (connect failure)"],
  ])("whose cluster does not answer is trouble, in Slurm's words", async (env, words) => {
    commandsThatSay(words);
    const answer = await checkSlurm({ PATH: `${folder}:/usr/bin:/bin`, ...env }, freshAsk());
    expect(answer).toEqual({ state: "trouble", detail: expect.stringContaining(words) });
  });
});
