/** `memoir run --dry-run`: what a run would reuse. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { predictReuse, type ReusePrediction } from "../../engine/index.ts";
import type { Ask } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { prepared } from "./prepare-run.ts";
import type { RunOrder } from "./run-order.ts";
import { newRunId } from "./runs-folder.ts";

/** What a run would reuse; nothing is computed, recorded or left behind. */
export async function dryRun(order: RunOrder, environment: Environment, ask: Ask): Promise<ReusePrediction> {
  return prepared({ order, ports: {}, runId: newRunId() }, environment, ask, async ({ parts, inputs }) => {
    const scratch = await mkdtemp(join(tmpdir(), "memoir-dry-run-"));
    parts.reach?.include(scratch);
    try {
      // A cache that cannot be opened now is reported at once; a run would keep trying.
      const { cache, ...rest } = parts;
      return await predictReuse(cache?.opensLater === true ? rest : parts, inputs, scratch, ask);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}
