/** memoir example [MODEL] */
import type { ExampleResult } from "../../app/index.ts";
import { AppError, defined } from "../../kernel/index.ts";
import { defineCommand, type Given } from "../command.ts";
import { count as countText, fromHere, plural } from "../format.ts";
import { sessionOption } from "../model-options.ts";
import { outputFormatOption, outputOptionsOf, toStandardOutput } from "../stream-options.ts";

type Mode = "random" | "curated" | "deterministic";

export const command = defineCommand<ExampleResult>({
  name: "example",
  summary: "Create example inputs for a model",
  details: [
    "random draws molecules without replacement from a built-in list. deterministic takes the first molecules of that list. curated takes all example inputs of the model.",
  ],
  arguments: [{ name: "MODEL", description: "required for curated if no model is served" }],
  options: [
    { flags: "-n, --n-samples <n>", description: "number of inputs", default: "5", kind: "count" },
    {
      flags: "-o, --output <file>",
      description:
        ".csv, .tsv or .json file to write, or - for standard output, instead of showing the inputs",
      aliases: ["-f", "--file-name", "--output-file"],
    },
    outputFormatOption,
    {
      flags: "-m, --mode <mode>",
      description: "how to choose the inputs",
      default: "random",
      choices: ["random", "curated", "deterministic"],
    },
    { flags: "--seed <text>", description: "seed of the random draw" },
    { flags: "--model <model>", description: "the same as MODEL" },
    sessionOption,
    { flags: "-r, --random", description: "the same as --mode random", legacy: true },
    {
      flags: "-p, --predefined",
      description: "the same as --mode curated",
      conflicts: ["random", "deterministic"],
      legacy: true,
    },
    {
      flags: "-d, --deterministic",
      description: "the same as --mode deterministic",
      conflicts: ["random"],
      legacy: true,
    },
    { flags: "-s, --simple", description: "accepted; examples are always simple", legacy: true },
    { flags: "-c, --complete", description: "accepted; examples are always simple", legacy: true },
  ],
  examples: [
    { command: "memoir example molecular-weight --mode curated" },
    { command: "memoir example -n 100 --seed 1 -o in.csv" },
  ],
  act: async (given, context) => {
    const { app, ask } = context;
    const count = given.count("n-samples") ?? 5;
    if (count < 0) throw new AppError("CLI_USAGE", `memoir example: -n must be 0 or more, got ${count}`);
    if (given.argument(0) !== undefined && given.text("model") !== undefined)
      throw new AppError("CLI_USAGE", "memoir example: name the model once, as MODEL or with --model");
    const options = {
      ...defined({
        model: given.argument(0) ?? given.text("model"),
        session: given.text("session"),
        seed: given.text("seed"),
        output: given.text("output"),
      }),
      ...outputOptionsOf(given, context, "example"),
      count,
      mode: modeOf(given),
    };
    return await (await app()).example(options, ask);
  },
  render: ({ inputs, output }, screen, given) => {
    if (toStandardOutput(given)) return;
    if (output === undefined) for (const input of inputs) screen.out(input);
    else
      screen.out(
        `written ${plural(inputs.length, "input")}${shortage(inputs, given)} to ${fromHere(output, process.cwd())}`,
      );
  },
});

/** Fewer than were asked for. */
function shortage(inputs: readonly string[], given: Given): string {
  const count = given.count("n-samples");
  if (count === undefined || inputs.length >= count || modeOf(given) === "curated") return "";
  return `, all that the built-in list has (asked for: ${countText(count)}),`;
}

function modeOf(given: Given): Mode {
  const asked = given.text("mode");
  if (asked === "random" || asked === "curated" || asked === "deterministic") return asked;
  if (given.is("predefined")) return "curated";
  return given.is("deterministic") ? "deterministic" : "random";
}
