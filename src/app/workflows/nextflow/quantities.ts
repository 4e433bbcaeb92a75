/** Times, durations and sizes as Nextflow writes them. */

export function clockText(ms: number): string {
  const at = new Date(ms);
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

export function preciseClockText(ms: number): string {
  return `${clockText(ms)}.${String(Math.trunc(ms) % 1000).padStart(3, "0")}`;
}

/** `20261130-100000`, for names of files. */
export function stampText(ms: number): string {
  return clockText(ms).replaceAll(/[-:]/g, "").replace(" ", "-");
}

/** `250ms`, `12.3s`, `1m 30s`, `2h 5m` */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${tenths / 10}s`;
  let seconds = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.trunc(seconds / size);
    if (count > 0) parts.push(`${count}${unit}`);
    seconds -= count * size;
  }
  return parts.join(" ");
}

/** Of `100`, `1 MB`, `1.5.GB`: units of 1024; undefined: it is not a size. */
export function bytesIn(text: string): number | undefined {
  const [, count, unit = ""] = /^\s*(\d+(?:\.\d+)?)[\s.]*([KMGT]?)B?\s*$/i.exec(text) ?? [];
  if (count === undefined) return undefined;
  return Math.trunc(Number(count) * 1024 ** " KMGT".indexOf(unit.toUpperCase() || " "));
}

/** `1.5 GB`: units of 1024, at most one decimal. */
export function memoryText(bytes: number): string {
  if (bytes === 0) return "0";
  const units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];
  const step = Math.min(units.length - 1, Math.trunc(Math.log2(Math.max(1, bytes)) / 10));
  return `${Math.round((bytes / 1024 ** step) * 10) / 10} ${units[step]}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
