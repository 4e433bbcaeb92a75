/** The registry of front ends: nothing else names them, and each is loaded when a document needs it. */

import type { FrontEndKind } from "../../lang/core/index.ts";
import { cwlKind } from "../../lang/cwl/index.ts";
import { nextflowKind } from "../../lang/nextflow/index.ts";
import { wdlKind } from "../../lang/wdl/index.ts";
import type { Environment } from "../environment.ts";

export const frontEnds: readonly FrontEndKind[] = [wdlKind, cwlKind, nextflowKind];

/** Those of the package, and what its user brings. */
export function frontEndsOf({ extensions }: Pick<Environment, "extensions">): readonly FrontEndKind[] {
  return [...frontEnds, ...(extensions?.frontEnds ?? [])];
}
