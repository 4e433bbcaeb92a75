/** The container executor as runs use it: an engine is looked for when a task or an image needs one, not before. */
import { AppError, type Ask, defined, isAppError } from "../../kernel/index.ts";
import { findProgram } from "../../process/index.ts";
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
import { createImageResolver, createRegistryImages } from "../images/index.ts";
import { type ApptainerName, createApptainerExecutor } from "./apptainer-executor.ts";
import { createContainerExecutor } from "./container-executor.ts";
import { findEngine } from "./find-engine.ts";
import { ImageStore } from "./image-store.ts";

interface Opened {
  readonly executor: Executor;
  readonly images: ImageResolver;
}

interface FoundApptainer {
  readonly name: ApptainerName;
  readonly program: string;
}

const apptainerNames = ["apptainer", "singularity"] as const;

function isApptainer(name: string): name is ApptainerName {
  return name === "apptainer" || name === "singularity";
}

/** They are the same program under two names. */
function orderOf(first: ApptainerName): readonly ApptainerName[] {
  return first === "singularity" ? ["singularity", "apptainer"] : apptainerNames;
}

export type EngineName = "docker" | "podman" | ApptainerName;

/** Docker, Podman or Apptainer, found when first needed; a run whose calls are all reused needs only its answers about images. */
export class LazyContainers implements Executor, ImageResolver {
  readonly #engine: EngineName | undefined;
  readonly #world: ExecutorWorld;
  #opened: Promise<Opened> | undefined;
  #executor: Executor | undefined;
  #preferred: string | undefined;

  constructor(engine: EngineName | undefined, world: ExecutorWorld) {
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
    if (executor.copyOut === undefined)
      throw new AppError(
        "EXEC_ENGINE_FAILED",
        `reading ${taskPath} of ${attempt.id}: ${executor.name} keeps no file of a container outside the task's folder`,
      );
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

  /** What a pipeline is written for: taken if it is there and the user has not chosen another one. */
  preferEngine(name: string): void {
    this.#preferred = name;
  }

  async #open(ask: Ask): Promise<Opened> {
    const wanted = this.#engine;
    if (wanted !== undefined && isApptainer(wanted)) {
      const found = await this.#findApptainer([wanted]);
      if (found !== undefined) return this.#withApptainer(found);
      throw new AppError("EXEC_ENGINE_NOT_FOUND", `looking for ${wanted}: there is no such program on PATH`);
    }
    const preferred = this.#preferred;
    if (wanted === undefined && preferred !== undefined && isApptainer(preferred)) {
      const found = await this.#findApptainer(orderOf(preferred));
      if (found !== undefined) return this.#withApptainer(found);
    }
    try {
      return await this.#openEngine(wanted, ask);
    } catch (error) {
      const found =
        wanted === undefined && isAppError(error, "EXEC_ENGINE_NOT_FOUND")
          ? await this.#findApptainer(apptainerNames)
          : undefined;
      if (found === undefined) throw error;
      return this.#withApptainer(found);
    }
  }

  async #findApptainer(names: readonly ApptainerName[]): Promise<FoundApptainer | undefined> {
    for (const name of names) {
      const program = await findProgram(name, this.#world.env, "/");
      if (program !== undefined) return { name, program };
    }
    return undefined;
  }

  #withApptainer({ name, program }: FoundApptainer): Opened {
    const { env } = this.#world;
    const executor = createApptainerExecutor({ name, program, env });
    this.#executor = executor;
    return { executor, images: createRegistryImages({ env }) };
  }

  async #openEngine(wanted: "docker" | "podman" | undefined, ask: Ask): Promise<Opened> {
    const { env, say } = this.#world;
    const home = env["HOME"] ?? "/";
    const engine = await findEngine({ env, home, ...defined({ engine: wanted }) }, ask);
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
