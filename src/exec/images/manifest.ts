/**
 * Manifests of images: which kind a document is, and what it says. Pure.
 * https://github.com/opencontainers/image-spec/blob/main/manifest.md and image-index.md; Docker's schema 2 is alike.
 */
import { asList, asObject, asText, parseJson } from "./json.ts";
import { platformFit, platformOf } from "./platform.ts";

/** Everything a registry may hold. One that is not listed here is answered with 404 by some registries. */
export const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
] as const;

export type Manifest =
  | { readonly kind: "index"; readonly entries: readonly IndexEntry[] }
  | { readonly kind: "image"; readonly configDigest: string }
  /** Schema 1, written by Docker before 1.10: it has no config to identify the image by. */
  | { readonly kind: "old" }
  | { readonly kind: "unknown" };

export interface IndexEntry {
  readonly digest: string;
  readonly platform: string;
}

export function parseManifest(text: string): Manifest {
  const document = asObject(parseJson(text));
  // The kind shows in the members; media types are often wrong or missing.
  if (document["schemaVersion"] === 1) return { kind: "old" };
  if (Array.isArray(document["manifests"]))
    return { kind: "index", entries: asList(document["manifests"]).flatMap(parseEntry) };
  const configDigest = asText(asObject(document["config"])["digest"]);
  if (configDigest === undefined || !isDigest(configDigest)) return { kind: "unknown" };
  return { kind: "image", configDigest };
}

function parseEntry(value: unknown): IndexEntry[] {
  const entry = asObject(value);
  const platform = asObject(entry["platform"]);
  const digest = asText(entry["digest"]);
  const [os, architecture] = [asText(platform["os"]), asText(platform["architecture"])];
  // `unknown/unknown` are signatures and build records, no images.
  if (digest === undefined || !isDigest(digest) || os === undefined || os === "unknown") return [];
  return [{ digest, platform: platformOf(os, architecture ?? "", asText(platform["variant"])) }];
}

/** The entry that serves a platform best; the first one where several serve equally well. */
export function chooseEntry(entries: readonly IndexEntry[], platform: string): IndexEntry | undefined {
  let best: IndexEntry | undefined;
  let bestFit = 0;
  for (const entry of entries) {
    const fit = platformFit(platform, entry.platform);
    if (fit <= bestFit) continue;
    best = entry;
    bestFit = fit;
  }
  return best;
}

/** The platform that an image's config states; undefined when it is not an image's config. */
export function configPlatform(text: string): string | undefined {
  const config = asObject(parseJson(text));
  const architecture = asText(config["architecture"]);
  if (architecture === undefined || architecture === "") return undefined;
  return platformOf(asText(config["os"]) ?? "linux", architecture, asText(config["variant"]));
}

export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}
