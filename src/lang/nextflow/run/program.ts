/** A loaded pipeline as a program: what the engine runs. */
import { type Ask, didYouMean } from "../../../kernel/index.ts";
import type { Outputs } from "../../../task/index.ts";
import type { Host, ParameterValues, Program, ProgramResult, RunFailure } from "../../core/index.ts";
import { helpAsked } from "../plugins/nf-schema/parameters.ts";
import { DateValue } from "../stdlib/date.ts";
import type { Item } from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";
import { absolute } from "../task/publish.ts";
import type { Closure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { Duration } from "../values/duration.ts";
import { GroovyMap } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { ExitRequest, fail, ScriptFailure, UnknownFunction } from "../values/throwable.ts";
import { ConfigProblem } from "./config-problem.ts";
import { CancelledTask, causeOf, FailedTask } from "./failed-task.ts";
import { Module } from "./module.ts";
import { Modules } from "./modules.ts";
import { applyParameterBlocks } from "./parameter-block.ts";
import type { ProgramParts } from "./program-parts.ts";
import { RemoteInputs } from "./remote-inputs.ts";
import type { Session } from "./session.ts";
import { localPlacesIn, startSession } from "./start-session.ts";
import { published, runWorkflow, start } from "./workflow.ts";
import { publishOutputs } from "./workflow-outputs.ts";

export function nextflowProgram(parts: ProgramParts): Program {
  return {
    interface: parts.interface,
    checkInputs: async () => [],
    run: (inputs, host, ask) => new Run(parts, inputs, host, ask).result(),
  };
}

class Run {
  readonly #parts: ProgramParts;
  readonly #inputs: ParameterValues;
  readonly #host: Host;
  readonly #ask: Ask;

  constructor(parts: ProgramParts, inputs: ParameterValues, host: Host, ask: Ask) {
    this.#parts = parts;
    this.#inputs = inputs;
    this.#host = host;
    this.#ask = ask;
  }

  async result(): Promise<ProgramResult> {
    const outputs: Outputs = {};
    let session: Session | undefined;
    let failure: unknown;
    let ignored = false;
    try {
      const { limit } = this.#parts;
      const { reach } = this.#parts;
      // Patterns and folders stand for what is there.
      if (reach?.inputs === "anywhere")
        for (const location of localPlacesIn(this.#inputs.values)) await reach.admit(location);
      const remote = new RemoteInputs();
      const { files } = this.#host;
      await remote.look(this.#inputs.values, files, this.#ask);
      const started = limit(() =>
        startSession(this.#parts, { inputs: this.#inputs, remote }, this.#host, this.#ask),
      );
      const help = limit(() => helpAsked(started));
      if (help !== undefined) {
        started.outside.print(`${help}\n`);
        return { kind: "succeeded", outputs };
      }
      session = started;
      // Other people's documents choose no addresses.
      if (reach === undefined) await remote.lookAtDocuments(textsOf(started.params), files, this.#ask);
      for (const each of remote.problems) started.outside.log("warn", each);
      const { network } = started;
      const finish = limit(() => this.#build(started));
      if (this.#parts.options.preview !== true) {
        const cancel = () => network.cancel(new CancelledTask("the run was cancelled"));
        this.#ask.signal.addEventListener("abort", cancel, { once: true });
        await network.run();
        limit(finish);
        await network.run();
      }
    } catch (error) {
      failure = error;
    }
    if (session !== undefined && failure === undefined && failsOnIgnored(session)) ignored = true;
    if (session !== undefined) this.#handlers(session, failure, ignored);
    if (session !== undefined && ignored)
      return {
        kind: "failed",
        failures: [this.#failure(new ExitRequest(1, ignoredMessage))],
        outputs: session.published.values(),
      };
    if (failure === undefined || (failure instanceof ExitRequest && failure.code === 0)) {
      if (session === undefined) return { kind: "succeeded", outputs };
      this.#showOutputs(session);
      return { kind: "succeeded", outputs: session.published.values(), published: true };
    }
    if (failure instanceof CancelledTask) return { kind: "cancelled", outputs };
    return { kind: "failed", failures: [this.#failure(failure)], outputs };
  }

  #showOutputs(session: Session): void {
    const { outputFormat = "none" } = this.#parts.options;
    const { published, outside, outputDir, rules } = session;
    if (outputFormat === "none" || !published.hasOutputs || !rules.showsOutputs) return;
    outside.print(published.text(outputFormat, absolute(outputDir, outside.files.launchDir)));
  }

  #failure(error: unknown): RunFailure {
    if (error instanceof FailedTask) return { kind: "task", path: error.path, failure: error.failure };
    const { source } = this.#parts.main.script;
    if (error instanceof ConfigProblem) return { kind: "evaluation", diagnostic: error.diagnostic };
    if (error instanceof ScriptFailure) {
      const place = error.place ?? { source, span: { start: 0, end: 0 } };
      const { thrown } = error;
      return {
        kind: "evaluation",
        diagnostic:
          thrown instanceof UnknownFunction
            ? wrong.undefinedName(place, thrown.name, undefined)
            : wrong.evaluation(place, thrown.message ?? thrown.type),
      };
    }
    if (error instanceof ExitRequest)
      return {
        kind: "evaluation",
        diagnostic: wrong.evaluation(
          { source, span: { start: 0, end: 0 } },
          error.message || `the script ended with code ${error.code}`,
        ),
        exit: { code: error.code, message: error.message },
      };
    throw error;
  }

  /** Runs the scripts' statements and the entry workflow; answers what is to be done when all tasks have ended. */
  #build(session: Session): () => void {
    for (const script of this.#parts.loaded.library) {
      const module = new Module(script, session.projectDir, session);
      for (const [name, each] of module.classes) session.addLibraryClass(name, each);
    }
    const { uri } = this.#parts.main;
    const modules = new Modules(this.#parts, session);
    const main = modules.load(uri);
    applyParameterBlocks(main, session);
    const scope = modules.run(uri);
    const { items } = main.script;
    const { entry } = this.#parts.options;
    const workflow = items.find(
      (each): each is Item & { kind: "workflow" } => each.kind === "workflow" && each.name?.text === entry,
    );
    if (workflow !== undefined) {
      const run = runWorkflow(workflow, main, "", []);
      const outputs = items.filter((each) => each.kind === "output");
      const done = publishOutputs(published(workflow, run.scope), outputs, main);
      for (const [section, list] of [
        [workflow.onComplete, session.workflow.onComplete],
        [workflow.onError, session.workflow.onError],
      ] as const)
        if (section !== undefined) list.push(main.closure(section));
      return done;
    }
    if (entry !== undefined) fail("AbortOperationException", unknownEntry(entry, items));
    const processes = items.filter((each) => each.kind === "process");
    const [only] = processes;
    const { needsEntry, runsSingleProcess } = session.rules;
    if (items.some((each) => each.kind === "workflow")) {
      if (needsEntry) fail("AbortOperationException", "No entry workflow specified");
      session.outside.log("warn", "No entry workflow specified");
      return () => undefined;
    }
    if (only !== undefined && !scope.used && !runsSingleProcess)
      fail(
        "AbortOperationException",
        `${session.nextflow.version} runs nothing of this script: it has processes and no workflow`,
      );
    if (only !== undefined && processes.length === 1 && !scope.used) {
      const given = only.inputs.map((each) => {
        const name =
          each.kind === "expression" &&
          each.expression.kind === "call" &&
          each.expression.arguments[0]?.value.kind === "name"
            ? each.expression.arguments[0].value.name
            : "";
        const value =
          session.params.at(name) ??
          fail(
            "AbortOperationException",
            `the parameter ${name} is needed as an input of the process ${only.name.text}`,
          );
        return typeof value === "string" &&
          each.kind === "expression" &&
          each.expression.kind === "call" &&
          each.expression.callee.kind === "name" &&
          each.expression.callee.name === "path"
          ? new Path(value, session.outside.files)
          : value;
      });
      start({ kind: "process", node: only, module: main }, only.name.text, given);
    }
    return () => undefined;
  }

  /** `ignored`: failures were ignored, and that fails the run. */
  #handlers(session: Session, failure: unknown, ignored: boolean): void {
    const { workflow } = session;
    const failed = failure !== undefined && !(failure instanceof ExitRequest && failure.code === 0);
    workflow.put("success", !failed && !ignored);
    workflow.put("exitStatus", failed ? exitStatusIn(failure) : 0);
    workflow.put("errorMessage", failed ? errorMessage(failure) : null);
    workflow.put("errorReport", failed ? errorReport(failure) : null);
    workflow.put("stats", session.stats.value());
    const { nowMs } = session.outside;
    const start = workflow.get("start");
    const complete = new DateValue(nowMs());
    workflow.put("complete", complete);
    if (start instanceof DateValue) workflow.put("duration", new Duration(complete.ms - start.ms));
    for (const each of failed ? [...workflow.onError, ...workflow.onComplete] : workflow.onComplete)
      this.#handler(each, session);
  }

  #handler(closure: Closure, session: Session): void {
    try {
      session.limit(() => closure.call([]));
    } catch (error) {
      if (!(error instanceof ScriptFailure) && !(error instanceof ExitRequest)) throw error;
      session.outside.log("warn", `a handler of the workflow failed: ${error.message}`);
    }
  }
}

const ignoredMessage = "tasks failed and were ignored, and `workflow.failOnIgnore` is true";

function failsOnIgnored({ stats, rules, config }: Session): boolean {
  const settings = config.at("workflow");
  return (
    stats.ignored > 0 &&
    rules.failOnIgnore &&
    settings instanceof GroovyMap &&
    truthOf(settings.at("failOnIgnore") ?? false)
  );
}

function unknownEntry(entry: string, items: readonly Item[]): string {
  const names = items.flatMap((each) =>
    each.kind === "workflow" && each.name !== undefined ? [each.name.text] : [],
  );
  const near = didYouMean(entry, names);
  return `Unknown workflow entry name: ${entry}${near === undefined ? "" : ` -- Did you mean?\n  ${near}`}`;
}

function exitStatusIn(failure: unknown): number {
  return failure instanceof FailedTask ? (failure.failure.exitCode ?? 1) : 1;
}

function messageIn(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** What the task that failed wrote at its end, else what went wrong. */
function errorMessage(failure: unknown): string {
  const written = failure instanceof FailedTask ? failure.failure.stderrTail?.trim() : undefined;
  return written === undefined || written === "" ? messageIn(failure) : written;
}

function errorReport(failure: unknown): string {
  if (!(failure instanceof FailedTask)) return messageIn(failure);
  const { exitCode, stderrTail = "" } = failure.failure;
  const indented = (text: string) => text.replace(/^(?=.)/gm, "  ");
  return [
    `Error executing process > '${failure.path}'`,
    `Caused by:\n${indented(causeOf(failure.path, failure.failure))}`,
    ...(exitCode === undefined ? [] : [`Command exit status:\n  ${exitCode}`]),
    ...(stderrTail.trim() === "" ? [] : [`Command error:\n${indented(stderrTail.trimEnd())}`]),
  ].join("\n\n");
}

/** Parameters that are texts, whoever has set them; not those in maps, such as the places of many genomes. */
function textsOf(params: GroovyMap): readonly string[] {
  return params.values().filter((each) => typeof each === "string");
}
