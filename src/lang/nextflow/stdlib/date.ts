/** Dates as scripts use them: now, as text. */

import { textOf } from "../values/text.ts";
import { Thing, type Value } from "../values/thing.ts";

export class DateValue extends Thing {
  readonly type = "Date";
  override readonly kinds = ["OffsetDateTime", "LocalDateTime"];
  readonly ms: number;

  constructor(ms: number) {
    super();
    this.ms = ms;
  }

  override text(): string {
    const parts = new Date(this.ms).toUTCString().split(" ");
    const [day = "", date = "", month = "", year = "", time = ""] = parts;
    return `${day.replace(",", "")} ${month} ${date} ${time} UTC ${year}`;
  }

  override key(): string {
    return `\u0000date:${this.ms}`;
  }

  override compare(other: Value): number | undefined {
    return other instanceof DateValue ? Math.sign(this.ms - other.ms) : undefined;
  }

  override get(name: string): Value | undefined {
    if (name === "time") return BigInt(this.ms);
    if (name === "year") return new Date(this.ms).getUTCFullYear();
    return undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    switch (name) {
      case "getTime":
      case "toEpochMilli":
        return BigInt(this.ms);
      case "format":
        return formatDate(this.ms, textOf(given[0] ?? "yyyy-MM-dd"));
      default:
        return undefined;
    }
  }
}

/** A time of `java.time`, which is written as ISO 8601 has it. */
export class TimeValue extends DateValue {
  readonly #zone: string;

  constructor(ms: number, zone: "" | "Z") {
    super(ms);
    this.#zone = zone;
  }

  override text(): string {
    return formatDate(this.ms, "yyyy-MM-dd'T'HH:mm:ss.SSS") + this.#zone;
  }
}

/** Patterns of Java that have a name. */
export const namedPatterns: Readonly<Record<string, string>> = {
  ISO_DATE_TIME: "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
  ISO_OFFSET_DATE_TIME: "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
  ISO_INSTANT: "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
  ISO_LOCAL_DATE_TIME: "yyyy-MM-dd'T'HH:mm:ss.SSS",
  ISO_DATE: "yyyy-MM-dd",
  ISO_LOCAL_DATE: "yyyy-MM-dd",
  ISO_LOCAL_TIME: "HH:mm:ss.SSS",
  BASIC_ISO_DATE: "yyyyMMdd",
};

/** The letters of Java's patterns that scripts use. */
export function formatDate(ms: number, pattern: string): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  return pattern.replace(
    /'([^']*)'|yyyy|YYYY|uuuu|yy|MMM|MM|M|dd|d|HH|H|hh|mm|ss|SSS|EEE|a|Z|X|z/g,
    (token, literal: string | undefined) => {
      if (literal !== undefined) return literal === "" ? "'" : literal;
      switch (token) {
        case "yyyy":
        case "YYYY":
        case "uuuu":
          return String(date.getUTCFullYear());
        case "yy":
          return two(date.getUTCFullYear() % 100);
        case "MMM":
          return months[date.getUTCMonth()] ?? "";
        case "MM":
          return two(date.getUTCMonth() + 1);
        case "M":
          return String(date.getUTCMonth() + 1);
        case "dd":
          return two(date.getUTCDate());
        case "d":
          return String(date.getUTCDate());
        case "HH":
          return two(date.getUTCHours());
        case "H":
          return String(date.getUTCHours());
        case "hh":
          return two(date.getUTCHours() % 12 || 12);
        case "mm":
          return two(date.getUTCMinutes());
        case "ss":
          return two(date.getUTCSeconds());
        case "SSS":
          return String(date.getUTCMilliseconds()).padStart(3, "0");
        case "EEE":
          return days[date.getUTCDay()] ?? "";
        case "a":
          return date.getUTCHours() < 12 ? "AM" : "PM";
        default:
          return "UTC";
      }
    },
  );
}
