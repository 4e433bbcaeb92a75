/** A batch of predictions in slices: planned, computed anywhere and in any order, and merged. */
export { rowsToCompute, storedRows } from "./known-rows.ts";
export { type MergeResult, mergeBatch, StoredRowsGone } from "./merge.ts";
export {
  type BatchPlan,
  makePlan,
  mostSlicesOfPlan,
  type PlanRequest,
  readPlan,
  type SliceCount,
  shardFolderOf,
  shardPath,
  writePlan,
} from "./plan.ts";
export { type BatchStatus, type SliceStatus, statusOf } from "./status.ts";
export { type WorkResult, workSlice } from "./work.ts";
