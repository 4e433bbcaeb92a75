/** memoir doctor */

import type { DoctorOptions, DoctorResult } from "../../app/index.ts";
import { defined, isAppError, messageOf } from "../../kernel/index.ts";
import { type Context, defineCommand, type Given } from "../command.ts";
import { executorOrder } from "../executor-options.ts";
import { table } from "../format.ts";
import { tierOptions } from "../model-options.ts";
import { configOptions, configured } from "../settings.ts";

export const command = defineCommand<DoctorResult>({
  name: "doctor",
  summary: "Report what is installed and reachable, and what each missing part would enable",
  details: [
    "The executor that the configuration files choose is asked whether it answers.",
    "Exits with 4 if something that is configured does not work.",
  ],
  options: [...tierOptions, ...configOptions],
  examples: [{ command: "memoir doctor" }],
  act: async (given, context) => {
    const { local, cloud } = { local: given.text("local"), cloud: given.text("cloud") };
    const options = { ...defined({ local, cloud }), ...(await configuredExecutor(given, context)) };
    return (await context.app()).doctor(options, context.ask);
  },
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

/** Mistakes in the files are a finding: they must not hide what else there is to report. */
async function configuredExecutor(
  given: Given,
  context: Context,
): Promise<Pick<DoctorOptions, "executor" | "configTrouble">> {
  try {
    const all = await configured(given, context);
    const executor = executorOrder(all.given);
    return executor.name === "auto" ? {} : { executor };
  } catch (error) {
    // The home is a finding already.
    if (isAppError(error, "HOME_UNUSABLE")) return {};
    if (!isAppError(error, "CONFIG_INVALID")) throw error;
    return { configTrouble: messageOf(error) };
  }
}
