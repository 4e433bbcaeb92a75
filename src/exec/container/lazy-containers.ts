/** The container executor as runs use it: an engine is looked for when a task or an image needs one, not before. */
import { type Ask, defined, invariant } from "../../kernel/index.ts";
import type { Brought } from "../../task/index.ts";
import type {
  Attempt,
  AttemptEnd,
  Executor,
  ExecutorWorld,
  ImageOrder,
  ImageResolver,
  ImageStart,
  PinnedImage,
} from "../core/index.ts";
import { createImageResolver } from "../images/index.ts";
import { createContainerExecutor } from "./container-executor.ts";
import { findEngine } from "./find-engine.ts";
import { ImageStore } from "./image-store.ts";

interface Opened {
  readonly executor: Executor;
  readonly images: ImageResolver;
}

/** Docker or Podman, found when first needed; a run whose calls are all reused needs only its answers about images. */
export class LazyContainers implements Executor, ImageResolver {
  readonly #engine: "docker" | "podman" | undefined;
  readonly #world: ExecutorWorld;
  #opened: Promise<Opened> | undefined;
  #executor: Executor | undefined;

  constructor(engine: "docker" | "podman" | undefined, world: ExecutorWorld) {
    this.#engine = engine;
    this.#world = world;
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
    invariant(executor.copyOut !== undefined, "containers have separate file systems");
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
    const { env, say } = this.#world;
    const home = env["HOME"] ?? "/";
    const engine = await findEngine({ env, home, ...defined({ engine: this.#engine }) }, ask);
    const credentials = { env, home };
    const store = new ImageStore({
      engine,
      credentials,
      onPull: pullReporter(say),
      onMake: say,
    });
    const executor = createContainerExecutor({ engine, images: store });
    this.#executor = executor;
    const images = createImageResolver({
      store,
      platform: engine.facts.platform,
      credentials,
      onLocal: (requested, why) => say(`${requested} is taken from this machine: ${why}`),
    });
    return { executor, images };
  }
}

/** One line for each image that is pulled, not one for each of its layers. */
function pullReporter(say: (words: string) => void): (reference: string) => void {
  const reported = new Set<string>();
  return (reference) => {
    if (reported.has(reference)) return;
    reported.add(reference);
    say(`pulling ${reference}`);
  };
}
