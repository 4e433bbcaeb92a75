/** memoir predictions compact MODEL */

import type { CompactResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count } from "../format.ts";
import { tierOptions } from "../model-options.ts";

export const command = defineCommand<CompactResult>({
  name: "predictions compact",
  summary: "Merge the small files of a cloud cache into larger ones",
  details: [
    "Every run that records in a cloud cache adds a file. Fewer files make look-ups faster. Rows do not change.",
  ],
  arguments: [{ name: "MODEL", description: "id, slug, folder or URL", required: true }],
  options: [...tierOptions],
  examples: [{ command: "memoir predictions compact molecular-weight" }],
  act: async (given, { app, ask }) =>
    (await app()).predictions.compact(
      {
        model: given.argument(0) ?? "",
        ...defined({ local: given.text("local"), cloud: given.text("cloud") }),
      },
      ask,
    ),
  render: (result, screen) => {
    screen.out(
      `compacted ${result.model} ${result.release} in ${result.tier}: ${count(result.filesBefore)} files became ${count(result.filesAfter)}, ${count(result.rows)} rows, ${count(result.duplicates)} duplicates removed`,
    );
  },
});
