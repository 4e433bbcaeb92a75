/** Puts the TES executor together. */
import { AppError, defined } from "../../kernel/index.ts";
import type { CreatedExecutor, ExecutorOptions, ExecutorWorld } from "../core/index.ts";
import { createImageResolver, type ImageSource } from "../images/index.ts";
import { TesClient } from "./tes-client.ts";
import { createTesExecutor } from "./tes-executor.ts";
import { readTesOptions } from "./tes-options.ts";

export function createTes(options: ExecutorOptions, world: ExecutorWorld): CreatedExecutor {
  const { env, say } = world;
  const { url, authorization, workPrefix, ...choices } = readTesOptions(options, env);
  const executor = createTesExecutor({
    ...choices,
    client: new TesClient({ url, ...defined({ authorization }) }),
    work: world.openObjects(workPrefix),
    openObjects: world.openObjects,
    say,
  });
  const images = createImageResolver({
    store: noEngine,
    platform: "linux/amd64",
    credentials: { env, home: env["HOME"] ?? "/" },
  });
  return { executor, images };
}

/** Images are known by their registries alone: no local engine runs them. */
const noEngine: ImageSource = {
  find: async () => undefined,
  pull: async (reference) => {
    throw new AppError("EXEC_IMAGE_NOT_FOUND", `pulling ${reference}: only its registry can be asked for it`);
  },
  make: async ({ recipe }) => {
    throw new AppError(
      "EXEC_IMAGE_NOT_MADE",
      `making an image (${recipe.kind}): a TES service takes images from registries only`,
    );
  },
};
