/** Run caches for a page or a program: of the server's accounts, and for operators those of this home. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { AppError, type Ask, defined } from "../../kernel/index.ts";
import { type CacheSize, listPins, type VerifyReport } from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import { keptLines } from "../history/followed-lines.ts";
import type { ServerRuns } from "../omics/server-runs.ts";
import { defaultCacheLocation } from "../workflows/cache-place.ts";
import { type CacheRecord, isCacheName } from "../workflows/cache-registry.ts";
import { type CacheAges, cacheAges } from "../workflows/caches/ages.ts";
import type { EntriesTouched } from "../workflows/caches/choose-entries.ts";
import { type EntriesOptions, type EntryPage, listEntries } from "../workflows/caches/entries.ts";
import { invalidateEntries } from "../workflows/caches/invalidate.ts";
import { type CacheList, listCaches } from "../workflows/caches/list.ts";
import { pinEntries } from "../workflows/caches/pin.ts";
import { type PruneOptions, type PruneResult, pruneCache } from "../workflows/caches/prune.ts";
import { cacheRechecks, type RechecksResult } from "../workflows/caches/rechecks.ts";
import { type ShowCacheResult, showCache } from "../workflows/caches/show.ts";
import { cacheSize } from "../workflows/caches/size.ts";
import { type CacheChoice, namedCache, withCache } from "../workflows/caches/use-cache.ts";
import { type KeptVerification, verifyEntries } from "../workflows/caches/verify.ts";
import type { Viewer } from "./viewer.ts";

export class BrowseCaches {
  readonly #environment: Environment;
  readonly #server: ServerRuns;

  constructor(parts: { readonly environment: Environment; readonly server: ServerRuns }) {
    this.#environment = parts.environment;
    this.#server = parts.server;
  }

  async list(viewer: Viewer, ask: Ask): Promise<CacheList> {
    const own = this.#server.caches(viewer.account).map(({ id, record: { within: _, ...record } }) => ({
      ...record,
      origin: "server" as const,
      ref: `${serverPrefix}${id}`,
    }));
    if (!viewer.isOperator) return { caches: own };
    return { caches: [...(await listCaches(this.#environment, ask)).caches, ...own] };
  }

  async show(viewer: Viewer, ref: string, ask: Ask): Promise<ShowCacheResult> {
    const shown = await showCache(await this.#cacheOf(viewer, ref), this.#environment, ask);
    const { within: _, ...record } = shown.record;
    return { ...shown, record };
  }

  async entries(
    viewer: Viewer,
    ref: string,
    options: Omit<EntriesOptions, "cache">,
    ask: Ask,
  ): Promise<EntryPage> {
    const cache = await this.#cacheOf(viewer, ref);
    return listEntries({ ...options, ...defined({ cache }) }, this.#environment, ask);
  }

  async size(viewer: Viewer, ref: string, ask: Ask): Promise<CacheSize> {
    return cacheSize(await this.#cacheOf(viewer, ref), this.#environment, ask);
  }

  async verify(viewer: Viewer, ref: string, ask: Ask): Promise<VerifyReport> {
    return verifyEntries(await this.#cacheOf(viewer, ref), this.#environment, ask);
  }

  /** The last report of `verify` here; absent = there was none. */
  async verification(
    viewer: Viewer,
    ref: string,
    ask: Ask,
  ): Promise<Partial<Omit<KeptVerification, "location">>> {
    const { location } = await cacheRechecks(await this.#cacheOf(viewer, ref), this.#environment, ask);
    const kept = await keptLines<KeptVerification>("verifications", this.#environment);
    const last = kept.findLast((each) => each.location === location);
    return last === undefined ? {} : { at: last.at, report: last.report };
  }

  async rechecks(viewer: Viewer, ref: string, ask: Ask): Promise<Pick<RechecksResult, "tasks">> {
    const { tasks } = await cacheRechecks(await this.#cacheOf(viewer, ref), this.#environment, ask);
    return { tasks };
  }

  async ages(viewer: Viewer, ref: string, ask: Ask): Promise<CacheAges> {
    return cacheAges(await this.#cacheOf(viewer, ref), this.#environment, ask);
  }

  /** A dry run unless it is `sure`. */
  async prune(
    viewer: Viewer,
    ref: string,
    options: Pick<PruneOptions, "rules" | "sure">,
    ask: Ask,
  ): Promise<PruneResult> {
    const cache = await this.#cacheOf(viewer, ref);
    return pruneCache({ ...options, ...defined({ cache }) }, this.#environment, ask);
  }

  /** By whole uuids. */
  async pin(
    viewer: Viewer,
    ref: string,
    change: { readonly entries: readonly string[]; readonly pinned: boolean },
    ask: Ask,
  ): Promise<EntriesTouched> {
    const cache = await this.#cacheOf(viewer, ref);
    return eachEntry(change.entries, (entry) =>
      pinEntries({ ...defined({ cache }), entry, pinned: change.pinned }, this.#environment, ask),
    );
  }

  async invalidate(
    viewer: Viewer,
    ref: string,
    entries: readonly string[],
    ask: Ask,
  ): Promise<EntriesTouched> {
    const cache = await this.#cacheOf(viewer, ref);
    return eachEntry(entries, (entry) =>
      invalidateEntries({ ...defined({ cache }), entry }, this.#environment, ask),
    );
  }

  /** One entry, by its whole uuid, as the commands name it. */
  async choiceOf(
    viewer: Viewer,
    { cache: ref, entry }: { readonly cache: string; readonly entry: string },
  ): Promise<{ readonly cache?: CacheRecord | string; readonly entry: string }> {
    const cache = await this.#cacheOf(viewer, ref);
    return { ...defined({ cache }), entry: wholeUuid(entry) };
  }

  /** How a cache of the server is named in requests. */
  refOf(cacheId: string | undefined): string | undefined {
    return cacheId === undefined ? undefined : `${serverPrefix}${cacheId}`;
  }

  /** The same of the cache that is used where none is named, if the entries of `uri` are its. */
  refOfDefault(uri: string): string | undefined {
    const place = pathToFileURL(defaultCacheLocation(this.#environment)).href;
    return uri.startsWith(`${place}/`) ? defaultRef : undefined;
  }

  async entry(
    viewer: Viewer,
    { cache, uuid }: { readonly cache: string; readonly uuid: string },
    ask: Ask,
  ): Promise<{ readonly cache: string; readonly uuid: string; readonly pinned: boolean }> {
    return withCache(await this.#cacheOf(viewer, cache), this.#environment, ask, async (open) => ({
      ...{ cache, uuid },
      pinned: (await listPins(open, ask)).has(uuid),
    }));
  }

  /** Those of `list`, and the one that is used where none is named. */
  async named(
    viewer: Viewer,
    ask: Ask,
  ): Promise<readonly { readonly ref: string; readonly name?: string }[]> {
    const { caches } = await this.list(viewer, ask);
    const hasDefault = viewer.isOperator && existsSync(defaultCacheLocation(this.#environment));
    return [
      ...(hasDefault ? [{ ref: defaultRef, name: "default" }] : []),
      ...caches.map(({ ref, ...cache }) => ({
        ref,
        ...(cache.kind === "named" ? { name: cache.name } : {}),
      })),
    ];
  }

  /** By a whole name or id, never by a location: clients reach only caches that were named on this machine. */
  async #cacheOf(viewer: Viewer, ref: string): Promise<CacheChoice> {
    const id = ref.startsWith(serverPrefix) ? ref.slice(serverPrefix.length) : undefined;
    const own = this.#server.caches(viewer.account).find((cache) => cache.id === id);
    if (own !== undefined) return own.record;
    if (viewer.isOperator && ref === defaultRef) return undefined;
    if (viewer.isOperator && isCacheName(ref)) return namedCache(ref, this.#environment);
    throw new AppError("CACHE_NOT_FOUND", `looking for the cache ${ref.slice(0, 256)}: there is none`);
  }
}

/** Each is looked for by its whole name, so that the beginning of one never names another. */
async function eachEntry(
  uuids: readonly string[],
  change: (uuid: string) => Promise<EntriesTouched>,
): Promise<EntriesTouched> {
  const entries: EntriesTouched["entries"][number][] = [];
  for (const uuid of new Set(uuids)) entries.push(...(await change(wholeUuid(uuid))).entries);
  return { entries };
}

function wholeUuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new AppError("CACHE_ENTRY_NOT_FOUND", `looking for the entry ${text.slice(0, 64)}: it is not a uuid`);
}

/** `omics:1000001` in references to caches: names have no colon. */
const serverPrefix = "omics:";
const defaultRef = "home:default";
