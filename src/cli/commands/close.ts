/** memoir close */

import type { CloseResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { sessionOption } from "../model-options.ts";

export const command = defineCommand<CloseResult>({
  name: "close",
  summary: "Close the session that serve opened",
  details: ["Stored predictions are kept. If no session is open, nothing happens and the exit code is 0."],
  options: [sessionOption],
  examples: [{ command: "memoir serve molecular-weight && memoir close" }],
  act: async (given, { app }) => (await app()).close(defined({ session: given.text("session") })),
  render: ({ session, closed }, screen) => {
    if (closed === undefined) screen.out("no model was served");
    else screen.out(`closed the session ${session} of ${closed.settings.model}`);
  },
});
