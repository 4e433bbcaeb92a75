/** Routes of the pages about one cache: what would go, what stays, and what was found. */
import { RequestProblem } from "../http/index.ts";
import { defined } from "../kernel/index.ts";
import { prefix, type V1Request, type V1Route } from "./route.ts";

const oneCache = `${prefix}/caches/{cache}`;

function cache({ labels }: V1Request): string {
  return labels["cache"] ?? "";
}

const uuids = { kind: "texts", about: "uuids of entries" } as const;

export const cachePageRoutes: readonly V1Route[] = [
  {
    ...{ name: "getCacheAges", method: "GET", path: `${oneCache}/ages`, schema: "CacheAges" },
    ...{ for: "everybody", isHeavy: true, query: {} },
    summary: "Entries and bytes of a cache by the day on which they were recorded",
    answer: (request) => request.browse.caches.ages(request.caller, cache(request), request.ask),
  },
  {
    ...{ name: "getRechecks", method: "GET", path: `${oneCache}/rechecks`, schema: "CacheRechecks" },
    ...{ for: "everybody", query: {} },
    summary: "Tasks whose results differed when runs computed them again, with the first difference",
    answer: (request) => request.browse.caches.rechecks(request.caller, cache(request), request.ask),
  },
  {
    ...{ name: "getVerification", method: "GET", path: `${oneCache}/verify`, schema: "Verification" },
    ...{ for: "everybody", query: {} },
    summary: "The last report of verifying a cache here; empty where there was none",
    answer: (request) => request.browse.caches.verification(request.caller, cache(request), request.ask),
  },
  {
    ...{ name: "pruneCache", method: "POST", path: `${oneCache}/prune`, schema: "PruneReport" },
    ...{ for: "everybody", isHeavy: true, query: {} },
    summary: "Removes entries that are no longer needed, or, with `dryRun`, shows what would be removed",
    body: {
      dryRun: { kind: "boolean", about: "true: nothing is removed" },
      olderThanMs: { kind: "integer", about: "neither recorded nor used for this long", isOptional: true },
      budgetBytes: { kind: "integer", about: "until the rest takes at most this", isOptional: true },
      policy: {
        ...{ kind: "text", choices: ["last-used", "cost"], isOptional: true },
        about: "which go first for a budget; default: last-used",
      },
      oldVersions: { kind: "boolean", about: "of other versions of Memoir", isOptional: true },
      orphans: { kind: "boolean", about: "files that belong to no entry", isOptional: true },
    },
    answer: (request) => {
      const { body } = request;
      const rules = {
        ...defined({ olderThanMs: body.integer("olderThanMs"), budgetBytes: body.integer("budgetBytes") }),
        ...(body.is("oldVersions") ? { oldVersions: true } : {}),
        ...(body.is("orphans") ? { orphans: true } : {}),
      };
      if (Object.keys(rules).length === 0)
        throw new RequestProblem({
          ...{ status: 400, code: "REQUEST_INVALID" },
          detail: "choose what to remove: olderThanMs, budgetBytes, oldVersions or orphans",
        });
      const policy = body.text("policy") === "cost" ? "cost" : "last-used";
      const options = { rules: { ...rules, policy }, sure: !body.is("dryRun") } as const;
      return request.browse.caches.prune(request.caller, cache(request), options, request.ask);
    },
  },
  {
    ...{ name: "pinEntries", method: "POST", path: `${oneCache}/pin`, schema: "EntriesTouched" },
    ...{ for: "everybody", isHeavy: true, query: {} },
    summary: "Protects entries from being pruned, or stops protecting them",
    body: { entries: uuids, pinned: { kind: "boolean", about: "false: no longer" } },
    answer: (request) => {
      const { body } = request;
      const change = { entries: body.texts("entries"), pinned: body.is("pinned") };
      return request.browse.caches.pin(request.caller, cache(request), change, request.ask);
    },
  },
  {
    ...{ name: "invalidateEntries", method: "POST", path: `${oneCache}/invalidate` },
    ...{ schema: "EntriesTouched", for: "everybody", isHeavy: true, query: {} },
    summary: "Deletes entries, so that their calls are computed again",
    body: { entries: uuids },
    answer: (request) => {
      const entries = request.body.texts("entries");
      return request.browse.caches.invalidate(request.caller, cache(request), entries, request.ask);
    },
  },
];
