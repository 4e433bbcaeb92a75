/** What an image runs without a command, as engines and registries describe it. Pure. */
import type { ImageStart } from "../core/index.ts";
import { asList, asObject, asText } from "./json.ts";

/** @param config the `config` of an image */
export function parseStart(config: unknown): ImageStart {
  const facts = asObject(config);
  const words = (name: string) => asList(facts[name]).flatMap((word) => asText(word) ?? []);
  return { entrypoint: words("Entrypoint"), command: words("Cmd") };
}
