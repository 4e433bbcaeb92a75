/** The scopes that are stored in Redis, and the columns of one. */
import type { Ask } from "../../../kernel/index.ts";
import type { Column, ColumnType } from "../../../task/index.ts";
import { columnsFromText, provenByNames } from "../known-columns.ts";
import { inOrder, parseScopeIdentity } from "../scope.ts";
import type { StoredScope } from "../tier.ts";
import { pairsOf, scanCount } from "./batches.ts";
import { cellOf, misfit } from "./cells.ts";
import {
  columnsField,
  headerKey,
  ownIdentity,
  readHeader,
  sharedKey,
  sharedModel,
  stateKey,
} from "./layout.ts";
import type { RedisLink } from "./redis-link.ts";

export async function listScopes(link: RedisLink, ask: Ask): Promise<readonly StoredScope[]> {
  const names = new Set<string>();
  for (const pattern of ["cache:*", "memoir:*:rows"]) {
    let cursor = "0";
    do {
      const at = cursor;
      await link.run("listing stored predictions", ask, async (redis) => {
        const [next, found] = await redis.scan(at, "MATCH", pattern, "COUNT", scanCount, "TYPE", "hash");
        cursor = next;
        for (const name of found) names.add(name);
      });
    } while (cursor !== "0");
  }
  const rows = new Map<string, StoredScope>();
  for (const name of names) {
    const model = sharedModel(name);
    const [length, shown] = await link.run("listing stored predictions", ask, (redis) =>
      Promise.all([redis.hlen(name), model === undefined ? null : redis.hget(stateKey(model), "shown")]),
    );
    const identity = model === undefined ? ownIdentity(name) : (shown ?? undefined);
    const parts = identity === undefined ? undefined : parseScopeIdentity(identity);
    const scope = parts ?? { modelId: model ?? name, release: undefined, columns: undefined };
    const id = identity ?? name;
    rows.set(id, { ...scope, rows: (rows.get(id)?.rows ?? 0) + length });
  }
  return inOrder([...rows.values()]);
}

export async function columnsOf(
  link: RedisLink,
  stored: StoredScope,
  ask: Ask,
): Promise<readonly Column[] | undefined> {
  const { modelId, columns: digest } = stored;
  return link.run("reading columns", ask, async (redis) => {
    const headerText = await redis.get(headerKey(modelId));
    const names = headerText === null ? undefined : readHeader(headerText);
    if (digest !== undefined) {
      const noted = await redis.hget(stateKey(modelId), columnsField(digest));
      return (
        columnsFromText(noted, digest) ?? (names === undefined ? undefined : provenByNames(names, digest))
      );
    }
    if (names === undefined || names.length === 0) return undefined;
    // Ersilia keeps no types: they are what a look at some of the rows says.
    const [, flat] = await redis.hscan(sharedKey(modelId), "0", "COUNT", scanCount);
    const rows = pairsOf(flat).map(([, text]) => cellsOfText(text));
    return names.map((name, at) => ({ name, type: typeOfCells(rows.map((cells) => cells[at])) }));
  });
}

function cellsOfText(text: string): readonly unknown[] {
  try {
    const cells: unknown = JSON.parse(text);
    return Array.isArray(cells) ? cells : [];
  } catch {
    return [];
  }
}

function typeOfCells(cells: readonly unknown[]): ColumnType {
  return cells.every((cell) => cell === undefined || cellOf(cell, "float") !== misfit) ? "float" : "string";
}
