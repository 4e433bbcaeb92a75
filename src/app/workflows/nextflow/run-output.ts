/** What a run says, to whoever listens and in the log file. */
import type { TimedEvent } from "../../../engine/index.ts";
import { sha256 } from "../../../hash/index.ts";
import { defined } from "../../../kernel/index.ts";
import type { RunFailure } from "../../../lang/core/index.ts";
import type { CanonicalJson } from "../../../task/index.ts";
import { diagnosticFact } from "../diagnostic-facts.ts";
import type { ProcessNode } from "./dag.ts";
import { causeOf, type FailedTask, taskErrorReport } from "./error-report.ts";
import type { LogFile, LogLevel } from "./log-file.ts";
import type { NextflowEvent } from "./run-options.ts";
import { shortHash } from "./task-record.ts";
import type { TaskEvent } from "./task-tracker.ts";

export class RunOutput {
  /** Processes that the pipeline calls, each once. */
  readonly processes: ProcessNode[] = [];
  readonly #log: LogFile;
  readonly #logName: string;
  readonly #onEvent: (event: NextflowEvent) => void;

  constructor(log: LogFile, logName: string, onEvent: (event: NextflowEvent) => void) {
    this.#log = log;
    this.#logName = logName;
    this.#onEvent = onEvent;
  }

  engineEvent(event: TimedEvent): void {
    switch (event.kind) {
      case "note": {
        const { level = "info", message } = event;
        if (level === "print") {
          this.emit({ kind: "print", text: event.unfinished === true ? message : `${message}\n` });
          return;
        }
        this.message(level, message);
        return;
      }
      case "process.declared": {
        const { name, from, container } = event;
        if (this.processes.every((each) => each.name !== name)) {
          this.processes.push({ name, from, ...defined({ container }) });
          this.emit({ kind: "process", name });
        }
        return;
      }
      case "cache.trouble":
        this.message("warn", `trouble with the cache while ${event.doing}: ${event.words}`);
        return;
      case "log":
        this.#log.write("DEBUG", "memoir", event.words);
        return;
      default:
        return;
    }
  }

  /** What the key of a task consists of. */
  keyParts(
    task: string,
    key: string,
    components: Readonly<Record<string, CanonicalJson>>,
    form: "lines" | "json",
  ): void {
    const parts = Object.entries(components).map(([name, value]) => ({
      name,
      hash: sha256(JSON.stringify(value)).slice(0, 32),
      type: Array.isArray(value)
        ? "list"
        : value === null
          ? "null"
          : typeof value === "object"
            ? "map"
            : typeof value,
      value,
    }));
    const text =
      form === "json"
        ? JSON.stringify(parts, undefined, 4)
        : `\n${parts.map(({ name, hash, type, value }) => `  ${hash} [${name}: ${type}] ${JSON.stringify(value)}\n`).join("")}`;
    this.message("info", `[${task}] cache hash: ${key}; mode: content; entries: ${text}`);
  }

  task(event: TaskEvent): void {
    const { task } = event;
    const hash = `[${shortHash(task.hash)}]`;
    switch (event.kind) {
      case "submitted":
        this.#log.write("INFO", "nextflow.Session", `${hash} Submitted process > ${task.name}`);
        break;
      case "re-submitted":
        this.#log.write("INFO", "nextflow.Session", `${hash} Re-submitted process > ${task.name}`);
        break;
      case "cached":
        this.#log.write("INFO", "nextflow.processor.TaskProcessor", `${hash} Cached process > ${task.name}`);
        break;
      case "stored":
        this.#log.write(
          "INFO",
          "nextflow.processor.TaskProcessor",
          `[skipping] Stored process > ${task.name}`,
        );
        break;
      case "ended":
        this.#log.write(
          "DEBUG",
          "n.processor.TaskPollingMonitor",
          `Task completed > ${task.name}; status: ${task.status}; exit: ${task.exit ?? "-"}; workDir: ${task.workdir ?? "-"}`,
        );
    }
    this.emit(event);
  }

  /** In the log only. */
  debug(logger: string, text: string): void {
    this.#log.write("DEBUG", logger, text);
  }

  message(level: "info" | "warn" | "error", text: string): void {
    this.#log.write(level.toUpperCase() as LogLevel, "nextflow.Nextflow", text);
    this.emit({ kind: "message", level, text });
  }

  emit(event: NextflowEvent): void {
    if (event.kind === "launched") {
      const { version, script, runName, revision } = event;
      this.#log.write("INFO", "nextflow.cli.CmdRun", `N E X T F L O W  ~  version ${version}`);
      this.#log.write(
        "INFO",
        "nextflow.cli.CmdRun",
        `Launching \`${script}\` [${runName}] DSL2 - revision: ${revision}`,
      );
    }
    this.#onEvent(event);
  }

  /** Says why the run failed, once. */
  failure(
    failures: readonly RunFailure[],
    failed: readonly FailedTask[],
    projectDir: string,
  ): string | undefined {
    const [failure] = failures;
    if (failure === undefined) return undefined;
    if (failure.kind === "task") {
      const named = failed.findLast(({ task }) => task.name === failure.path) ?? {
        task: {
          id: 0,
          hash: "",
          name: failure.path,
          process: failure.path,
          attempt: 1,
          status: "FAILED" as const,
          submittedAt: 0,
          facts: {},
        },
        failure: failure.failure,
      };
      const report = taskErrorReport(named);
      this.#log.write("ERROR", "nextflow.processor.TaskProcessor", report);
      this.emit({
        kind: "message",
        level: "error",
        text: `ERROR ~ ${report}\n\n -- Check '${this.#logName}' file for details`,
      });
      return `${causeOf(named)}\n\n${report}`;
    }
    if (failure.exit !== undefined) {
      const { message } = failure.exit;
      if (message !== "") {
        this.#log.write("ERROR", "nextflow.Nextflow", message);
        this.emit({ kind: "message", level: "error", text: `ERROR ~ ${message}` });
      }
      return message;
    }
    const { message, file, line, column, code } = diagnosticFact(failure.diagnostic);
    const shown = file.startsWith(`${projectDir}/`) ? file.slice(projectDir.length + 1) : file;
    this.#log.write("ERROR", "nextflow.Session", `${shown}:${line}: ${message}`);
    const where = code === "nextflow-undefined" ? `Error ${shown}:${line}:${column}: ${message}\n\n` : "";
    this.emit({
      kind: "message",
      level: "error",
      text: `${where}ERROR ~ ${message}\n\n -- Check script '${shown}' at line: ${line} or see '${this.#logName}' file for more details`,
    });
    return message;
  }
}
