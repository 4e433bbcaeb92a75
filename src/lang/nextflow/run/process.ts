/** A process in a run: it makes tasks of what arrives, and sends on what they make. */
import { defined } from "../../../kernel/index.ts";
import type { CallOutcome, FileValue, Outputs, TaskFailure } from "../../../task/index.ts";
import { Channel } from "../channels/channel.ts";
import { asChannel, ChannelOut, spreadOut } from "../channels/channel-out.ts";
import { Fifo } from "../channels/fifo.ts";
import type { Rank } from "../channels/rank.ts";
import type { ProcessNode } from "../syntax/ast.ts";
import { pathMember } from "../task/collect.ts";
import { Directives, evaluated } from "../task/directives.ts";
import { type InputSpec, inputSpecs } from "../task/input-spec.ts";
import { outputSpecs } from "../task/output-spec.ts";
import { type Publication, publications, publishFolders } from "../task/publish.ts";
import { TaskContext, type TaskFacts } from "../task/task-context.ts";
import { isUntypedOutput, typedOutputs } from "../task/typed-outputs.ts";
import { truthOf } from "../values/compare.ts";
import { Duration } from "../values/duration.ts";
import { GroovyMap } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { asInt } from "../values/number.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { fail, ScriptFailure, Throwable } from "../values/throwable.ts";
import { CancelledTask, causeOf, FailedTask } from "./failed-task.ts";
import { type Arrival, InputQueue } from "./input-queue.ts";
import type { Module } from "./module.ts";
import { type PreparedTask, TaskMaker } from "./task-maker.ts";

export interface ProcessNames {
  readonly alias: string;
  readonly qualified: string;
}

/** Exit status of an attempt that left none. */
const noExitStatus = 2147483647;

export class ProcessInstance {
  readonly #node: ProcessNode;
  readonly #module: Module;
  readonly #names: ProcessNames;
  readonly #directives: Directives;
  readonly #inputs: readonly InputSpec[];
  readonly #maker: TaskMaker;
  readonly #outs: readonly Channel[];
  readonly #topics: readonly (Channel | undefined)[];
  readonly out: ChannelOut;
  readonly #singleton: boolean;
  readonly #queue: InputQueue;
  /** Finished tasks that wait for those before them, where the order of the outputs is to be that of the inputs. */
  readonly #fair: Map<number, () => void> | undefined;
  #nextFair = 1;
  #started = 0;
  #open = 0;
  #running = 0;
  readonly #waiting = new Fifo<() => void>();
  readonly #most: number;
  #failures = 0;
  #inputsEnded = false;

  constructor(node: ProcessNode, module: Module, names: ProcessNames, given: readonly Value[]) {
    this.#node = node;
    this.#module = module;
    this.#names = names;
    const { session } = module;
    const typed = node.typed || module.typed;
    this.#inputs = inputSpecs(node, typed);
    const untyped = !typed || (!module.typed && node.outputs.some(isUntypedOutput));
    const outputs = untyped ? outputSpecs(node) : typedOutputs(node.outputs, node.topics);
    const values = spreadOut(given);
    if (values.length !== this.#inputs.length)
      fail(
        "ScriptRuntimeException",
        `Process \`${names.qualified}\` declares ${this.#inputs.length} input${this.#inputs.length === 1 ? "" : "s"} but was called with ${values.length} argument${values.length === 1 ? "" : "s"}`,
      );
    const channels = values.map((each) => asChannel(each) ?? Channel.value(session.network, each));
    this.#directives = new Directives(node, module);
    const initial = this.#context(this.#facts(0, 1, undefined));
    this.#directives.configure(
      session.settings.of({
        declared: node.name.text,
        alias: names.alias,
        qualified: names.qualified,
        labels: this.#directives.labels(initial),
      }),
    );
    this.#maker = new TaskMaker({
      node,
      module,
      names,
      inputs: this.#inputs,
      outputs,
      directives: this.#directives,
    });
    this.#singleton = channels.every(
      ({ kind }, index) => kind === "value" && this.#inputs[index]?.kind !== "each",
    );
    const kind = this.#singleton ? "value" : "queue";
    this.#outs = outputs.map(() => new Channel(session.network, kind));
    this.#topics = outputs.map(({ topic }) => (topic === undefined ? undefined : session.topic(topic)));
    const named = new Map<string, Value>();
    for (const [index, { emit }] of outputs.entries()) {
      const channel = this.#outs[index];
      if (emit !== undefined && channel !== undefined) named.set(emit, channel);
    }
    const shown = this.#outs.filter((_, index) => outputs[index]?.hidden !== true);
    this.out = new ChannelOut(shown, named);
    for (const each of this.#outs) each.origins.add(names.qualified);
    session.host.emit({
      kind: "process.declared",
      name: names.qualified,
      from: [...new Set(channels.flatMap(({ origins }) => [...origins]))],
      ...defined({ container: this.#container(initial) }),
    });
    if (!session.rules.resourceLimits && this.#directives.names.includes("resourceLimits"))
      session.warnOnce("the directive resourceLimits has no effect: it exists since Nextflow 24.04");
    const most = this.#directives.value("maxForks", initial) ?? null;
    this.#most =
      most === null ? Number.POSITIVE_INFINITY : Math.max(1, asInt(most, "the directive maxForks"));
    this.#fair = truthOf(this.#directives.value("fair", initial) ?? false) ? new Map() : undefined;
    this.#queue = new InputQueue(
      channels.map((channel, index) => ({ channel, each: this.#inputs[index]?.kind === "each" })),
      (arrival) => this.#placed(() => this.#arrived(arrival)),
      () => {
        this.#inputsEnded = true;
        this.#closeWhenDone();
      },
    );
    if (channels.length === 0) session.network.post(() => this.#queue.once());
    else this.#queue.start();
  }

  /** As far as it is known before there are inputs. */
  #container(context: TaskContext): string | undefined {
    try {
      const value = this.#directives.value("container", context) ?? null;
      return value === null || !truthOf(value) ? undefined : textOf(value);
    } catch (error) {
      if (error instanceof ScriptFailure) return undefined;
      throw error;
    }
  }

  #facts(index: number, attempt: number, failure: TaskFailure | undefined, before?: TaskContext): TaskFacts {
    const previous = this.#module.session.rules.previousTrace ? failure : undefined;
    return {
      process: this.#names.qualified,
      index,
      attempt,
      exitStatus: failure === undefined ? noExitStatus : exitStatusOf(failure),
      previousTrace: previous === undefined ? null : traceOf(previous, before),
      previousException:
        previous === undefined
          ? null
          : new Throwable(
              "ProcessFailedException",
              causeOf(before?.task.name ?? this.#names.qualified, previous),
            ),
    };
  }

  #context(facts: TaskFacts): TaskContext {
    return new TaskContext(facts, this.#directives, (name, context) => this.#maker.template(name, context));
  }

  #arrived(arrival: Arrival): void {
    const index = ++this.#started;
    const context = this.#context(this.#facts(index, 1, undefined));
    const task = this.#maker.prepare(context, arrival, this.#singleton);
    if (!this.#maker.wanted(context)) {
      this.#inOrder(index, () => undefined);
      return;
    }
    const { network } = this.#module.session;
    this.#open++;
    const start = () => {
      this.#running++;
      network.begin();
      this.#attempts(index, arrival, task)
        .catch((error: unknown) => network.fail(this.#atProcess(error)))
        .finally(() => {
          this.#running--;
          this.#waiting.shift()?.();
          // After what the task has sent, which waits in the same queue: other tasks may have ended meanwhile.
          network.post(() => {
            this.#open--;
            this.#closeWhenDone();
          });
          network.finish();
        });
    };
    if (this.#running < this.#most) start();
    else this.#waiting.push(start);
  }

  #closeWhenDone(): void {
    if (!this.#inputsEnded || this.#open > 0) return;
    for (const each of this.#outs) each.close();
  }

  /** Where outputs keep the order of the inputs, what is early waits. */
  #inOrder(index: number, emit: () => void): void {
    if (this.#fair === undefined) {
      emit();
      return;
    }
    this.#fair.set(index, emit);
    for (
      let next = this.#fair.get(this.#nextFair);
      next !== undefined;
      next = this.#fair.get(this.#nextFair)
    ) {
      this.#fair.delete(this.#nextFair++);
      next();
    }
  }

  async #attempts(index: number, arrival: Arrival, first: PreparedTask): Promise<void> {
    const { session } = this.#module;
    let task = first;
    const { network } = session;
    // All that may take long is performed: where a piece of work is ended by its limit, nothing of it is continued.
    for (let attempt = 1; ; attempt++) {
      if (network.stopped) return;
      const ended = await network.perform(() => this.#maker.run(task, attempt));
      if (ended.kind === "cancelled") {
        session.stats.aborted++;
        throw new CancelledTask("the task was cancelled");
      }
      if (ended.kind !== "failed") {
        const outputs = ended.kind === "stored" ? ended.outputs : await this.#store(task, ended.outputs);
        await network.perform(() => this.#succeeded(index, arrival.rank, task, { ...ended, outputs }));
        return;
      }
      this.#failures++;
      const failed = task;
      const next = await network.perform(() =>
        this.#afterFailure(index, attempt, arrival, failed, ended.failure),
      );
      if (next === undefined) return;
      task = next;
    }
  }

  /** The task to try next; undefined: its failure is ignored. */
  #afterFailure(
    index: number,
    attempt: number,
    arrival: Arrival,
    task: PreparedTask,
    failure: TaskFailure,
  ): PreparedTask | undefined {
    const { session } = this.#module;
    const facts = this.#facts(index, attempt, failure);
    const failed = this.#context({ ...facts, exitStatus: exitStatusOf(failure) });
    for (const [name, value] of task.context.variables) failed.variables.set(name, value);
    const strategy = this.#strategy(failed, attempt);
    session.stats.failed++;
    switch (strategy) {
      case "retry":
        session.stats.retries++;
        session.outside.log(
          "info",
          `NOTE: ${causeOf(task.name, failure)} -- Execution is retried (${attempt})`,
        );
        return this.#maker.prepare(
          this.#context(this.#facts(index, attempt + 1, failure, task.context)),
          arrival,
          this.#singleton,
        );
      case "ignore":
        session.stats.ignored++;
        session.outside.log("info", `NOTE: ${causeOf(task.name, failure)} -- Error is ignored`);
        session.network.post(() => this.#inOrder(index, () => undefined));
        return undefined;
      case "finish":
      case "terminate":
        if (strategy === "terminate" && failure.cause !== undefined) throw failure.cause;
        throw new FailedTask(task.name, failure, strategy);
    }
  }

  #strategy(context: TaskContext, attempt: number): "terminate" | "finish" | "ignore" | "retry" {
    const value = context.task.get("errorStrategy") ?? null;
    const word = value === null ? "terminate" : textOf(value).toLowerCase();
    if (word === "ignore" || word === "finish") return word;
    if (word !== "retry") return "terminate";
    const count = (name: string, otherwise: number) => {
      const given = context.task.get(name) ?? null;
      return truthOf(given) ? asInt(given, `the directive ${name}`) : otherwise;
    };
    const mostErrors = count("maxErrors", -1);
    const allowed = (mostErrors < 0 || this.#failures < mostErrors) && attempt <= count("maxRetries", 1);
    return allowed ? "retry" : "terminate";
  }

  #succeeded(
    index: number,
    rank: Rank,
    task: PreparedTask,
    ended: Exclude<CallOutcome, { kind: "failed" | "cancelled" }>,
  ): void {
    const { session } = this.#module;
    if (ended.kind === "reused") session.stats.cached++;
    else if (ended.kind === "computed") session.stats.succeeded++;
    task.context.task.ended = 0;
    this.#publish(task, ended.outputs, ended.kind === "reused");
    if (truthOf(task.context.task.get("debug") ?? false)) {
      const said = ended.outputs["stdout"];
      if (typeof said === "string") session.outside.print(said);
    }
    const emitted = this.#maker.emissions(task, ended.outputs);
    session.network.post(() =>
      this.#inOrder(index, () => {
        for (const [at, value] of emitted.entries()) {
          if (value === undefined) continue;
          this.#outs[at]?.emit(value, rank);
          this.#topics[at]?.emit(value, rank);
        }
      }),
    );
  }

  #publish(task: PreparedTask, outputs: Outputs, reused: boolean): void {
    const { session } = this.#module;
    const directives = this.#directives
      .all("publishDir", task.context)
      .map((each) => evaluated(each, task.context));
    if (directives.length === 0) return;
    const files = Object.values(outputs).flatMap((each): FileValue[] => filesIn(each));
    const given = {
      context: task.context,
      launchDir: session.outside.files.launchDir,
      call: task.name,
      reused,
      mode: stagedBy(task.context) === "rellink" ? ("rellink" as const) : ("symlink" as const),
      failOnError: session.failsOnPublish,
      rules: session.rules,
    };
    const orders = publications(directives, files, given);
    if (files.length > 0) for (const folder of publishFolders(directives, given)) session.makeFolder(folder);
    for (const each of orders) this.#send(each);
  }

  /** What `storeDir` keeps is found there by the next run, and used from there by this one. */
  async #store(task: PreparedTask, outputs: Outputs): Promise<Outputs> {
    const { session } = this.#module;
    const store = await session.network.perform(() => this.#maker.storeOf(task));
    if (store === undefined) return outputs;
    for (const file of Object.values(outputs).flatMap((each): FileValue[] => filesIn(each))) {
      const path = file.extra?.[pathMember];
      const target = `${store.folder}/${typeof path === "string" ? path : file.basename}`;
      await session.host.publish(
        file,
        { target, mode: "copy", overwrite: "always", call: task.name },
        session.ask,
      );
    }
    return { ...outputs, ...store.look() };
  }

  #send({ file, order, failOnError }: Publication): void {
    const { session } = this.#module;
    session.network.begin();
    session.host
      .publish(file, order, session.ask)
      .then(
        ({ target }) => session.published.file(this.#names.qualified, target, file.kind),
        (error: unknown) => {
          if (failOnError) session.network.fail(error);
          else session.outside.log("warn", `Failed to publish file: ${order.target}`);
        },
      )
      .finally(() => session.network.finish());
  }

  /** What goes wrong without a known place is shown at the process. */
  #placed<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#atProcess(error);
    }
  }

  #atProcess(error: unknown): unknown {
    if (error instanceof ScriptFailure)
      error.place ??= { source: this.#module.script.source, span: this.#node.name.span };
    return error;
  }
}

/** Tasks whose inputs are relative links publish relative links. */
function stagedBy(context: TaskContext): string {
  return textOf(context.task.get("stageInMode") ?? "symlink");
}

/** What is known of an attempt that failed. */
function traceOf(failure: TaskFailure, before: TaskContext | undefined): Value {
  const member = (name: string) => before?.task.get(name) ?? null;
  // As a trace has them: bytes and milliseconds.
  const bytes = (name: string) => {
    const value = member(name);
    return value instanceof MemoryUnit ? BigInt(value.bytes) : value;
  };
  const time = member("time");
  return GroovyMap.of({
    exit: exitStatusOf(failure),
    status: "FAILED",
    name: before?.task.name ?? null,
    process: member("process"),
    attempt: member("attempt"),
    cpus: member("cpus"),
    memory: bytes("memory"),
    disk: bytes("disk"),
    time: time instanceof Duration ? BigInt(time.ms) : time,
    queue: member("queue"),
    container: member("container"),
  });
}

function filesIn(value: Outputs[string]): FileValue[] {
  if (value === null || typeof value !== "object") return [];
  if (Array.isArray(value)) return value.flatMap((each) => filesIn(each));
  return "location" in value ? [value] : [];
}

function exitStatusOf(failure: TaskFailure): number {
  if (failure.exitCode !== undefined) return failure.exitCode;
  if (failure.kind === "out-of-memory") return 137;
  if (failure.kind === "timed-out") return 143;
  return noExitStatus;
}
