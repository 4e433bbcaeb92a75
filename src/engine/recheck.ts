/** Comparing a reused result with a fresh one: a task whose outputs differ is not deterministic. */
import { type CanonicalValue, canonicalText } from "../hash/index.ts";
import type { Identity } from "../keys/index.ts";
import type { FileValue, Outputs, Value } from "../task/index.ts";

/** Names of outputs whose values or file contents differ. */
export async function outputsThatDiffer(
  recorded: Outputs,
  fresh: Outputs,
  identityOf: (file: FileValue) => Promise<Identity>,
): Promise<readonly string[]> {
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(fresh)])];
  const differing: string[] = [];
  for (const name of names) {
    const [a, b] = [recorded[name] ?? null, fresh[name] ?? null];
    const [x, y] = [await contentOf(a, identityOf), await contentOf(b, identityOf)];
    if (canonicalText(x) !== canonicalText(y)) differing.push(name);
  }
  return differing;
}

async function contentOf(
  value: Value,
  identityOf: (file: FileValue) => Promise<Identity>,
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
