/** Every operation of the table has a handler; the compiler says which is missing. */
import type { OperationName } from "../../protocol/index.ts";
import type { OperationHandler } from "../operation-context.ts";
import { batches } from "./batches.ts";
import { configurations } from "./configurations.ts";
import { runCaches } from "./run-caches.ts";
import { runGroups } from "./run-groups.ts";
import { runs } from "./runs.ts";
import { tags } from "./tags.ts";
import { tasks } from "./tasks.ts";
import { workflowVersions } from "./workflow-versions.ts";
import { workflows } from "./workflows.ts";

export const handlers: Readonly<Record<OperationName, OperationHandler>> = {
  ...runCaches,
  ...runs,
  ...tasks,
  ...workflows,
  ...workflowVersions,
  ...runGroups,
  ...batches,
  ...configurations,
  ...tags,
};
