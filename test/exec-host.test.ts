/** The executors' contract on processes of this machine, bare and behind bubblewrap. */

import { executorContract } from "../src/exec/core/executor-contract.ts";
import { createHostExecutor } from "../src/exec/local/index.ts";
import { freshAsk } from "../src/kernel/index.ts";
import { bubblewrapRequirement } from "./servers/bubblewrap.ts";
import { describeWith } from "./servers/requirement.ts";

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: process.env["HOME"] ?? "/" };

async function make(isolate: boolean) {
  const executor = createHostExecutor({ isolate, env, graceMs: 1_000 });
  await executor.open(freshAsk());
  return executor;
}

executorContract({ name: "the host", graceful: true, make: () => make(false) });

describeWith([bubblewrapRequirement], "bubblewrap", () => {
  executorContract({ name: "the isolated host", graceful: true, make: () => make(true) });
});
