/** Finds the command, reads its flags, runs it under the user's signals, and turns what went wrong into an exit code. */

import { readFileSync } from "node:fs";
import type { Memoir } from "../api/index.ts";
import type { App } from "../app/index.ts";
import { AppError, didYouMean, isAppError } from "../kernel/index.ts";
import type { Context } from "./command.ts";
import { ersiliaCommand } from "./ersilia-flags.ts";
import { commandHelp } from "./help.ts";
import { groupHelp } from "./list-help.ts";
import { reportLostOutput, rowsTo } from "./lost-output.ts";
import { refuseModelAsWorkflow } from "./model-as-workflow.ts";
import { parseArguments } from "./parse.ts";
import { refuseIllFormed } from "./refuse-ill-formed.ts";
import { findCommand, registry } from "./registry.ts";
import { reportError } from "./report-error.ts";
import { createScreen, type Screen } from "./screen.ts";
import { listenToSignals } from "./signals.ts";
import { ignoreLostMessages, isReaderGone, openStandardOutput } from "./standard-output.ts";

export async function runCommandLine(words: readonly string[]): Promise<number> {
  // A copy, so that what is set below stays in this process and does not reach the programs it starts.
  const env = { ...process.env };
  // The AWS SDK warns each user on Node 20 that a later version of it will want Node 22: nothing they could act on.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  const output = openStandardOutput();
  ignoreLostMessages();
  const screen = createScreen({ stdout: output.stream, stderr: process.stderr, env });
  // Warnings of Node and of libraries are for developers; ours go through the screen.
  process.removeAllListeners("warning");
  if ((env["MEMOIR_DEBUG"] ?? "") !== "")
    process.on("warning", (warning) => screen.say(String(warning.stack)));
  const signals = listenToSignals(screen);
  let app: App | undefined;
  let memoir: Memoir | undefined;
  try {
    refuseIllFormed(words, process.cwd());
    const load = async () => {
      const { createApp } = await import("../app/index.ts");
      app ??= createApp({ env, cwd: process.cwd(), parentPid: process.ppid, standardInput });
      return app;
    };
    const code = await dispatch(words, {
      app: load,
      memoir: async () => {
        const { openMemoir } = await import("../api/index.ts");
        memoir ??= await openMemoir({ env, cwd: process.cwd(), parentPid: process.ppid });
        return memoir;
      },
      screen,
      ask: signals.ask,
      stdin: () => process.stdin,
      rows: () => rowsTo(output),
    });
    const trouble = await output.trouble();
    if (trouble === undefined || isReaderGone(trouble)) return code;
    const lost = reportLostOutput(trouble, { screen, words, env });
    return code === 0 ? lost : code;
  } catch (error) {
    // `memoir run … -o - | head`, as everywhere.
    if (isAppError(error, "OUTPUT_READER_GONE")) return 0;
    return reportError(error, { screen, words, env });
  } finally {
    await memoir?.close();
    signals.stop();
  }
}

async function dispatch(words: readonly string[], context: Context): Promise<number> {
  const found = findCommand(words);
  if (found === undefined) return unknownCommand(words, context.screen);
  const { command } = await found.row.load(found.rest);
  const stop = found.rest.indexOf("--");
  // `--help` after other words belongs to what they name.
  const flags =
    command.foreignWords === true
      ? found.rest.slice(0, 1)
      : stop < 0
        ? found.rest
        : found.rest.slice(0, stop);
  if (flags.includes("--help") || flags.includes("-h")) {
    context.screen.out(commandHelp(command));
    return 0;
  }
  if (found.row.name === "run") await refuseModelAsWorkflow(flags, context);
  return await command.run(await parseArguments(command, found.rest), context);
}

function unknownCommand(words: readonly string[], screen: Screen): number {
  const [first = "", second] = words;
  const inGroup = registry.filter((row) => row.name.startsWith(`${first} `));
  if (inGroup.length > 0 && (second === undefined || second.startsWith("-"))) {
    screen.out(groupHelp(first));
    return second === "--help" || second === "-h" ? 0 : 2;
  }
  const instead = ersiliaCommand(first);
  if (instead !== undefined)
    throw new AppError("CLI_USAGE", `memoir ${first} is a command of Ersilia's, not of Memoir's: ${instead}`);
  const asked = inGroup.length > 0 ? `${first} ${second}` : first;
  const names = inGroup.length > 0 ? inGroup : registry;
  const near = didYouMean(
    asked,
    names.map((row) => row.name),
  );
  const guess = near === undefined ? "" : `; did you mean ${near}?`;
  throw new AppError("CLI_USAGE", `there is no command \`memoir ${asked}\`${guess}`);
}

function standardInput(): string {
  return readFileSync(0, "utf8");
}
