/** memoir doctor */

import type { DoctorResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";
import { tierOptions } from "../model-options.ts";

export const command = defineCommand<DoctorResult>({
  name: "doctor",
  summary: "Report what is installed and reachable, and what each missing part would enable",
  details: ["Exits with 4 if something that is configured does not work."],
  options: [...tierOptions],
  examples: [{ command: "memoir doctor" }],
  act: async (given, { app, ask }) =>
    (await app()).doctor({ ...defined({ local: given.text("local"), cloud: given.text("cloud") }) }, ask),
  render: ({ findings }, screen) => {
    const mark = { ok: "ok", trouble: "TROUBLE", absent: "absent" } as const;
    const paint = { ok: screen.paint.green, trouble: screen.paint.red, absent: screen.paint.dim } as const;
    const lines = table(findings.map(({ name, state, detail }) => [mark[state], name, detail]));
    findings.forEach((finding, i) => {
      const line = lines[i] ?? "";
      screen.out(paint[finding.state](line.slice(0, 7)) + line.slice(7));
      if (finding.state !== "ok") screen.out(screen.paint.dim(`         for: ${finding.enables}`));
    });
  },
  exitCode: ({ findings }) => (findings.some((finding) => finding.state === "trouble") ? 4 : 0),
});
