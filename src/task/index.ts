/** task: neutral shapes of calls, values, outcomes and resources. No behaviour beyond small pure helpers. */
export type {
  Cell,
  Column,
  ColumnType,
  Prediction,
  PredictionRow,
  PredictionScope,
  Provenance,
} from "./prediction.ts";
