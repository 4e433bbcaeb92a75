/** Numbers and times for people; every number has its unit. */

const sizes = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Decimal units, as in `memoir cache du`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let at = 0;
  while (value >= 1000 && at < sizes.length - 1) {
    value /= 1000;
    at++;
  }
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${sizes[at] ?? ""}`;
}

export function durationText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.5) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 2 * 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${(seconds / 86_400).toFixed(1)} days`;
}

export function agoText(at: number, now: number): string {
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 59.5) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

export function absoluteText(at: number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

export function countText(count: number): string {
  return count.toLocaleString("en-GB");
}

/** `12.30 EUR`, and small sums with the digits that show something. */
export function moneyText(amount: number, currency = ""): string {
  const digits = amount === 0 || amount >= 0.1 ? 2 : 4;
  return `${amount.toFixed(digits)} ${currency}`.trim();
}

/** `1 call`, `2 calls`. */
export function countOf(count: number, noun: string): string {
  return `${countText(count)} ${count === 1 ? noun : `${noun}s`}`;
}

export function shortKey(key: string): string {
  return key.length <= 20 ? key : `${key.slice(0, 16)}…`;
}
