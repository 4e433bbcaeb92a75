/** The guard that the settings want for programs of a model. */
import { createModelGuard } from "../exec/local/index.ts";
import type { ModelGuard } from "../models/index.ts";
import type { Environment } from "./environment.ts";
import type { PredictionSettings } from "./sessions.ts";

/** undefined = the user wants none. */
export function guardOf(
  settings: Pick<PredictionSettings, "isolation">,
  { cwd, programs, modelGuard }: Environment,
  say: (words: string) => void,
): ModelGuard | undefined {
  const isolation = settings.isolation ?? modelGuard;
  if (isolation === "off") return undefined;
  return createModelGuard({ isolate: isolation === "isolate", cwd, env: programs, say });
}
