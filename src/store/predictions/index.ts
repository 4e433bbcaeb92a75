/** store/predictions: the tiers that keep one row per model and input. */

export { createInputsTableStatement, inputsTableDefinition } from "./athena/athena-inputs.ts";
export type { AthenaAccess } from "./athena/athena-link.ts";
export {
  createTableStatement,
  type TableDefinition,
  tableDefinition,
  tableName,
} from "./athena/athena-table.ts";
export { type AthenaTierOptions, createAthenaTier } from "./athena/athena-tier.ts";
export { databasePattern, isAthenaAddress, parseAthenaAddress } from "./athena/athena-url.ts";
export type { DynamoAccess } from "./dynamodb/dynamodb-link.ts";
export { createDynamoTier, type DynamoTierOptions } from "./dynamodb/dynamodb-tier.ts";
export { isDynamoAddress, parseDynamoAddress } from "./dynamodb/dynamodb-url.ts";
export { createEmbeddedTier, type EmbeddedTierOptions } from "./embedded/embedded-tier.ts";
export { equalRows } from "./equal-rows.ts";
export type { TierEvent, TierEventSink } from "./events.ts";
export { firstTier } from "./first-tier.ts";
export { createFlakyTier, type FlakyTier, type Mishap, type TierVerb } from "./flaky-tier.ts";
export { type GuardedTier, guardTier } from "./guarded-tier.ts";
export { writeIsauraChunks } from "./isaura/isaura-chunks.ts";
export { newestVersion } from "./isaura/isaura-files.ts";
export { createIsauraTier, type IsauraModel, type IsauraTier } from "./isaura/isaura-tier.ts";
export { limitTier } from "./limited-tier.ts";
export { createMemoryTier } from "./memory-tier.ts";
export { createNullTier } from "./null-tier.ts";
export type { CompactReport } from "./parquet/compaction.ts";
export { readParquetFile } from "./parquet/foreign.ts";
export { releaseFiles } from "./parquet/inventory.ts";
export { createParquetTier, type ParquetTier } from "./parquet/parquet-tier.ts";
export { createRedisTier, type RedisTierOptions } from "./redis/redis-tier.ts";
export { createRemoteTier, type RemoteTierOptions } from "./remote/remote-tier.ts";
export { isRemoteAddress, parseRemoteAddress } from "./remote/remote-url.ts";
export {
  isRecord,
  rowFromWire,
  rowToWire,
  scopeFromWire,
  type WireRow,
} from "./remote/wire.ts";
export { columnsAnswer, columnsToWire } from "./remote/wire-columns.ts";
export { sampleOf } from "./sample.ts";
export {
  columnsDigest,
  identityOf,
  inOrder,
  lastOfEachInput,
  requireWholeRows,
  scopeIdentity,
} from "./scope.ts";
export type {
  PredictionTier,
  PutPlan,
  PutPrice,
  PutReport,
  SampleRequest,
  StoredScope,
  TierAbilities,
} from "./tier.ts";
export type { GuardOptions } from "./tier-calls.ts";
export type { MeasuredVerb, TierMetrics, VerbMetrics } from "./tier-metrics.ts";
