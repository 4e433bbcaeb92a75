/** memoir batch work PLAN --slice N: one slice of a batch. */
import { AppError, defined } from "../../kernel/index.ts";
import { parseSlice, type WorkResult } from "../../predict/index.ts";
import { batchPlaceOptions, batchPlacesOf, planArgument, renderBatchFailures } from "../batch-options.ts";
import { defineCommand } from "../command.ts";
import { exitUnfinished } from "../exit-codes.ts";
import { count, duration, fromHere, plural } from "../format.ts";
import {
  isolationOptions,
  localRuleOptions,
  predictionOptionsOf,
  stopAfterOption,
  tierOptions,
} from "../model-options.ts";
import { countsText, createProgress } from "../progress.ts";
import { stopAfter } from "../quantities.ts";

const runnerUrl = "--runner-url <url>";

export const command = defineCommand<WorkResult>({
  name: "batch work",
  summary: "Predict for one slice of a planned batch",
  details: [
    "Looks up the slice's inputs as the plan's mode says, computes missing rows, and writes the shard of the slice, which appears when it is complete. A slice that is done is not computed again; if rows of it failed, only those are. An interrupted slice resumes when you repeat the command, and two workers with the same slice do no harm.",
    "Refuses an input that is not the planned one, and another release of the model. Exits with 75 if --stop-after ended the work before the slice was done: the same command resumes it.",
  ],
  arguments: [planArgument],
  options: [
    {
      flags: "--slice <n>",
      description: "number of the slice, from 1; 7/50 is also accepted for a plan of 50 slices",
    },
    stopAfterOption,
    ...batchPlaceOptions,
    {
      flags: "--model <model>",
      description: "where the planned model is here",
      default: "what the plan names",
    },
    {
      flags: "-b, --batch-size <n>",
      description: "inputs per batch",
      default: "100, increasing while the model is healthy",
      kind: "count",
    },
    {
      flags: "--workers <n>",
      description: "batches computed at the same time",
      default:
        "1; for models in folders the processes that suit the memory, at most 4; for built-in models the number of processors, at most 4",
      kind: "count",
    },
    { flags: "--timeout <seconds>", description: "time limit of one batch", default: "600", kind: "number" },
    { flags: runnerUrl, description: "use this running model server instead of running the model here" },
    ...tierOptions,
    ...isolationOptions,
    ...localRuleOptions,
  ],
  examples: [
    {
      command:
        "memoir example molecular-weight -n 20 -o in.csv && memoir batch plan --model molecular-weight -i in.csv --slices 4 -o plan.json && memoir batch work plan.json --slice 1",
    },
  ],
  act: async (given, { app, ask, screen }) => {
    const timeout = positive(given.count("timeout"), "--timeout");
    const options = {
      ...predictionOptionsOf(given),
      ...batchPlacesOf(given, "work"),
      ...sliceOf(given.text("slice")),
      ...defined({
        model: given.text("model"),
        stopAfter: stopAfter(given.text("stop-after"), "memoir batch work: --stop-after"),
        batchSize: positive(given.count("batch-size"), "--batch-size"),
        workers: positive(given.count("workers"), "--workers"),
        timeoutMs: timeout === undefined ? undefined : timeout * 1000,
      }),
    };
    const progress = createProgress(screen);
    try {
      return await (await app()).batch.work(options, (event) => progress.event(event), ask);
    } finally {
      progress.end();
    }
  },
  render: (result, screen) => {
    const { slice, slices, state, rows, failed, counts, shard, seconds, notStored } = result;
    const name = `slice ${count(slice)} of ${count(slices)}`;
    if (state === "already-done") {
      screen.out(`${screen.paint.green("done before:")} ${name}, ${plural(rows, "row")}`);
      return;
    }
    for (const { cache, tier, rows: lost, waiting } of notStored)
      screen.say(
        `${screen.paint.yellow("not stored:")} ${plural(lost, "answer")} in the ${cache} cache (${tier})${waiting === 0 ? "" : `; ${count(waiting)} kept on disk for the next run with it`}`,
      );
    renderBatchFailures(result.failures, failed, screen);
    if (state === "unfinished") {
      screen.say(
        `${screen.paint.yellow("stopped")} ${name} after ${plural(rows, "row")}, as --stop-after asked; repeat the command to resume`,
      );
      return;
    }
    screen.out(
      `${screen.paint.green("predicted")} ${name}, ${plural(rows, "row")}${rows === 0 ? "" : `: ${countsText(counts)}`}`,
    );
    screen.out(`written to ${screen.paint.bold(fromHere(shard, process.cwd()))} in ${duration(seconds)}`);
  },
  exitCode: ({ state, rows, failed }) =>
    state === "unfinished" ? exitUnfinished : rows > 0 && failed === rows ? 1 : 0,
});

function sliceOf(text: string | undefined): { readonly slice: number; readonly ofSlices?: number } {
  if (text === undefined) throw new AppError("CLI_USAGE", "memoir batch work: --slice N is missing");
  if (/^\d{1,9}$/.test(text.trim())) return { slice: Number(text) };
  const { number, of } = parseSlice(text, "memoir batch work: --slice");
  return { slice: number, ofSlices: of };
}

function positive(value: number | undefined, flag: string): number | undefined {
  if (value === undefined || value > 0) return value;
  throw new AppError("CLI_USAGE", `memoir batch work: ${flag} must be more than 0, got ${value}`);
}
