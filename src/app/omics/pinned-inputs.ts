/** The inputs of a run: pinned as they are at its start, compared at its end. */
import { AppError, type Ask } from "../../kernel/index.ts";
import type { RunRecord } from "../../ledger/index.ts";
import type { Environment } from "../environment.ts";
import { inputDigests, missingFile } from "./input-digests.ts";
import type { AllowedPlaces } from "./places.ts";

/** Objects named by the parameters, with the ETags that they have now; a missing one ends the run. */
export async function pinInputs(
  run: RunRecord,
  { environment, allowed }: { readonly environment: Environment; readonly allowed: AllowedPlaces },
  ask: Ask,
): Promise<RunRecord["resourceDigests"]> {
  const digests = await inputDigests(run.parameters, { environment, patterns: isPipeline(run) }, ask);
  const [gone] = [...digests].find(([, digest]) => digest === undefined) ?? [];
  const { pathParameters, existingInputs = [] } = run.definition ?? {};
  const names = isPipeline(run) ? existingInputs : pathParameters;
  const places = { names, uris: isPipeline(run), allowed };
  const missing = gone ?? (await missingFile(run.parameters, places));
  if (missing !== undefined)
    throw new AppError("RUN_INPUT_MISSING", `starting run ${run.id}: its input ${missing} does not exist`);
  const entries = [...digests].map(([uri, digest]) => [uri, digest ?? ""] as const);
  return Object.fromEntries(entries);
}

/** Compares them with what was pinned. */
export async function checkInputs(run: RunRecord, environment: Environment, ask: Ask): Promise<void> {
  const now = await inputDigests(run.parameters, { environment, patterns: isPipeline(run) }, ask);
  const changed = Object.entries(run.resourceDigests).find(([uri, digest]) => now.get(uri) !== digest);
  if (changed !== undefined)
    throw new AppError(
      "RUN_INPUT_MODIFIED",
      `running ${run.id}: its input ${changed[0]} was changed meanwhile`,
    );
}

/** Scripts of Nextflow expand patterns and folders. */
function isPipeline(run: RunRecord): boolean {
  return run.definition?.engine === "NEXTFLOW";
}
