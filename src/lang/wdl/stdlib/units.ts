/**
 * Units of storage. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#units-of-storage
 * Upper and lower case do not matter. Decimal units count by 1000, binary ones (`i`) by 1024.
 */
const powers = ["", "K", "M", "G", "T", "P"];

/** Bytes in one unit; undefined for a word that is not a unit. */
export function bytesPerUnit(unit: string): number | undefined {
  const match = /^([KMGTP]?)(I?)B?$/.exec(unit.toUpperCase());
  if (match === null || unit === "" || unit.toUpperCase() === "I" || unit.toUpperCase() === "IB")
    return undefined;
  return (match[2] === "I" ? 1024 : 1000) ** powers.indexOf(match[1] ?? "");
}

/** `16 GB`, `1.5GiB`, `1024`: bytes, not rounded; undefined for a text that is not a size. `defaultUnit` is the unit of a plain number. */
export function parseSize(text: string, defaultUnit = "B"): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([A-Za-z]*)$/.exec(text.trim());
  if (match === null) return undefined;
  const unit = bytesPerUnit(match[2] === "" || match[2] === undefined ? defaultUnit : match[2]);
  return unit === undefined ? undefined : Number(match[1]) * unit;
}
