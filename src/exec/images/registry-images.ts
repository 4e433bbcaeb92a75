/** What image references mean where no local engine is asked: the registry alone knows. */
import { AppError } from "../../kernel/index.ts";
import type { ImageResolver } from "../core/index.ts";
import { createImageResolver } from "./image-resolver.ts";
import type { ImageSource } from "./image-source.ts";
import { platformOf } from "./platform.ts";

const nowhere: ImageSource = {
  absence: "only registries are asked for images here",
  find: async () => undefined,
  make: async ({ recipe }) => {
    throw new AppError(
      "EXEC_IMAGE_NOT_MADE",
      `making an image (${recipe.kind}): tasks that run elsewhere get their images from registries only`,
    );
  },
  pull: async (reference) => {
    throw new AppError(
      "EXEC_IMAGE_NOT_FOUND",
      `pulling ${reference}: only registries are asked for images here`,
    );
  },
};

/**
 * For executors that run images on other machines. Names mean the same as for engines on this machine, so results are
 * shared with those.
 *
 * @param world `platform`: default Linux on this machine's architecture
 */
export function createRegistryImages(world: {
  readonly env: Readonly<Record<string, string>>;
  readonly platform?: string;
}): ImageResolver {
  const { env, platform = platformOf("linux", process.arch === "x64" ? "amd64" : process.arch) } = world;
  return createImageResolver({
    store: nowhere,
    platform,
    credentials: { env, home: env["HOME"] ?? "/" },
  });
}
