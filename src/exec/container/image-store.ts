/** The engine's own images: looking up, and pulling each one once at a time. */
import { AppError, type Ask, SingleFlight } from "../../kernel/index.ts";
import type { ImageOrder } from "../core/index.ts";
import {
  type CredentialSources,
  findCredentials,
  type ImageSource,
  isLoopback,
  type LocalImage,
  parseImageName,
} from "../images/index.ts";
import type { ContainerEngine } from "./engine.ts";
import { makeImage } from "./image-maker.ts";

export interface ImageStoreOptions {
  readonly engine: ContainerEngine;
  readonly credentials: CredentialSources;
  /** Called with the engine's messages about a pull, line by line. */
  readonly onPull?: (reference: string, line: string) => void;
  /** Called when an image is being built, loaded or imported. */
  readonly onMake?: (words: string) => void;
}

export class ImageStore implements ImageSource {
  readonly absence = "the engine has no such image";
  readonly #options: ImageStoreOptions;
  readonly #pulls = new SingleFlight<void>();
  readonly #makes = new SingleFlight<LocalImage>();

  constructor(options: ImageStoreOptions) {
    this.#options = options;
  }

  find(reference: string, ask: Ask): Promise<LocalImage | undefined> {
    return this.#options.engine.image(reference, ask);
  }

  make(order: ImageOrder, ask: Ask): Promise<LocalImage> {
    const { engine, onMake = () => {} } = this.#options;
    return this.#makes.run(order.identity, () => makeImage(engine, order, onMake, ask));
  }

  pull(reference: string, ask: Ask): Promise<void> {
    return this.#pulls.run(reference, () => this.#pull(reference, ask));
  }

  async #pull(reference: string, ask: Ask): Promise<void> {
    const { engine, credentials: sources, onPull } = this.#options;
    const name = parseImageName(reference);
    if (name === undefined)
      throw new AppError(
        "EXEC_IMAGE_NOT_FOUND",
        `pulling ${reference}: the engine does not have it, and it is not a name that can be pulled`,
      );
    const credentials = await findCredentials(name.host, name.repository, sources, ask);
    const insecure = isLoopback(name.host);
    const outcome = await engine.pull(
      {
        reference,
        credentials,
        insecure,
        ...(onPull === undefined ? {} : { onProgress: (line: string) => onPull(reference, line) }),
      },
      ask,
    );
    if (outcome.kind === "pulled") return;
    throw new AppError("EXEC_IMAGE_NOT_FOUND", `pulling ${reference}: ${outcome.message}`);
  }
}
