/** Numbers, tables and lists for people. */

/** `1,234,567` */
export function count(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** `1 row`, `2 rows`; `1 entry`, `2 entries` */
export function plural(value: number, word: string, several = `${word}s`): string {
  return `${count(value)} ${value === 1 ? word : several}`;
}

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min` */
/** What was counted and is not shown: `… and 39,000 more errors and 2 more warnings` */
export function omittedText({
  errors,
  others,
}: {
  readonly errors: number;
  readonly others: number;
}): string {
  const parts = [
    ...(errors > 0 ? [plural(errors, "more error")] : []),
    ...(others > 0 ? [plural(others, "more warning")] : []),
  ];
  return `… and ${parts.join(" and ")}`;
}

export function duration(seconds: number): string {
  // Rounded before it is divided: 119.6 s are 2 min 0 s.
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `about 6.25 USD once and 0.72 USD a month (list prices)` */
export function priceText(price: {
  readonly once: number;
  readonly monthly: number;
  readonly basis: string;
}): string {
  const usd = (amount: number) =>
    amount > 0 && amount < 0.01 ? "less than 0.01 USD" : `about ${amount.toFixed(2)} USD`;
  return `${usd(price.once)} once and ${usd(price.monthly)} a month (${price.basis})`;
}

/** Columns padded to their widest cell; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** A path as short as it can be said from here. */
export function fromHere(path: string, cwd: string): string {
  return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}
