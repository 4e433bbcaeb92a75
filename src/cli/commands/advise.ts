/** memoir advise */
import type { AdviceResult } from "../../app/index.ts";
import { defined, sizeText } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";
import { ageMs } from "../quantities.ts";
import { runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<AdviceResult>({
  name: "advise",
  summary: "Show what the tasks of a workflow asked for and used, and suggest values",
  details: [
    "Read from the runs of the workflow whose folders still exist. Suggestions need at least 3 computed calls of a task; they are the most that was used, and a fifth more.",
  ],
  arguments: [
    {
      name: "WORKFLOW",
      description: "a workflow: its name, as `runs list` shows it, or its document",
      required: true,
    },
  ],
  options: [
    {
      flags: "--since <age>",
      description: "only runs that began within this time, such as 30d",
      default: "all",
    },
    runsDirOption,
  ],
  examples: [{ command: "memoir run hello.wdl name=Ada --executor host && memoir advise hello" }],
  act: async (given, { app, ask }) => {
    const age = ageMs(given.text("since"), "--since");
    return (await app()).workflows.advise(
      {
        workflow: given.argument(0) ?? "",
        ...defined({
          since: age === undefined ? undefined : Date.now() - age,
          runsDir: given.text("runs-dir"),
        }),
      },
      ask,
    );
  },
  render: ({ tasks, runs }, screen) => {
    const size = (bytes: number | undefined) => (bytes === undefined ? "?" : sizeText(bytes));
    const rows = tasks.map(
      ({ task, attempts, asked, wallSeconds, cpus, memoryBytes, suggested, failures }) => [
        task,
        `${attempts} computed`,
        `cpu: asked ${asked.cpu ?? "?"}, used ${cpus?.most.toFixed(1) ?? "?"}, suggested ${suggested.cpu ?? "-"}`,
        `memory: asked ${size(asked.memoryBytes)}, used ${size(memoryBytes?.most)}, suggested ${
          suggested.memoryBytes === undefined ? "-" : sizeText(suggested.memoryBytes)
        }`,
        `time: ${
          wallSeconds === undefined
            ? "?"
            : `${wallSeconds.least.toFixed(1)} to ${wallSeconds.most.toFixed(1)} s, median ${wallSeconds.median.toFixed(1)} s`
        }`,
        Object.entries(failures)
          .map(([kind, count]) => `${count} failed: ${kind}`)
          .join(", "),
      ],
    );
    for (const line of table(rows)) screen.out(line);
    screen.out(`read from ${runs} ${runs === 1 ? "run" : "runs"}`);
  },
});
