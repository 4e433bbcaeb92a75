/**
 * A JavaScript engine in its own process: what uses up its memory takes nothing else along. Jobs of one turn travel
 * as one message. A job that takes too long or too much memory ends the process: that job answers a fault, the others
 * are asked again in a new one. The process is started here and not by an executor: expressions are evaluated where there
 * is no run, too, and an executor takes far longer to begin a task than an expression takes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once, setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import { type Ask, checkAsk, Patience } from "../../../kernel/index.ts";
import type { JsAnswer, JsEngine, JsJob, JsLimits } from "./js-engine.ts";

export interface EngineProgram {
  /** Text of a function's body; it sees `require`, `load` (which is `import`) and `data`. */
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly limits: JsLimits;
  /** Whether it reads its own files, which the process may not do otherwise. */
  readonly reads: "nothing" | "modules";
}

interface Waiting {
  readonly job: JsJob;
  readonly answer: (answer: JsAnswer) => void;
}

interface Running {
  readonly process: ChildProcess;
  /** Jobs that it said it begins, since its start. */
  begun: number;
  /** Jobs that it has answered, since its start. */
  answered: number;
}

export function createProcessEngine(program: EngineProgram): JsEngine {
  const engine = new ProcessEngine(program);
  return { run: (job, ask) => engine.run(job, ask), close: () => engine.close() };
}

class ProcessEngine {
  readonly #program: EngineProgram;
  #running: Running | undefined;
  readonly #asking = new Map<AbortSignal, { readonly all: Set<Waiting>; readonly onAbort: () => void }>();
  #queue: Waiting[] = [];
  #sent: Waiting[] = [];
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(program: EngineProgram) {
    this.#program = program;
  }

  async run(job: JsJob, ask: Ask): Promise<JsAnswer> {
    checkAsk(ask, "evaluating an expression");
    if (this.#closed) return closedAnswer;
    const answer = await new Promise<JsAnswer>((resolve) => {
      const waiting: Waiting = {
        job,
        answer: (each) => {
          this.#leave(ask.signal, waiting);
          resolve(each);
        },
      };
      this.#enter(ask.signal, waiting);
      this.#queue.push(waiting);
      this.#schedule();
    });
    checkAsk(ask, "evaluating an expression");
    return answer;
  }

  /** One listener for all that wait with one signal: signals search their listeners one by one. */
  #enter(signal: AbortSignal, waiting: Waiting): void {
    const known = this.#asking.get(signal);
    if (known !== undefined) {
      known.all.add(waiting);
      return;
    }
    const all = new Set([waiting]);
    // An ask that ends does not stop the process, which serves others, too; only the waiting ends.
    const onAbort = () => {
      for (const each of [...all]) each.answer(closedAnswer);
    };
    this.#asking.set(signal, { all, onAbort });
    setMaxListeners(0, signal); // many evaluators share one Ask
    signal.addEventListener("abort", onAbort, { once: true });
  }

  #leave(signal: AbortSignal, waiting: Waiting): void {
    const known = this.#asking.get(signal);
    known?.all.delete(waiting);
    if (known === undefined || known.all.size > 0) return;
    this.#asking.delete(signal);
    signal.removeEventListener("abort", known.onAbort);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#running;
    this.#running = undefined;
    clearTimeout(this.#timer);
    for (const each of [...this.#sent, ...this.#queue]) each.answer(closedAnswer);
    this.#sent = [];
    this.#queue = [];
    if (running === undefined || hasEnded(running.process)) return;
    running.process.ref();
    running.process.kill("SIGKILL");
    await once(running.process, "exit");
  }

  #schedule(): void {
    if (this.#scheduled || this.#sent.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#closed || this.#sent.length > 0 || this.#queue.length === 0) return;
    this.#running ??= this.#start();
    this.#sent = this.#queue;
    this.#queue = [];
    const libraries = new Table<readonly string[]>((each) => each.join("\u0000"));
    const inputs = new Table<string>((each) => each);
    const jobs = this.#sent.map(({ job }) => ({
      form: job.form,
      code: job.code,
      self: job.self,
      runtime: job.runtime,
      library: libraries.placeOf(job.expressionLib),
      inputs: inputs.placeOf(job.inputs),
    }));
    // A process that no longer exists is noticed by its end.
    this.#running.process.send({ jobs, libraries: libraries.items, inputs: inputs.items }, () => undefined);
    this.#watch(this.#running);
  }

  /** Looks now and then which job the process is at, and ends one that takes its whole time. */
  #watch(running: Running): void {
    const { timeMs } = this.#program.limits;
    // Starting takes what it takes: on a busy machine longer than a short limit.
    const patienceAt = (begun: number) =>
      new Patience(begun === 0 ? Math.max(timeMs, startMs) : timeMs, performance.now());
    let { begun } = running;
    let patience = patienceAt(begun);
    const look = () => {
      if (begun !== running.begun) {
        begun = running.begun;
        patience = patienceAt(begun);
      }
      if (patience.tick(performance.now()) === "waiting") {
        wait();
        return;
      }
      const message = begun === 0 ? "the engine did not start" : `it did not end within ${timeMs / 1000} s`;
      this.#giveUp(running, { kind: "fault", code: "time", message });
    };
    const wait = () => {
      this.#timer = setTimeout(look, Math.min(patience.sliceMs, lookMs));
    };
    wait();
  }

  #start(): Running {
    const { source, data, limits, reads } = this.#program;
    const child = spawn(process.execPath, [...flagsFor(limits, reads), "-e", bootstrap], {
      // 3: a byte for each job that begins. It is written at once, also by a process that then never returns.
      stdio: ["ignore", "ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
      env: {},
      windowsHide: true,
    });
    const running: Running = { process: child, begun: 0, answered: 0 };
    const progress = child.stdio[3] as Socket;
    progress.on("data", (bytes: Buffer) => {
      running.begun += bytes.length;
    });
    child.on("message", (replies: readonly string[]) => this.#answered(running, replies));
    child.on("error", (error) => this.#ended(running, error.message));
    child.on("close", (code, signal) => this.#ended(running, signal ?? `exit code ${code}`));
    // Whoever waits for an answer is kept alive by the timer, nobody by an engine that has nothing to do.
    child.unref();
    child.channel?.unref();
    progress.unref();
    const whole = { ...data, giveUpMs: Math.min(longestTimer, limits.timeMs * 2 + 1000) };
    child.send({ source, data: whole }, () => undefined);
    return running;
  }

  #answered(running: Running, replies: readonly string[]): void {
    if (running !== this.#running) return;
    clearTimeout(this.#timer);
    running.answered += replies.length;
    const sent = this.#sent;
    this.#sent = [];
    for (const [index, waiting] of sent.entries()) waiting.answer(answerOf(replies[index] ?? "eno answer"));
    if (this.#queue.length > 0) this.#schedule();
  }

  #ended(running: Running, how: string): void {
    if (running !== this.#running) return;
    const { heapMiB } = this.#program.limits;
    this.#giveUp(
      running,
      outOfMemory.test(how)
        ? { kind: "fault", code: "memory", message: `it needs more than ${heapMiB} MiB of memory` }
        : { kind: "fault", code: "exception", message: `the engine ended: ${how}` },
    );
  }

  /**
   * The job that the process is at gets the answer; everything else is asked again. A process that did not begin is still
   * busy with what an earlier job left running, or cannot start at all. Memory may have been used up by earlier jobs (the
   * libraries of each are kept): only the first job of a process is to blame for that, so the job becomes one.
   */
  #giveUp(running: Running, answer: JsAnswer): void {
    clearTimeout(this.#timer);
    this.#running = undefined;
    running.process.kill("SIGKILL");
    const sent = this.#sent;
    this.#sent = [];
    const at = running.begun - running.answered - 1;
    const isAt = sent.filter((_, index) => index === at);
    const isExcused = answer.kind === "fault" && answer.code === "memory" && running.begun > 1;
    const blamed = isExcused ? [] : at < 0 && running.answered === 0 ? sent : isAt;
    const others = sent.filter((each) => !isAt.includes(each) && !blamed.includes(each));
    this.#queue = [...(isExcused ? isAt : []), ...others, ...this.#queue];
    for (const each of blamed) each.answer(answer);
    if (this.#queue.length > 0) this.#schedule();
  }
}

/** How V8 ends a process that has no memory left: an abort, or a trap of the processor. */
const outOfMemory = /^(SIGABRT|SIGTRAP|SIGILL|exit code 134)$/;
const startMs = 60_000;
const lookMs = 250;
const longestTimer = 2 ** 31 - 1;

/** The first message is the program; it listens to those that follow. */
const bootstrap =
  "process.once('message', (m) => Function('require', 'load', 'data', m.source)(require, (s) => import(s), m.data))";

/** Should code ever get out of the sandbox, it finds no files and starts no programs. */
function flagsFor({ heapMiB }: JsLimits, reads: EngineProgram["reads"]): readonly string[] {
  const known = process.allowedNodeEnvironmentFlags;
  const permission = ["--permission", "--experimental-permission"].find((flag) => known.has(flag));
  return [
    `--max-old-space-size=${heapMiB}`,
    "--stack-size=2000",
    ...(permission === undefined || reads === "modules" ? [] : [permission]),
  ];
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** Things that many jobs have in common, each once. */
class Table<T> {
  readonly items: T[] = [];
  readonly #places = new Map<string, number>();
  readonly #keyOf: (item: T) => string;

  constructor(keyOf: (item: T) => string) {
    this.#keyOf = keyOf;
  }

  placeOf(item: T): number {
    const key = this.#keyOf(item);
    const known = this.#places.get(key) ?? this.items.push(item) - 1;
    this.#places.set(key, known);
    return known;
  }
}

const closedAnswer: JsAnswer = { kind: "fault", code: "closed", message: "the engine was closed" };

/** See `prelude` for the letters. */
function answerOf(reply: string): JsAnswer {
  const rest = reply.slice(1);
  switch (reply[0]) {
    case "v":
      return { kind: "json", json: rest };
    case "i": {
      const end = rest.indexOf("\n");
      return { kind: "json", json: rest.slice(end + 1), impure: rest.slice(0, end) };
    }
    case "s":
      return { kind: "fault", code: "syntax", message: rest };
    case "l":
      return { kind: "fault", code: "syntax", message: `expressionLib: ${rest}` };
    case "t":
      return { kind: "fault", code: "time", message: `it did not end in time (${rest})` };
    case "m":
      return { kind: "fault", code: "memory", message: `it needs too much memory (${rest})` };
    default:
      return { kind: "fault", code: "exception", message: rest };
  }
}
