/**
 * The container registry map of a workflow: which image is pulled where a task names another one. Image mappings replace
 * whole names. Registry mappings name a pull-through cache of a registry in the account's ECR, which has the same
 * images: where that cannot be reached, the image is pulled from where it comes from.
 * https://docs.aws.amazon.com/omics/latest/dev/workflows-ecr-pull-through-cache.html
 */

import type { ImageResolver } from "../../exec/core/index.ts";
import { type ImageName, parseImageName } from "../../exec/images/index.ts";
import { type Ask, checkAsk, isAppError } from "../../kernel/index.ts";

/** As requests have it. */
export interface RegistryMap {
  readonly registryMappings?: readonly {
    readonly upstreamRegistryUrl?: string;
    readonly ecrRepositoryPrefix?: string;
    readonly upstreamRepositoryPrefix?: string;
    readonly ecrAccountId?: string;
  }[];
  readonly imageMappings?: readonly { readonly sourceImage?: string; readonly destinationImage?: string }[];
}

export interface ImageMapFacts {
  readonly map: RegistryMap;
  readonly owner: { readonly account: string; readonly region: string };
}

export class ImageMap {
  /** Another one of these maps the same. */
  readonly facts: ImageMapFacts;
  readonly #map: RegistryMap;
  readonly #owner: ImageMapFacts["owner"];
  /** What was pulled, and the name that stood in the workflow. */
  readonly #sources = new Map<string, string>();

  constructor(facts: ImageMapFacts) {
    const { map, owner } = facts;
    this.facts = facts;
    this.#map = map;
    this.#owner = owner;
  }

  /** Images that may be pulled for this one, the first that is there. */
  namesOf(source: string): readonly string[] {
    const name = parseImageName(source);
    const same = (text = "") => text === source || (name !== undefined && isSame(parseImageName(text), name));
    const mapped = this.#map.imageMappings?.find(({ sourceImage }) => same(sourceImage));
    if (mapped?.destinationImage !== undefined) return [mapped.destinationImage];
    const cached = name === undefined ? undefined : this.#cachedName(name);
    return cached === undefined ? [source] : [cached, source];
  }

  /** The name in the workflow of an image that was pulled. */
  sourceOf(image: string): string {
    return this.#sources.get(image) ?? image;
  }

  /** A resolver that pulls what the map says. */
  over(images: ImageResolver): ImageResolver {
    return {
      pin: async (requested, ask) => {
        const names = this.namesOf(requested);
        const pinned = await firstOf(names, images, ask);
        if (pinned.requested !== requested) this.#sources.set(pinned.requested, requested);
        return pinned;
      },
      make: (order, ask) => images.make(order, ask),
      startOf: (image, ask) => images.startOf(image, ask),
    };
  }

  #cachedName(name: ImageName): string | undefined {
    for (const mapping of this.#map.registryMappings ?? []) {
      const { upstreamRegistryUrl = "", ecrRepositoryPrefix, upstreamRepositoryPrefix } = mapping;
      if (hostOf(upstreamRegistryUrl) !== name.host) continue;
      const below = upstreamRepositoryPrefix === undefined ? "" : `${upstreamRepositoryPrefix}/`;
      if (!name.repository.startsWith(below)) continue;
      const repository = name.repository.slice(below.length);
      const prefix = ecrRepositoryPrefix === undefined ? "" : `${ecrRepositoryPrefix}/`;
      const registry = `${mapping.ecrAccountId ?? this.#owner.account}.dkr.ecr.${this.#owner.region}.amazonaws.com`;
      const tag = name.tag === undefined ? "" : `:${name.tag}`;
      const digest = name.digest === undefined ? "" : `@${name.digest}`;
      return `${registry}/${prefix}${repository}${tag}${digest}`;
    }
    return undefined;
  }
}

async function firstOf(names: readonly string[], images: ImageResolver, ask: Ask) {
  let refusal: unknown;
  for (const name of names) {
    try {
      return await images.pin(name, ask);
    } catch (error) {
      checkAsk(ask, `finding the image ${name}`);
      if (!isAppError(error)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function isSame(a: ImageName | undefined, b: ImageName): boolean {
  return a?.host === b.host && a.repository === b.repository && a.tag === b.tag && a.digest === b.digest;
}

/** Docker Hub goes by several names. */
function hostOf(url: string): string | undefined {
  const host = url.replace(/^https?:\/\//i, "").replace(/\/.*$/, "");
  return parseImageName(`${host}/a/b`)?.host;
}
