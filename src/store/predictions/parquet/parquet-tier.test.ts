import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFolderStore } from "../../objects/index.ts";
import { predictionTierContract } from "../tier-contract.ts";
import { createParquetTier } from "./parquet-tier.ts";

predictionTierContract({
  name: "Parquet in a folder",
  make: async () => {
    const folder = mkdtempSync(join(tmpdir(), "memoir-parquet-"));
    return {
      connect: () => createParquetTier({ store: createFolderStore({ path: folder, durable: false }) }),
      persistent: true,
      dispose: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
});
