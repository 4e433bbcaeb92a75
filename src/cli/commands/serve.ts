/** memoir serve MODEL */
import type { ServeResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { refusedByServe } from "../ersilia-flags.ts";
import { plural, table } from "../format.ts";
import {
  isolationOptions,
  legacyCacheOptions,
  localRuleOptions,
  lookUpOptions,
  modeOptions,
  predictionOptionsOf,
  sessionOption,
  tierOptions,
} from "../model-options.ts";
import type { Screen } from "../screen.ts";

export const command = defineCommand<ServeResult>({
  name: "serve",
  summary: "Select a model and a cache mode for the following commands",
  details: [
    "Opens a session, so that run, dump, info and close need no model name. The session belongs to this shell, or has the name given with --session or MEMOIR_SESSION, so that scripts, cron and cluster jobs can share it. Another serve replaces it.",
    "Without a mode flag, run looks up the local cache, computes missing rows and records them there.",
  ],
  arguments: [
    { name: "MODEL", description: "id, slug, folder of a model, or URL of a running server", required: true },
  ],
  options: [
    ...modeOptions,
    ...lookUpOptions,
    ...isolationOptions,
    ...tierOptions,
    ...localRuleOptions,
    sessionOption,
    ...legacyCacheOptions,
    {
      flags: "-a, --access <who>",
      description: "accepted; the bucket's policy decides who may read it",
      choices: ["public", "private"],
      legacy: true,
    },
    { flags: "-p, --port <n>", description: "accepted; no port is opened", kind: "count", legacy: true },
    { flags: "-t, --track", description: "accepted; nothing is tracked", legacy: true },
    { flags: "--tracking-use-case <case>", description: "accepted; nothing is tracked", legacy: true },
    {
      flags: "--max-cache-memory-frac <n>",
      description: "accepted; configure the memory limit on the Redis server",
      kind: "number",
      legacy: true,
    },
    ...refusedByServe,
  ],
  examples: [
    {
      command: "memoir serve molecular-weight --cache-only",
      note: "local cache, then cloud cache, then compute",
    },
    { command: "memoir serve eos3b5e" },
  ],
  act: async (given, { app, ask, screen }) => {
    const options = { ...predictionOptionsOf(given), model: given.argument(0) ?? "" };
    const result = await (await app()).serve(options, ask);
    for (const warning of result.warnings) screen.say(`${screen.paint.yellow("warning:")} ${warning}`);
    return result;
  },
  render: (result, screen) => {
    if (result.replaced !== undefined)
      screen.say(`the session served ${result.replaced} before; it is replaced`);
    screen.out(`${screen.paint.green("serving")} ${screen.paint.bold(result.model)} ${result.title}`);
    for (const line of table(facts(result))) screen.out(`  ${line}`);
    if (result.ersiliaRedis !== undefined) ersiliaHint(result, result.ersiliaRedis, screen);
    nextSteps(screen);
  },
});

function facts(result: ServeResult): readonly (readonly string[])[] {
  const mode = result.mode === "compute" ? "local cache, then compute" : `--${result.mode}`;
  return [
    ["release", result.release],
    ["columns", plural(result.columns, "column")],
    ["mode", result.computes === "never" && result.mode === "cache-only" ? `${mode} --no-compute` : mode],
    ...(result.local === undefined ? [] : [["local cache", result.local]]),
    ...(result.cloud === undefined ? [] : [["cloud cache", result.cloud]]),
    ["runner", result.runner],
    ["session", `${result.session} (${result.sessionFile})`],
  ];
}

/** It is not used by itself: nobody may find rows of unknown origin in a table without having asked for them. */
function ersiliaHint(
  { model }: ServeResult,
  { url, rows, models }: NonNullable<ServeResult["ersiliaRedis"]>,
  screen: Screen,
): void {
  const holds = rows > 0 ? `${plural(rows, "row")} of ${model}` : `rows of ${plural(models, "other model")}`;
  screen.say(
    `${screen.paint.yellow("note:")} a Redis with predictions of Ersilia answers on ${url} and holds ${holds}; it is not used`,
  );
  screen.say(`  use it once:   memoir serve ${model} --local ${url}`);
  screen.say(`  use it always: export MEMOIR_LOCAL=${url}`);
}

function nextSteps(screen: Screen): void {
  screen.say(screen.paint.dim("next: memoir run -i in.csv -o out.csv"));
}
