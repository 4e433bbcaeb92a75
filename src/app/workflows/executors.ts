/** The executor that a run asked for. Engines are looked for when a task or an image needs one, not before. */
import type {
  Attempt,
  AttemptEnd,
  Executor,
  ImageOrder,
  ImageResolver,
  ImageStart,
  PinnedImage,
} from "../../exec/core/index.ts";
import { AppError, type Ask, invariant } from "../../kernel/index.ts";
import type { Brought } from "../../task/index.ts";
import type { Environment } from "../environment.ts";

export interface ExecutorWish {
  /** `auto` is `container`, for CWL `mixed`; `mixed` runs tasks that name an image in containers and all others on this machine. */
  readonly executor: "auto" | "container" | "host" | "mixed";
  /** Default: the first that answers. */
  readonly engine?: "docker" | "podman";
  /** Hide everything undeclared from host tasks. */
  readonly isolate: "yes" | "no";
  /** `off`: host tasks run outside Memoir's namespaces and get copies of their inputs. Default `auto`. */
  readonly guard?: "auto" | "off";
}

export interface ChosenExecutor {
  readonly executor: Executor;
  readonly images?: ImageResolver;
  close(): Promise<void>;
}

/** `say`: words for people about what the executor does on the way (pulling an image). */
export async function chooseExecutor(
  wish: ExecutorWish,
  environment: Environment,
  say: (words: string) => void,
): Promise<ChosenExecutor> {
  if (wish.executor === "host") {
    if (wish.engine !== undefined)
      throw new AppError(
        "CLI_USAGE",
        "choosing the executor: --engine means containers, --executor host means none",
      );
    const { createHostExecutor } = await import("../../exec/local/index.ts");
    const executor = createHostExecutor({
      isolate: wish.isolate === "yes",
      env: environment.programs,
      ...(wish.guard === undefined ? {} : { guard: wish.guard }),
      say,
    });
    return { executor, close: () => executor.close() };
  }
  if (wish.isolate === "yes")
    throw new AppError(
      "CLI_USAGE",
      "choosing the executor: --isolate is for --executor host; containers isolate anyway",
    );
  const lazy = new LazyContainers(wish.engine, environment, say);
  if (wish.executor === "mixed") {
    const { createHostExecutor } = await import("../../exec/local/index.ts");
    const host = createHostExecutor({
      isolate: false,
      env: environment.programs,
      ...(wish.guard === undefined ? {} : { guard: wish.guard }),
      say,
    });
    const executor = new MixedExecutor(host, lazy);
    return { executor, images: lazy, close: () => executor.close() };
  }
  return { executor: lazy, images: lazy, close: () => lazy.close() };
}

interface Opened {
  readonly executor: Executor;
  readonly images: ImageResolver;
}

/** Docker or Podman, found when first needed; a run whose calls are all reused needs only its answers about images. */
class LazyContainers implements Executor, ImageResolver {
  readonly #engine: "docker" | "podman" | undefined;
  readonly #environment: Environment;
  readonly #say: (words: string) => void;
  #opened: Promise<Opened> | undefined;
  #executor: Executor | undefined;

  constructor(
    engine: "docker" | "podman" | undefined,
    environment: Environment,
    say: (words: string) => void,
  ) {
    this.#engine = engine;
    this.#environment = environment;
    this.#say = say;
  }

  get name(): string {
    return this.#executor?.name ?? this.#engine ?? "container";
  }

  get can() {
    return (
      this.#executor?.can ?? {
        containers: true,
        survives: true,
        mountsTaskRoot: true,
        limitsMemory: true,
        sharesFiles: true,
        isolates: true,
      }
    );
  }

  async open(ask: Ask): Promise<void> {
    await (await this.#find(ask)).executor.open(ask);
  }

  capacity() {
    return this.#executor?.capacity() ?? { cpu: 0, memoryBytes: 0, gpu: 0 };
  }

  environmentIdentity(): string | undefined {
    return undefined;
  }

  async pin(requested: string, ask: Ask): Promise<PinnedImage> {
    return (await this.#find(ask)).images.pin(requested, ask);
  }

  async make(order: ImageOrder, ask: Ask): Promise<PinnedImage> {
    return (await this.#find(ask)).images.make(order, ask);
  }

  async startOf(image: PinnedImage, ask: Ask): Promise<ImageStart> {
    return (await this.#find(ask)).images.startOf(image, ask);
  }

  async start(attempt: Attempt, ask: Ask): Promise<void> {
    return (await this.#find(ask)).executor.start(attempt, ask);
  }

  async wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    return (await this.#find(ask)).executor.wait(attempt, ask);
  }

  async state(attempt: Attempt, ask: Ask) {
    return (await this.#find(ask)).executor.state(attempt, ask);
  }

  async copyOut(attempt: Attempt, taskPath: string, ask: Ask): Promise<Brought> {
    const { executor } = await this.#find(ask);
    invariant(executor.copyOut !== undefined, "containers have file systems of their own");
    return executor.copyOut(attempt, taskPath, ask);
  }

  async remove(attempt: Attempt, ask: Ask): Promise<void> {
    return (await this.#find(ask)).executor.remove(attempt, ask);
  }

  async close(): Promise<void> {
    if (this.#opened === undefined) return;
    const opened = await this.#opened.catch(() => undefined);
    await opened?.executor.close();
  }

  #find(ask: Ask): Promise<Opened> {
    this.#opened ??= this.#open(ask);
    return this.#opened;
  }

  async #open(ask: Ask): Promise<Opened> {
    const containers = await import("../../exec/container/index.ts");
    const { programs } = this.#environment;
    const home = programs["HOME"] ?? "/";
    const engine = await containers.findEngine(
      { env: programs, home, ...(this.#engine === undefined ? {} : { engine: this.#engine }) },
      ask,
    );
    const credentials = { env: programs, home };
    const store = new containers.ImageStore({
      engine,
      credentials,
      onPull: pullWords(this.#say),
      onMake: this.#say,
    });
    const executor = containers.createContainerExecutor({ engine, images: store });
    this.#executor = executor;
    const images = containers.createImageResolver({
      store,
      platform: engine.facts.platform,
      credentials,
      onLocal: (requested, why) => this.#say(`${requested} is taken from this machine: ${why}`),
    });
    return { executor, images };
  }
}

/** One line for each image that is pulled, not one for each of its layers. */
function pullWords(say: (words: string) => void): (reference: string) => void {
  const told = new Set<string>();
  return (reference) => {
    if (told.has(reference)) return;
    told.add(reference);
    say(`pulling ${reference}`);
  };
}

/** Each attempt where it belongs: in a container when it has an image, else on this machine. */
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
    invariant(this.#containers.copyOut !== undefined, "containers have file systems of their own");
    return this.#containers.copyOut(attempt, taskPath, ask);
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
