/**
 * What `nextflow run` shows with `NXF_AGENT_MODE=true`: one short line for each thing that happens, for programs that
 * read it, and a summary.
 */
import type { NextflowEvent, NextflowRunResult } from "../../app/index.ts";

export class AgentConsole {
  readonly #write: (text: string) => void;
  readonly #warned = new Set<string>();

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  event(event: NextflowEvent): void {
    switch (event.kind) {
      case "launched":
        this.#line(`[PIPELINE] ${event.script} | profile=${event.profile}`);
        this.#line(`[WORKDIR] ${event.workDir}`);
        return;
      case "print":
        this.#write(event.text);
        return;
      case "message":
        this.#message(event.level, event.text);
        return;
      case "submitted":
      case "re-submitted":
        this.#line(
          `[PROCESS ${event.task.hash.slice(0, 2)}/${event.task.hash.slice(2, 8)}] ${event.task.name}`,
        );
        return;
      case "ended": {
        const { task, failure } = event;
        if (failure === undefined) return;
        this.#line(`[ERROR] ${task.name}`);
        this.#line(`exit: ${task.exit ?? "-"}`);
        const stderr = failure.stderrTail?.trim() ?? "";
        if (stderr !== "") this.#line(`stderr: ${stderr}`);
        if (task.workdir !== undefined) this.#line(`workdir: ${task.workdir}`);
        return;
      }
      default:
        return;
    }
  }

  end({ state, counts }: Pick<NextflowRunResult, "state" | "counts">): void {
    const { succeeded, failed, cached } = counts;
    const word = state === "succeeded" ? "SUCCESS" : "FAILED";
    this.#line(`\n[${word}] completed=${succeeded} failed=${failed} cached=${cached}`);
  }

  #message(level: "info" | "warn" | "error", text: string): void {
    if (level === "info") return;
    const words = text.trim().replaceAll(/\s+/g, " ");
    if (level === "warn" && this.#warned.has(words)) return;
    this.#warned.add(words);
    this.#line(level === "warn" ? `[WARN] ${words}` : `[ERROR] ${text.trim()}`);
  }

  #line(text: string): void {
    this.#write(`${text}\n`);
  }
}
