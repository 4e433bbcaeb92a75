/**
 * Pins images: a name as a document wrote it becomes one exact image, with the digest that identifies it in keys.
 * The registry is asked first, since tags move; the engine's own store answers where the registry does not know the
 * image or cannot be reached; and an engine that reaches what we cannot (a proxy, a mirror) is asked last.
 */
import { AppError, type Ask, defined, type ErrorCode, isAppError, SingleFlight } from "../../kernel/index.ts";
import type { ImageResolver, ImageStart, PinnedImage } from "../core/index.ts";
import type { CredentialSources } from "./credentials.ts";
import { type ImageName, imageText, parseImageName } from "./image-name.ts";
import type { ImageSource, LocalImage } from "./image-source.ts";
import { parseStart } from "./image-start.ts";
import { asObject, parseJson } from "./json.ts";
import { RegistryClient, type Unresolved } from "./registry-client.ts";

export interface ImageResolverOptions {
  /** The engine's images. */
  readonly store: ImageSource;
  /** `linux/amd64`: what the engine runs (`engine.facts.platform`). */
  readonly platform: string;
  readonly credentials: CredentialSources;
  /** Called when an image on this machine is taken because of trouble with its registry. */
  readonly onLocal?: (requested: string, why: string) => void;
  /** How often a request is made when nothing local can replace it. Default 4. */
  readonly tries?: number;
  /** First pause between tries, doubled each time. Default 500 ms. */
  readonly retryPauseMs?: number;
}

const codeOf: Readonly<Record<Unresolved["kind"], ErrorCode>> = {
  missing: "EXEC_IMAGE_NOT_FOUND",
  refused: "EXEC_IMAGE_REFUSED",
  unreachable: "EXEC_REGISTRY_UNREACHABLE",
};

/** Remembers what it pinned: within one resolver a name means one image. Make a new one for every run. */
export function createImageResolver(options: ImageResolverOptions): ImageResolver {
  const registry = new RegistryClient({
    credentials: options.credentials,
    ...defined({ retryPauseMs: options.retryPauseMs }),
  });
  const pinOnce = once((requested, ask) => pin(options, registry, requested, ask));
  const starts = new Map<string, ImageStart>();
  const starting = new SingleFlight<ImageStart>();
  return {
    pin: pinOnce,
    make: async (order, ask) => {
      const { recipe } = order;
      if (recipe.kind === "local" && (await options.store.find(recipe.name, ask)) === undefined)
        return pinOnce(recipe.name, ask);
      const image = await options.store.make(order, ask);
      starts.set(image.id, image.start);
      return pinLocal(recipe.kind === "local" ? recipe.name : recipe.kind, image);
    },
    startOf: async (image, ask) => {
      const { reference } = image;
      const known = starts.get(reference);
      if (known !== undefined) return known;
      const found = await starting.run(reference, () => startOf(options, registry, image, ask));
      starts.set(reference, found);
      return found;
    },
  };
}

/** Remembers answers, and asks once at a time. */
function once(
  find: (requested: string, ask: Ask) => Promise<PinnedImage>,
): (requested: string, ask: Ask) => Promise<PinnedImage> {
  const pins = new Map<string, PinnedImage>();
  const pinning = new SingleFlight<PinnedImage>();
  return async (requested, ask) => {
    const known = pins.get(requested);
    if (known !== undefined) return known;
    const pinned = await pinning.run(requested, () => find(requested, ask));
    pins.set(requested, pinned);
    return pinned;
  };
}

/** What the engine's own copy says, else the registry: nothing is pulled for it. */
async function startOf(
  options: ImageResolverOptions,
  registry: RegistryClient,
  image: PinnedImage,
  ask: Ask,
): Promise<ImageStart> {
  const local = await options.store.find(image.reference, ask);
  if (local !== undefined) return local.start;
  const name = parseImageName(image.reference);
  if (name === undefined)
    throw unresolved(options, image.requested, { kind: "missing", words: "the image no longer exists" });
  const answer = await registry.config(name, image.configDigest, options.tries ?? 4, ask);
  if (answer.kind !== "config") throw unresolved(options, image.requested, answer);
  return parseStart(asObject(parseJson(answer.text))["config"]);
}

async function pin(
  options: ImageResolverOptions,
  registry: RegistryClient,
  requested: string,
  ask: Ask,
): Promise<PinnedImage> {
  const name = parseImageName(requested);
  const local = await findLocal(options.store, requested, name, ask);
  if (name === undefined || name.host === "localhost") {
    if (local !== undefined) return pinLocal(requested, local);
    const why = name === undefined ? "it is not an image name" : "the name says that it is on this machine";
    throw new AppError("EXEC_IMAGE_NOT_FOUND", `pinning ${requested}: ${why}, and ${options.store.absence}`);
  }
  const tries = local === undefined ? (options.tries ?? 4) : 1;
  const answer = await registry.resolve(name, options.platform, tries, ask);
  if (answer.kind === "resolved")
    return {
      requested,
      reference: `${name.host}/${name.repository}@${answer.manifestDigest}`,
      platform: answer.platform,
      configDigest: answer.configDigest,
      manifestDigest: answer.manifestDigest,
    };
  if (local !== undefined) {
    options.onLocal?.(requested, answer.words);
    return pinLocal(requested, local);
  }
  if (answer.kind === "unreachable") {
    const pulled = await pullByEngine(options.store, name, ask);
    if (typeof pulled !== "string") {
      options.onLocal?.(requested, answer.words);
      return pinLocal(requested, pulled);
    }
    throw unresolved(options, requested, { ...answer, words: `${answer.words}; the engine: ${pulled}` });
  }
  throw unresolved(options, requested, answer);
}

function unresolved(
  { store }: ImageResolverOptions,
  requested: string,
  { kind, words }: Unresolved,
): AppError {
  return new AppError(codeOf[kind], `pinning ${requested}: ${words}; and ${store.absence}`);
}

/** The name as written first: engines find `tool:1` under the names that local builds get. */
async function findLocal(
  store: ImageSource,
  requested: string,
  name: ImageName | undefined,
  ask: Ask,
): Promise<LocalImage | undefined> {
  const trimmed = requested.trim().replace(/^docker:\/\//, "");
  if (name === undefined)
    return /^(sha256:)?[0-9a-f]{64}$/.test(trimmed) ? store.find(trimmed, ask) : undefined;
  const written = await store.find(trimmed, ask);
  if (written !== undefined) return written;
  return store.find(imageText(name), ask);
}

function pinLocal(requested: string, image: LocalImage): PinnedImage {
  return { requested, reference: image.id, platform: image.platform, configDigest: image.id };
}

/** The image, or the words that say why the engine could not pull it either. */
async function pullByEngine(store: ImageSource, name: ImageName, ask: Ask): Promise<LocalImage | string> {
  const reference = imageText(name);
  try {
    await store.pull(reference, ask);
  } catch (error) {
    if (isAppError(error, "EXEC_IMAGE_NOT_FOUND") || isAppError(error, "EXEC_ENGINE_FAILED"))
      return error.message;
    throw error;
  }
  return (await store.find(reference, ask)) ?? "pulled, and not there";
}
