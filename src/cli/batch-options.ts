/** What the commands of a planned batch have in common. */
import { AppError, defined } from "../kernel/index.ts";
import type { FailedInput } from "../predict/index.ts";
import type { ArgumentSpec, Given, OptionSpec } from "./command.ts";
import { count } from "./format.ts";
import type { Screen } from "./screen.ts";

export const planArgument: ArgumentSpec = {
  name: "PLAN",
  description: "the file that `memoir batch plan` wrote",
  required: true,
};

export const shardsOption: OptionSpec = {
  flags: "--shards <folder>",
  description: "folder of the slices that are done",
  default: "PLAN.shards, next to the plan",
};

export const batchPlaceOptions: readonly OptionSpec[] = [
  {
    flags: "-i, --input <file>",
    description: "where the planned input is now",
    default: "where it was planned; below the plan's folder: relative to the plan",
  },
  shardsOption,
];

export function batchPlacesOf(given: Given, command: string) {
  const plan = given.argument(0);
  if (plan === undefined) throw new AppError("CLI_USAGE", `memoir batch ${command}: PLAN is missing`);
  return { plan, ...defined({ input: given.text("input"), shards: given.text("shards") }) };
}

export function renderBatchFailures(failures: readonly FailedInput[], failed: number, screen: Screen): void {
  const shown = failures.slice(0, 5);
  for (const { row, input, reason } of shown)
    screen.say(`${screen.paint.yellow("failed:")} row ${count(row)} (${JSON.stringify(input)}): ${reason}`);
  if (failed > shown.length)
    screen.say(`${screen.paint.yellow("failed:")} ${count(failed - shown.length)} more`);
}
