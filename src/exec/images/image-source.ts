/** Where images are kept that need no registry: an engine's own store, or nothing. */
import type { Ask } from "../../kernel/index.ts";
import type { ImageOrder, ImageStart } from "../core/index.ts";

/** An image in an engine's own store. */
export interface LocalImage {
  /** `sha256:…`: the config digest, or a manifest digest where `containerdImages`. */
  readonly id: string;
  readonly platform: string;
  /** What it runs without a command. */
  readonly start: ImageStart;
}

export interface ImageSource {
  /** For messages about an image that no registry answered for: `the engine has no such image`. */
  readonly absence: string;
  find(reference: string, ask: Ask): Promise<LocalImage | undefined>;
  /** @throws AppError EXEC_IMAGE_NOT_MADE; EXEC_IMAGE_NOT_FOUND where the store should have it. */
  make(order: ImageOrder, ask: Ask): Promise<LocalImage>;
  /** @throws AppError EXEC_IMAGE_NOT_FOUND with the engine's words. */
  pull(reference: string, ask: Ask): Promise<void>;
}
