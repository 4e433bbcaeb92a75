/** Objects that a run's parameters name, with their ETags: pinned at the start, compared at the end. */
import { type Ask, mapBounded } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { createRemoteFiles } from "../workflows/remote-files.ts";

const asksAtOnce = 16;
/** A prefix with more objects is pinned as a whole by no one; its first so many are. */
const mostObjectsOfPrefix = 10_000;

/** URI -> `etag:…`; undefined for what is not there. A prefix (`s3://…/`) stands for every object below it. */
export async function inputDigests(
  parameters: string,
  environment: Environment,
  ask: Ask,
): Promise<ReadonlyMap<string, string | undefined>> {
  const uris = new Set<string>();
  collectUris(JSON.parse(parameters), uris);
  if (uris.size === 0) return new Map();
  const remote = createRemoteFiles(environment.s3);
  try {
    const found = await mapBounded([...uris], asksAtOnce, async (uri) => {
      if (!uri.endsWith("/")) return [[uri, digestOf((await remote.head(uri, ask))?.etag)] as const];
      const below: (readonly [string, string | undefined])[] = [];
      for await (const object of remote.list(uri, ask)) {
        below.push([uri + object.name, digestOf(object.etag)]);
        if (below.length === mostObjectsOfPrefix) break;
      }
      return below.length === 0 ? [[uri, undefined] as const] : below;
    });
    return new Map(found.flat());
  } finally {
    await remote.close();
  }
}

function digestOf(etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : `etag:${etag}`;
}

function collectUris(value: unknown, uris: Set<string>): void {
  if (typeof value === "string") {
    if (/^s3:\/\/[^/]+\/./s.test(value)) uris.add(value);
  } else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) collectUris(item, uris);
  }
}
