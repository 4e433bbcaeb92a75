/** memoir savings */
import { type SavingsResult, savingsGroups } from "../../app/index.ts";
import { AppError, defined, sizeText } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";
import { ageMs } from "../quantities.ts";
import { runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<SavingsResult>({
  name: "savings",
  summary: "Show what reuse has saved: time, processor time, bytes and, with prices, money",
  details: [
    "Counted over the runs whose folders still exist, of the command line and of the server on this home. A reused call saves what computing it had taken; by model, a reused row saves the mean time of a computed one.",
    "Money is what the saved calls asked for (cpus and memory), for as long as computing them had taken.",
  ],
  options: [
    {
      flags: "--since <age>",
      description: "only runs that began within this time, such as 30d",
      default: "all",
    },
    {
      flags: "--by <what>",
      description: "one row for each of these",
      default: "workflow",
      choices: [...savingsGroups],
    },
    { flags: "--cpu-price <amount>", description: "price of a cpu for an hour", kind: "number" },
    {
      flags: "--memory-price <amount>",
      description: "price of a gigabyte of memory for an hour",
      kind: "number",
    },
    runsDirOption,
  ],
  examples: [
    {
      command: "memoir run hello.wdl name=Ada --executor host --cache-host-tasks && memoir savings --by task",
    },
  ],
  act: async (given, { app, ask }) => {
    const age = ageMs(given.text("since"), "--since");
    return (await app()).workflows.savings(
      {
        by: (given.text("by") as SavingsResult["by"] | undefined) ?? "workflow",
        ...defined({
          since: age === undefined ? undefined : Date.now() - age,
          cpuPrice: price(given.text("cpu-price"), "--cpu-price"),
          memoryPrice: price(given.text("memory-price"), "--memory-price"),
          runsDir: given.text("runs-dir"),
        }),
      },
      ask,
    );
  },
  render: ({ by, rows, total }, screen) => {
    const cells = (name: string, saved: SavingsResult["total"]) => [
      name,
      `${saved.reused} reused`,
      `${saved.computed} computed`,
      `${hours(saved.wallSeconds)} saved`,
      `${hours(saved.cpuSeconds)} of cpu`,
      sizeText(saved.bytes),
      saved.money === undefined ? "" : saved.money.toFixed(2),
    ];
    for (const line of table([...rows.map((row) => cells(row.name, row)), cells("total", total)]))
      screen.out(line);
    if (rows.length === 0)
      screen.say(
        by === "model"
          ? "no predictions were computed here yet"
          : "no runs of workflows to count; memoir savings --by model counts predictions",
      );
  },
});

function price(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new AppError("CLI_USAGE", `${flag} ${text}: expected a number from 0 on, such as 0.05`);
}

function hours(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
