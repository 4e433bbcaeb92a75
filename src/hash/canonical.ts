/**
 * Canonical encoding for hashing: typed, length-prefixed and injective, so that two different values never give the
 * same bytes. Maps are sorted by UTF-16 code unit; lists keep their order.
 *
 *   value  = tag ":" payload
 *   string = "s" <utf-8 byte length> ":" <bytes>      int/float = "n" <length> ":" <shortest decimal text>
 *   true / false / null = "t" / "f" / "z"             list = "l" <count> ":" value*
 *   map    = "m" <count> ":" (string value)*          (sorted by key)
 *   string that UTF-8 cannot write (a file's name) = "w" <count> ":" its UTF-16 code units in hex
 */
import { isIllFormed } from "../kernel/index.ts";

export type CanonicalValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue };

export function canonicalText(value: CanonicalValue): string {
  const out: string[] = [];
  write(value, out);
  return out.join("");
}

/** Order by UTF-16 code unit: the same on every machine and in every locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function write(value: CanonicalValue, out: string[]): void {
  if (value === null) out.push("z");
  else if (value === true) out.push("t");
  else if (value === false) out.push("f");
  else if (typeof value === "string") writeString(value, out);
  else if (typeof value === "number" || typeof value === "bigint") {
    const text = Object.is(value, -0) ? "-0" : String(value);
    out.push("n", String(text.length), ":", text);
  } else if (isList(value)) {
    out.push("l", String(value.length), ":");
    for (const item of value) write(item, out);
  } else {
    const keys = Object.keys(value).sort(byCodeUnit);
    out.push("m", String(keys.length), ":");
    for (const key of keys) {
      write(key, out);
      write(value[key] ?? null, out);
    }
  }
}

function writeString(value: string, out: string[]): void {
  if (isIllFormed(value)) {
    // Written as UTF-8, all of its lone surrogates would be one character.
    const hex = Buffer.from(value, "utf16le").toString("hex");
    out.push("w", String(hex.length), ":", hex);
  } else out.push("s", String(Buffer.byteLength(value)), ":", value);
}

function isList(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}
