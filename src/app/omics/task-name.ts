/**
 * Names of tasks, as AWS's own tools parse them to group the shards of a scatter:
 * `name-<shard>-<attempt>` for WDL (run analyzer: `^([^-]+)(-\d+-\d+.*)?$`, MCP server: `^(.+)-(\d+)-.+$`) and
 * `name_<shard>` for CWL (`^(^\D+)(_\d+)?$` and `^(.+)_(\d+)$`). Tasks of Nextflow are called as it calls them:
 * `ALIGN (sample1)`.
 */
export function taskName(
  { call, task, title }: { readonly call: string; readonly task: string; readonly title?: string },
  about: { readonly language: string; readonly attempt: number },
): string {
  if (title !== undefined) return title.slice(0, longestName);
  const indices = [...call.matchAll(/\[(\d+)\]/g)].map(([, index = "0"]) => BigInt(index));
  const isCwl = about.language === "CWL";
  if (indices.length === 0) return named(task, isCwl, "");
  const own = call.slice(call.lastIndexOf(".") + 1).replace(/\[\d+\]/g, "");
  const shard = indices.reduce(paired);
  return named(own, isCwl, isCwl ? `_${shard}` : `-${shard}-${about.attempt}`);
}

const longestName = 128;

/** Dashes begin what is cut off, so its own name has none where they would be taken for that. */
function named(name: string, isCwl: boolean, suffix: string): string {
  const plain = isCwl ? name.replace(/-(?=\d+-)/g, "_") : name.replaceAll("-", "_");
  return plain.slice(0, longestName - suffix.length) + suffix;
}

/**
 * Nested scatters have an index each, and the tools read one number: Cantor's pairing makes one of two, another one for
 * each pair, whatever the sizes of the scatters are.
 */
function paired(outer: bigint, inner: bigint): bigint {
  const sum = outer + inner;
  return (sum * (sum + 1n)) / 2n + inner;
}
