/** The other side of `RunProcesses`: runs one order for the server that started this process, and ends. */
import { Worker } from "node:worker_threads";
import type { TimedEvent, Turns, TurnsPlace } from "../../../engine/index.ts";
import { AppError, type Ask, asAppError, defined, isAppError, messageOf } from "../../../kernel/index.ts";
import type { Resources } from "../../../task/index.ts";
import type { Environment } from "../../environment.ts";
import { runOrder } from "../../workflows/run.ts";
import type { RunPorts } from "../../workflows/run-order.ts";
import { ImageMap } from "../image-map.ts";
import type { EndedRun, FromServer, RunAssignment, RunRequest, SentFault, TurnsName } from "./messages.ts";
import { Outbox } from "./outbox.ts";

/**
 * A script may keep the main thread busy: another thread looks whether the server is still there, and how large this
 * process is. What V8 does not manage has no other limit.
 */
const watchdog = `
const { workerData } = require("node:worker_threads");
const { parent, mostBytes } = workerData;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
  if (process.memoryUsage.rss() > mostBytes) process.kill(process.pid, "SIGABRT");
}, 250);
`;

export async function answerRun(environment: Environment): Promise<void> {
  if (process.send === undefined) return;
  // Signals of a terminal or a service manager are the server's: it says what runs do.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  // A server that was killed takes its runs along; the next one resumes them.
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  const client = await new Promise<RunClient>((resolve) => {
    let started: RunClient | undefined;
    process.on("message", (message: FromServer) => {
      if (message.kind !== "run") return started?.hear(message);
      started = new RunClient(message, environment);
      resolve(started);
    });
  });
  await client.run();
  process.exit();
}

class RunClient {
  readonly #assignment: RunAssignment;
  readonly #environment: Environment;
  readonly #images: ImageMap | undefined;
  readonly #outbox = new Outbox((message) => process.send?.(message, () => {}));
  readonly #waiting = new Map<number, (value: unknown) => void>();
  readonly #abort = new AbortController();
  #requests = 0;
  #turns = 0;

  constructor(assignment: RunAssignment, environment: Environment) {
    this.#assignment = assignment;
    this.#environment = environment;
    const { images } = assignment;
    this.#images = images === undefined ? undefined : new ImageMap(images);
    const workerData = { parent: process.ppid, mostBytes: assignment.mostMemoryMiB * 1024 * 1024 };
    new Worker(watchdog, { eval: true, workerData }).unref();
  }

  async run(): Promise<void> {
    try {
      const ask = { signal: this.#abort.signal };
      const { outputs: _, ...result } = await runOrder(
        this.#assignment.order,
        this.#ports(),
        this.#environment,
        ask,
      );
      this.#outbox.add({ kind: "ended", result: result satisfies EndedRun });
    } catch (error) {
      this.#outbox.add({ kind: "failed", fault: faultOf(error) });
    }
    await this.#outbox.emptied();
  }

  hear(message: FromServer): void {
    switch (message.kind) {
      case "taken":
        this.#outbox.taken();
        break;
      case "answer": {
        const answered = this.#waiting.get(message.to);
        this.#waiting.delete(message.to);
        answered?.(message.value);
        break;
      }
      case "abort":
        process.send?.({ kind: "stopping" }, () => {});
        this.#abort.abort(new AppError("RUN_INTERRUPTED", message.message));
        break;
      default:
        break;
    }
  }

  #ports(): RunPorts {
    const images = this.#images;
    const { entryArn } = this.#assignment;
    return {
      onEvent: (event) => this.#event(event),
      turns: (capacity, place) => this.#turnsOf(capacity, place),
      ...defined({
        mapImages: images === undefined ? undefined : images.over.bind(images),
        entryNames:
          entryArn === undefined
            ? undefined
            : {
                entry: (uuid: string) => `${entryArn}${uuid}`,
                task: async ({ callPath }: { readonly callPath: string }) =>
                  (await this.#ask({ kind: "task", callPath }).answer) as string,
              },
      }),
    };
  }

  #event(event: TimedEvent): void {
    const image = event.kind === "call.started" ? event.image : undefined;
    const sourceImage = image === undefined ? undefined : this.#images?.sourceOf(image);
    this.#outbox.add({ kind: "event", event, ...defined({ sourceImage }) });
  }

  #turnsOf(capacity: Resources, place: TurnsPlace): Turns {
    const turns: TurnsName = { id: this.#turns++, capacity, place };
    return {
      excess: async (resources) =>
        (await this.#ask({ kind: "excess", turns, resources }).answer) as string | undefined,
      fitted: async (resources) =>
        (await this.#ask({ kind: "fitted", turns, resources }).answer) as Resources,
      acquire: (resources, ask) => this.#acquire(turns, resources, ask),
    };
  }

  async #acquire(turns: TurnsName, resources: Resources, ask: Ask): Promise<(() => void) | undefined> {
    if (ask.signal.aborted) return undefined;
    const { id, answer } = this.#ask({ kind: "acquire", turns, resources });
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      this.#outbox.add({ kind: "leave", id });
    };
    ask.signal.addEventListener("abort", leave, { once: true });
    const granted = (await answer) === true;
    ask.signal.removeEventListener("abort", leave);
    return granted && !left ? leave : undefined;
  }

  #ask(request: RunRequest): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = this.#requests++;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#outbox.add({ kind: "request", id, request });
    return { id, answer };
  }
}

function faultOf(thrown: unknown): SentFault {
  const error = asAppError(thrown) ?? thrown;
  if (!isAppError(error))
    return {
      kind: "bug",
      message: error instanceof Error ? (error.stack ?? error.message) : messageOf(error),
    };
  const { code, message, hint } = error;
  return { kind: "error", code, message, hint };
}
