/** memoir athena ddl MODEL */
import type { AthenaTableResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";

export const command = defineCommand<AthenaTableResult>({
  name: "athena ddl",
  summary: "Print the statement that makes a model's table in Athena",
  details: [
    "The table reads the Parquet files of the cloud cache on S3. Run the statement once in Athena's query editor. Run it again, after dropping the table, when predictions of another release are stored.",
  ],
  arguments: [{ name: "MODEL", description: "id, slug, folder or URL", required: true }],
  options: [
    { flags: "--database <name>", description: "database of the table", default: "memoir" },
    {
      flags: "--cloud <uri>",
      description: "s3://bucket/prefix of the cloud cache",
      default: "MEMOIR_CLOUD",
    },
    {
      flags: "--releases <names>",
      description: "releases of the model, separated by commas",
      default: "those with stored predictions, and the model's",
    },
  ],
  examples: [
    { command: "memoir athena ddl molecular-weight --cloud s3://my-bucket/memoir --releases v1.0.0,v1.1.0" },
  ],
  act: async (given, { app, ask }) =>
    (await app()).predictions.athenaTable(
      {
        ...{ model: given.argument(0) ?? "", database: given.text("database") ?? "memoir" },
        ...defined({ cloud: given.text("cloud"), releases: given.text("releases")?.split(",") }),
      },
      ask,
    ),
  render: (result, screen) => {
    screen.out(`${result.statement};`);
  },
});
