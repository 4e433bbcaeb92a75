/**
 * Where fetched models are below Memoir's home:
 *
 *   models/<id>                          a link to the installed package; replaced by one rename
 *   model-packages/<id>/<unique name>/   the package itself
 *   model-packages/<id>/<unique name>/.memoir-fetch.json    where it came from
 *   model-packages/<id>/<unique name>/.memoir-hosted.json   instead of a package: a running server and its card
 */
import { join } from "node:path";

export const originFile = ".memoir-fetch.json";
export const hostedFile = ".memoir-hosted.json";

export interface ModelPlaces {
  readonly links: string;
  readonly packages: string;
}

export function placesBelow(home: string): ModelPlaces {
  return { links: join(home, "models"), packages: join(home, "model-packages") };
}
