/** memoir trace */
import type { TracedCall, TraceResult } from "../../app/index.ts";
import { AppError, defined, shownName, sizeText, writeJson } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import type { Screen } from "../screen.ts";
import { runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<TraceResult>({
  name: "trace",
  summary: "Show which call of which run made a file or folder, from which inputs, back to the first inputs",
  details: [
    "A file is found by its content, wherever it is now; one that was changed after a run had brought it to its place is found by its path, which is said. The trace goes across runs, workflow languages and predictions. A call that was reused names the run that computed it.",
    "It is read from the runs of this home, of the command line and of the server, whose folders still exist. Values that are not files (numbers, texts) are not followed.",
  ],
  arguments: [
    { name: "FILE", description: "a file or folder, or the s3:// URI of a result", required: true },
  ],
  options: [
    {
      flags: "--depth <n>",
      description: "follow this number of calls back",
      default: "all",
      kind: "number",
    },
    {
      flags: "--format <format>",
      description: "text for people, or json: calls, edges and first inputs, as with --json",
      default: "text",
      choices: ["text", "json"],
    },
    runsDirOption,
  ],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --runs-dir runs --out results && memoir trace results/shouted/* --runs-dir runs",
    },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.trace(
      {
        file: given.argument(0) ?? "",
        ...defined({ depth: depthOf(given.text("depth")), runsDir: given.text("runs-dir") }),
      },
      ask,
    ),
  render: (result, screen, given) => {
    if (given.text("format") === "json") {
      screen.out(writeJson(result));
      return;
    }
    const { file, found, recorded, alsoMadeBy } = result;
    const size = file.bytes === undefined ? "" : `, ${sizeText(file.bytes)}`;
    screen.out(
      `${screen.paint.bold(shownName(file.path))} (${file.kind}${size}) ${file.identity ?? ""}`.trimEnd(),
    );
    if (found === "path")
      screen.out(`  changed since: the call made ${recorded}, found by the path at which it was delivered`);
    if (found === "location" && file.identity === undefined)
      screen.out("  its content is not known here: found by its path");
    const known = new Set<string>();
    showCall({ result, id: result.madeBy, output: result.output, indent: "  ", known }, screen);
    for (const { run, call } of alsoMadeBy)
      screen.out(`  the same content was also made by ${call} of run ${run}`);
    const inputs = result.firstInputs.length;
    screen.out(`${plural(result.calls.length, "call")}, ${plural(inputs, "first input")}`);
  },
});

interface Shown {
  readonly result: TraceResult;
  readonly id: string;
  readonly output?: string;
  readonly indent: string;
  /** Calls that were shown above. */
  readonly known: Set<string>;
}

/** Indented below the file that it made; a call that made several is shown once. */
function showCall({ result, id, output, indent, known }: Shown, screen: Screen): void {
  const call = result.calls.find((each) => each.id === id);
  if (call === undefined) return;
  const what = call.predictions === undefined ? call.call : `predictions of ${call.workflow}`;
  const by = output === undefined ? "made by" : `${output}: made by`;
  if (known.has(id)) {
    screen.out(`${indent}${by} ${what} of run ${call.run}, see above`);
    return;
  }
  known.add(id);
  screen.out(`${indent}${by} ${screen.paint.bold(what)} of run ${call.run} (${factsOf(call).join(", ")})`);
  const inside = `${indent}  `;
  if (call.computedBy !== undefined) {
    const { run, call: name } = call.computedBy;
    screen.out(`${inside}computed by ${name === undefined ? "" : `${name} of `}run ${run}`);
  }
  for (const [at, line] of (call.command ?? "").split("\n").entries())
    if (line.trim() !== "") screen.out(`${inside}${at === 0 ? "command: " : "         "}${line}`);
  if (call.image !== undefined)
    screen.out(
      `${inside}image: ${call.image}${call.imageDigest === undefined ? "" : ` ${call.imageDigest}`}`,
    );
  showBatches(call, inside, screen);
  if (call.isCut === true) screen.out(`${inside}its inputs are not followed (--depth)`);
  for (const edge of result.edges.filter(({ to }) => to === id)) {
    const from = edge.location === undefined ? "" : ` from ${shownName(edge.location)}`;
    screen.out(`${inside}${edge.place}${from} ${edge.identity ?? ""}`.trimEnd());
    if (edge.from !== undefined) showCall({ result, id: edge.from, indent: `${inside}  `, known }, screen);
    else screen.out(`${inside}  ${originOf(result, edge)}`);
  }
}

function factsOf({ state, language, workflow, predictions, at, executor }: TracedCall): readonly string[] {
  if (predictions !== undefined) {
    const { release, computed, reused } = predictions;
    return [
      `release ${release}`,
      `${computed} rows computed`,
      `${reused} reused`,
      ...(at === undefined ? [] : [at]),
    ];
  }
  return [
    `${state}, ${language} workflow ${workflow}`,
    ...(executor === undefined ? [] : [`executor ${executor}`]),
    ...(at === undefined ? [] : [at]),
  ];
}

function showBatches({ predictions }: TracedCall, indent: string, screen: Screen): void {
  for (const { rows, computedAt, runner, toolkit, run } of predictions?.batches ?? []) {
    const by = [runner, toolkit].filter((each) => each !== undefined).join(", ");
    screen.out(
      `${indent}${plural(rows, "row")} computed ${computedAt ?? "at an unknown time"} by ${by === "" ? "an unknown runner" : by}, ${run === undefined ? "in a run that is not known any more" : `run ${run}`}`,
    );
  }
}

function originOf({ firstInputs }: TraceResult, edge: TraceResult["edges"][number]): string {
  const first = firstInputs.find(
    ({ location, identity }) => location === edge.location && identity === edge.identity,
  );
  return first?.writtenBy === undefined
    ? "first input"
    : `written by the workflow itself, run ${first.writtenBy}`;
}

function depthOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const depth = Number(text);
  if (Number.isSafeInteger(depth) && depth >= 1) return depth;
  throw new AppError("CLI_USAGE", `--depth ${text}: expected a whole number from 1 on`);
}
