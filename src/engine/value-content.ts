/** What a value is by content: files by their identities, wherever they lie. */
import type { CanonicalValue } from "../hash/index.ts";
import type { Identity } from "../keys/index.ts";
import type { FileValue, Value } from "../task/index.ts";

export async function contentOf(
  value: Value,
  identityOf: (file: FileValue) => Promise<Pick<Identity, "text">>,
): Promise<CanonicalValue> {
  if (typeof value === "bigint") return ["int", value];
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return Promise.all(value.map((item) => contentOf(item, identityOf)));
  if (value.kind === "record")
    return Promise.all(value.entries.map(async ([key, item]) => [key, await contentOf(item, identityOf)]));
  const siblings = await Promise.all((value.siblings ?? []).map((sibling) => contentOf(sibling, identityOf)));
  return [value.kind, value.basename, (await identityOf(value)).text, siblings];
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
