/** What is said of a task that failed, in the form that Nextflow's users know. */
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import type { TaskFailure } from "../../../task/index.ts";
import { memoryText } from "./quantities.ts";
import type { TaskRecord } from "./task-record.ts";

export interface FailedTask {
  readonly task: Readonly<TaskRecord>;
  readonly failure: TaskFailure;
  /** Folder of the attempt. */
  readonly directory?: string;
}

const mostLines = 50;

/** `Process `X` terminated with an error exit status (1)` */
export function causeOf({ task, failure }: FailedTask): string {
  if (failure.kind === "exit-code")
    return `Process \`${task.name}\` terminated with an error exit status (${failure.exitCode ?? "-"})`;
  if (failure.kind === "timed-out")
    return `Process \`${task.name}\` exceeded its time limit: ${failure.message}`;
  return (failure.kind === "resources-unavailable" ? excess(task) : undefined) ?? failure.message;
}

/** What a task asks for and the machine does not have. */
function excess({ facts }: Readonly<TaskRecord>): string | undefined {
  const { cpus, memory } = facts;
  if (typeof cpus === "number" && cpus > availableParallelism())
    return `Process requirement exceeds available CPUs -- req: ${cpus}; avail: ${availableParallelism()}`;
  if (typeof memory === "number" && memory > totalmem())
    return `Process requirement exceeds available memory -- req: ${memoryText(memory)}; avail: ${memoryText(totalmem())}`;
  return undefined;
}

export function taskErrorReport(failed: FailedTask): string {
  const { task, failure, directory } = failed;
  const lines = [
    `Error executing process > '${task.name}'`,
    "",
    "Caused by:",
    ...indented(causeOf(failed).split("\n")),
    "",
    "",
  ];
  if (directory !== undefined) {
    const { workdir = directory } = task;
    const shown = (name: string) =>
      linesOf(join(directory, name)).map((line) =>
        line.replaceAll(`${join(directory, "work")}/`, "").replaceAll(`${workdir}/`, ""),
      );
    const error = shown("stderr");
    const output = shown("stdout");
    lines.push(
      "Command executed:",
      "",
      ...indented(scriptOf(directory)),
      "",
      "Command exit status:",
      `  ${failure.exitCode ?? "-"}`,
      "",
      "Command output:",
      ...(output.length === 0 ? ["  (empty)"] : indented(output)),
      ...(error.length === 0 ? [] : ["", "Command error:", ...indented(error)]),
      "",
    );
  }
  if (task.workdir !== undefined) lines.push("Work dir:", `  ${task.workdir}`, "");
  const { container } = task.facts;
  if (container !== undefined) lines.push("Container:", `  ${container}`, "");
  lines.push(
    task.workdir === undefined
      ? "Tip: view the complete command output by running `memoir runs logs`"
      : "Tip: when you have fixed the problem you can continue the execution adding the option `-resume` to the run command line",
  );
  return lines.join("\n");
}

/** Without the line that names the interpreter. */
function scriptOf(directory: string): readonly string[] {
  const lines = linesOf(join(directory, "work", ".command.sh"), Number.POSITIVE_INFINITY);
  const body = lines[0]?.startsWith("#!") === true ? lines.slice(1) : lines;
  const margin = Math.min(
    ...body.filter((line) => line.trim() !== "").map((line) => /^ */.exec(line)?.[0].length ?? 0),
  );
  return Number.isFinite(margin) ? body.map((line) => line.slice(margin)) : body;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function linesOf(path: string, most = mostLines): readonly string[] {
  try {
    const text = readFileSync(path, "utf8").trimEnd();
    return text === "" ? [] : text.split("\n").slice(-most);
  } catch {
    return [];
  }
}
