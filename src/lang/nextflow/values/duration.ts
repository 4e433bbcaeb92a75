/** `2.h`: spans of time, in milliseconds. */
import { isNumber, toNumber } from "./number.ts";
import { Thing, type Value } from "./thing.ts";
import { illegal } from "./throwable.ts";

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  milli: 1,
  millis: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
};

export function durationUnit(name: string): number | undefined {
  return Object.hasOwn(unitMs, name) ? unitMs[name] : undefined;
}

export class Duration extends Thing {
  readonly type = "Duration";
  readonly ms: number;

  constructor(ms: number) {
    super();
    this.ms = Math.trunc(ms);
  }

  static parse(text: string): Duration | undefined {
    const clock = /^(\d+):(\d+):(\d+)(?:\.(\d+))?$/.exec(text.trim());
    if (clock !== null) {
      const [, hours, minutes, seconds, millis] = clock;
      return new Duration(
        Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(millis ?? 0),
      );
    }
    let rest = text.trim();
    if (/^\d+$/.test(rest)) return new Duration(Number(rest));
    if (rest === "") return undefined;
    let ms = 0;
    while (rest !== "") {
      const part = /^(\d+(?:\.\d+)?)\s*\.?\s*([a-zA-Z]+)\s*/.exec(rest);
      const unit = part?.[2] === undefined ? undefined : durationUnit(part[2].toLowerCase());
      if (part === null || unit === undefined) return undefined;
      ms += Number(part[1]) * unit;
      rest = rest.slice(part[0].length);
    }
    return new Duration(ms);
  }

  static of(value: Value): Duration {
    if (value instanceof Duration) return value;
    if (isNumber(value)) return new Duration(toNumber(value));
    const found = typeof value === "string" ? Duration.parse(value) : undefined;
    return found ?? illegal(`Not a valid duration value: ${String(value)}`);
  }

  override text(): string {
    if (this.ms < 1000) return `${this.ms}ms`;
    if (this.ms < 60_000) return `${Math.round(this.ms / 100) / 10}s`;
    const total = Math.round(this.ms / 1000);
    const seconds = total % 60;
    const minutes = Math.floor(total / 60) % 60;
    const hours = Math.floor(total / 3600) % 24;
    const days = Math.floor(total / 86_400);
    const parts = [
      [days, "d"],
      [hours, "h"],
      [minutes, "m"],
      [seconds, "s"],
    ] as const;
    return parts
      .filter(([amount]) => amount > 0)
      .map(([amount, unit]) => `${amount}${unit}`)
      .join(" ");
  }

  override key(): string {
    return `\u0000duration:${this.ms}`;
  }

  override truth(): boolean {
    return this.ms > 0;
  }

  override compare(other: Value): number | undefined {
    if (other === null || (typeof other === "object" && !(other instanceof Duration) && !isNumber(other)))
      return undefined;
    const right = Duration.of(other).ms;
    return this.ms < right ? -1 : this.ms > right ? 1 : 0;
  }

  override get(name: string): Value | undefined {
    const unit = {
      durationInMillis: 1,
      millis: 1,
      seconds: 1000,
      minutes: 60_000,
      hours: 3_600_000,
      days: 86_400_000,
    }[name];
    return unit === undefined ? undefined : BigInt(Math.floor(this.ms / unit));
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "format") return given.length === 0 ? this.text() : formatted(this.ms, String(given[0]));
    const [other = null] = given;
    if (name === "plus") return new Duration(this.ms + Duration.of(other).ms);
    if (name === "minus") return new Duration(this.ms - Duration.of(other).ms);
    if (name === "multiply" && isNumber(other)) return new Duration(Math.trunc(this.ms * toNumber(other)));
    if (name === "div" && isNumber(other)) return new Duration(Math.round(this.ms / toNumber(other)));
    if (name === "toUnit") {
      const unit =
        durationUnit(String(given[0]).toLowerCase()) ?? illegal(`Not a valid unit: ${String(given[0])}`);
      return BigInt(Math.floor(this.ms / unit));
    }
    const getter = /^(?:to|get)([A-Z].*)$/.exec(name)?.[1]?.toLowerCase();
    return getter === undefined ? undefined : this.get(getter);
  }
}

const letters = [
  ["d", 86_400_000],
  ["H", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["S", 1],
] as const;

/** `HH:mm:ss`: of each unit what the larger ones of the pattern leave, padded to as many letters. */
function formatted(ms: number, pattern: string): string {
  const amounts = new Map<string, number>();
  let rest = ms;
  for (const [letter, unit] of letters) {
    if (!pattern.replaceAll(/'[^']*'/g, "").includes(letter)) continue;
    amounts.set(letter, Math.floor(rest / unit));
    rest %= unit;
  }
  return pattern.replaceAll(/'([^']*)'|d+|H+|m+|s+|S+/g, (token, literal: string | undefined) =>
    literal === undefined
      ? String(amounts.get(token[0] ?? "") ?? 0).padStart(token.length, "0")
      : literal || "'",
  );
}
