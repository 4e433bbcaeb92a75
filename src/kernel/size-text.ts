/** Amounts of bytes for people. */

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `150 B`, `1.5 MiB`, `8 GiB`: never 1024 of a unit that has a next one. */
export function sizeText(bytes: number): string {
  for (const [power, unit] of units.entries()) {
    const value = bytes / 1024 ** power;
    const shown = power === 0 || value >= 99.95 ? Math.round(value) : Math.round(value * 10) / 10;
    if (shown < 1024 || power === units.length - 1) return `${shown} ${unit}`;
  }
  return `${bytes} B`;
}
