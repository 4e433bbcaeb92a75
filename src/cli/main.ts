/** The command line's entry: help and version at once, everything else in chunks that are loaded when needed. */
import { writeSync } from "node:fs";
import { checkWord, runWord } from "./check-word.ts";
import { topHelp } from "./list-help.ts";
import { runAgainWord } from "./run-again-word.ts";
import { createScreen } from "./screen.ts";
import { ignoreLostMessages, isReaderGone, openStandardOutput } from "./standard-output.ts";
import { version } from "./version.ts";

const given = process.argv.slice(2);
// Ersilia's users write `ersilia -v run …`; Memoir shows what it does anyway.
const words = given.length > 1 && /^(-v|--verbose)$/.test(given[0] ?? "") ? given.slice(1) : given;
const first = words[0];

/** dist/memoir.js waits for it. */
export const ended = start();

async function start(): Promise<void> {
  if (
    first === undefined ||
    first === "--help" ||
    first === "-h" ||
    (first === "help" && words.length === 1)
  ) {
    // No command is a question, not a mistake, but scripts should notice a forgotten one.
    process.exitCode = await show(topHelp(version()), first === undefined ? 2 : 0);
  } else if (first === "--version" || first === "-V") {
    process.exitCode = await show(version(), 0);
  } else if (first === checkWord) {
    // Started by the server, which sends the question.
    const { createApp } = await import("../app/index.ts");
    await createApp({ env: process.env, cwd: process.cwd(), parentPid: process.ppid }).answerCheck();
  } else if (first === runWord) {
    const { createApp } = await import("../app/index.ts");
    await createApp({ env: process.env, cwd: process.cwd(), parentPid: process.ppid }).answerRun();
  } else if (first === runAgainWord) {
    // Started by the server, which looks for the run's folder.
    const { createApp } = await import("../app/index.ts");
    const app = createApp({ env: process.env, cwd: process.cwd(), parentPid: process.ppid });
    await app.answerRunAgain(words[1] ?? "");
  } else {
    // Node ends silently when nothing is left that what we wait for could come from.
    process.once("exit", reportSilentEnd);
    const { runCommandLine } = await import("./run-command-line.ts");
    process.exitCode = await runCommandLine(first === "help" ? [...words.slice(1), "--help"] : words);
    process.off("exit", reportSilentEnd);
    // It ends whatever a probe has left behind, such as a folder on a network disk that never answers.
    if (first === "doctor") process.exit();
  }
}

/** Prints what needs nothing but this file; answers the exit code. */
async function show(text: string, code: number): Promise<number> {
  const output = openStandardOutput();
  ignoreLostMessages();
  const trouble = await output.write(`${text}\n`).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (trouble === undefined || isReaderGone(trouble)) return code;
  const { reportLostOutput } = await import("./lost-output.ts");
  const { env, stderr } = process;
  const screen = createScreen({ stdout: output.stream, stderr, env });
  const lost = reportLostOutput(trouble, { words, env, screen });
  return code === 0 ? lost : code;
}

/** By `process.exit` it has its own code; 13 is Node's for a promise that never settles. */
function reportSilentEnd(): void {
  if (process.exitCode !== undefined && process.exitCode !== 13) return;
  process.exitCode = 70;
  try {
    writeSync(
      2,
      "bug: the command waits for something that can no longer happen\n" +
        "  This should not happen. Please report it with the command and the workflow.\n",
    );
  } catch {
    // Nobody reads the output; the exit code still counts.
  }
}
