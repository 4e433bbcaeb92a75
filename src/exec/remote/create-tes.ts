/** Puts the TES executor together. */
import { defined } from "../../kernel/index.ts";
import type { CreatedExecutor, ExecutorOptions, ExecutorWorld } from "../core/index.ts";
import { createRegistryImages } from "../images/index.ts";
import { createServiceExecutor } from "./service-executor.ts";
import { TesClient } from "./tes-client.ts";
import { readTesOptions } from "./tes-options.ts";

export function createTes(options: ExecutorOptions, world: ExecutorWorld): CreatedExecutor {
  const { env, say } = world;
  const { url, authorization, workPrefix, ...choices } = readTesOptions(options, env);
  const executor = createServiceExecutor({
    name: "tes",
    ...choices,
    client: new TesClient({ url, ...defined({ authorization }) }),
    work: world.openObjects(workPrefix),
    openObjects: world.openObjects,
    say,
  });
  const images = createRegistryImages({ env, platform: "linux/amd64" });
  return { executor, images };
}
