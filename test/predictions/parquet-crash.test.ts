/** A sample; more kills: `npm run soak`. */
import { describeParquetCrashes } from "./parquet-crash.ts";

describeParquetCrashes({ folder: 10, s3: 4 });
