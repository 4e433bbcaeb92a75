/** memoir athena inputs */
import type { AthenaInputsTableResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";

export const command = defineCommand<AthenaInputsTableResult>({
  name: "athena inputs",
  summary: "Print the statement that makes the table of uploaded inputs in Athena",
  details: [
    "With this table a look-up of more than 5,000 inputs is one statement: Memoir uploads the keys of the inputs to uploads/athena/ next to the predictions, and removes them afterwards. One table serves all models of a database. Run the statement once in Athena's query editor.",
  ],
  options: [
    { flags: "--database <name>", description: "database of the table", default: "memoir" },
    {
      flags: "--cloud <uri>",
      description: "s3://bucket/prefix of the cloud cache",
      default: "MEMOIR_CLOUD",
    },
  ],
  examples: [{ command: "memoir athena inputs --cloud s3://my-bucket/memoir" }],
  act: async (given, { app }) =>
    (await app()).predictions.athenaInputsTable({
      database: given.text("database") ?? "memoir",
      ...defined({ cloud: given.text("cloud") }),
    }),
  render: (result, screen) => {
    screen.out(`${result.statement};`);
  },
});
