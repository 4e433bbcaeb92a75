import { describeParquetCrashes } from "./parquet-crash.ts";

describeParquetCrashes({ folder: 40, s3: 20 });
