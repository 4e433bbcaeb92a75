/** Runs a model by the server in its image, which is started once and removed when the runner is closed. */
import { AppError, type Ask, defined, freshAsk, isAppError, messageOf } from "../../kernel/index.ts";
import type { Prediction } from "../../task/index.ts";
import type { Model, Runner } from "../model.ts";
import { HttpRunner, waitForServer } from "../runners/http-runner.ts";
import { ModelContainer, type ModelImage } from "./model-container.ts";

export interface ImageRunnerOptions {
  readonly model: Model;
  readonly image: ModelImage;
  readonly workers: number;
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly tempDir?: string;
  /** A session's container. Default, and where it does not run any more: one for this runner alone. */
  readonly running?: string;
}

interface PlaceOfContainer {
  readonly env: Readonly<Record<string, string>>;
  readonly tempDir?: string;
  readonly sessionFile?: string;
}

/** Loading a model's environment takes long where the disk is slow. */
const readyWithinMs = 300_000;
/** How often is looked whether the container still runs. */
const readyTimeoutMs = 5_000;

interface Started {
  readonly container: ModelContainer;
  readonly runner: HttpRunner;
}

export class ImageRunner implements Runner {
  readonly kind = "image";
  readonly toolkit = undefined;
  readonly #options: ImageRunnerOptions;
  #starting: Promise<Started> | undefined;

  constructor(options: ImageRunnerOptions) {
    this.#options = options;
  }

  async open(ask: Ask): Promise<void> {
    await this.#started(ask);
  }

  async predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const { container, runner } = await this.#started(ask);
    try {
      return await runner.predict(inputs, ask);
    } catch (error) {
      if (!isAppError(error, "MODEL_SERVER_UNREACHABLE")) throw error;
      const words = await container.lastWords(freshAsk());
      throw new AppError("MODEL_SERVER_UNREACHABLE", `${messageOf(error)}; ${words}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    const started = await this.#starting?.catch(() => undefined);
    this.#starting = undefined;
    await started?.runner.close();
    await started?.container.close(freshAsk());
  }

  async #started(ask: Ask): Promise<Started> {
    this.#starting ??= this.#start(ask);
    try {
      return await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  async #attached(place: PlaceOfContainer, ask: Ask) {
    const { image, running } = this.#options;
    if (running === undefined) return undefined;
    const container = new ModelContainer(image, { ...place, running });
    const url = await container.attach(ask);
    return url === undefined ? undefined : { container, url };
  }

  async #start(ask: Ask): Promise<Started> {
    const { model, image, workers, timeoutMs, env, tempDir } = this.#options;
    const place = { env, ...defined({ tempDir }) };
    const { container, url } = (await this.#attached(place, ask)) ?? (await openContainer(image, place, ask));
    try {
      const runner = new HttpRunner({ model, url, workers, timeoutMs });
      await runner.open(ask);
      return { container, runner };
    } catch (error) {
      await container.close(freshAsk());
      throw error;
    }
  }
}

/** Starts the image and waits until its server answers. */
export async function openContainer(
  image: ModelImage,
  place: PlaceOfContainer,
  ask: Ask,
): Promise<{ readonly container: ModelContainer; readonly url: string }> {
  const container = new ModelContainer(image, place);
  try {
    const url = await container.start(ask);
    await answering(url, container, ask);
    return { container, url };
  } catch (error) {
    const words = isAppError(error, "MODEL_SERVER_UNREACHABLE")
      ? await container.lastWords(freshAsk()).catch(() => "")
      : "";
    await container.close(freshAsk());
    if (words === "" || !isAppError(error)) throw error;
    throw new AppError("MODEL_SERVER_UNREACHABLE", `${messageOf(error)}; ${words}`, { cause: error });
  }
}

/** A container that has ended will not answer any more. */
async function answering(url: string, container: ModelContainer, ask: Ask): Promise<void> {
  for (const until = Date.now() + readyWithinMs; ; ) {
    try {
      await waitForServer({ url, timeoutMs: readyTimeoutMs }, ask);
      return;
    } catch (error) {
      const mayCome = isAppError(error, "MODEL_SERVER_UNREACHABLE") && Date.now() < until;
      if (!mayCome || !(await container.isRunning(ask))) throw error;
    }
  }
}
