/** Two executors as one: each attempt where it belongs, in a container when it has an image, else on this machine. */
import { type Ask, invariant } from "../../kernel/index.ts";
import type { Brought } from "../../task/index.ts";
import type { Attempt, AttemptEnd, Executor } from "./executor.ts";
import type { ExecutorKind, ExecutorOptions } from "./executor-kind.ts";

/** `options`: which of the two executors' options it takes. */
export function mixedKind(
  host: ExecutorKind,
  containers: ExecutorKind,
  about: Pick<ExecutorKind, "name" | "summary"> & { readonly options: readonly string[] },
): ExecutorKind {
  const taken = ({ options }: ExecutorKind) => options.filter(({ name }) => about.options.includes(name));
  const of = (kind: ExecutorKind, given: ExecutorOptions) =>
    Object.fromEntries(
      Object.entries(given).filter(([name]) => kind.options.some((each) => each.name === name)),
    );
  return {
    ...about,
    options: [...taken(containers), ...taken(host)],
    // What it needs the two executors look at themselves.
    checks: [],
    create: async (given, world) => {
      const inside = await containers.create(of(containers, given), world);
      const here = await host.create(of(host, given), world);
      return { ...inside, executor: new MixedExecutor(here.executor, inside.executor) };
    },
  };
}

class MixedExecutor implements Executor {
  readonly name = "host and containers";
  readonly #host: Executor;
  readonly #containers: Executor;
  #opened: Promise<void> | undefined;

  constructor(host: Executor, containers: Executor) {
    this.#host = host;
    this.#containers = containers;
  }

  get can() {
    return { ...this.#host.can, containers: true, plainTasks: true as const };
  }

  /** Containers are opened when the first of them is started. */
  async open(ask: Ask): Promise<void> {
    await this.#host.open(ask);
  }

  capacity() {
    return this.#host.capacity();
  }

  environmentIdentity(): string | undefined {
    return this.#host.environmentIdentity();
  }

  async place(attempt: Attempt, ask: Ask): Promise<"placed" | "not placed"> {
    if (attempt.image !== undefined || this.#host.place === undefined) return "not placed";
    return this.#host.place(attempt, ask);
  }

  async programPath(name: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
    return this.#host.programPath?.(name, env);
  }

  async start(attempt: Attempt, ask: Ask): Promise<void> {
    if (attempt.image !== undefined) {
      this.#opened ??= this.#containers.open(ask);
      await this.#opened;
    }
    return this.#of(attempt).start(attempt, ask);
  }

  wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    return this.#of(attempt).wait(attempt, ask);
  }

  state(attempt: Attempt, ask: Ask) {
    return this.#of(attempt).state(attempt, ask);
  }

  copyOut(attempt: Attempt, taskPath: string, ask: Ask): Promise<Brought> {
    invariant(this.#containers.copyOut !== undefined, "containers have separate file systems");
    return this.#containers.copyOut(attempt, taskPath, ask);
  }

  preferEngine(name: string): void {
    this.#containers.preferEngine?.(name);
  }

  remove(attempt: Attempt, ask: Ask): Promise<void> {
    return this.#of(attempt).remove(attempt, ask);
  }

  async close(): Promise<void> {
    await Promise.all([this.#host.close(), this.#containers.close()]);
  }

  #of(attempt: Attempt): Executor {
    return attempt.image === undefined ? this.#host : this.#containers;
  }
}
