/** Doubles and floats as text. */

/** As Java writes it: `1.0`, `1.0E10`, `1.0E-4`. */
export function doubleText(value: number, kind: "double" | "single"): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const size = Math.abs(value);
  // Java writes at least two digits, and of the least double those that are nearest.
  if (size === Number.MIN_VALUE) return value > 0 ? "4.9E-324" : "-4.9E-324";
  const short = kind === "single" ? shortestSingle(value) : value;
  if (size >= 1e-3 && size < 1e7) {
    const text = String(short);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [mantissa = "", exponent = ""] = short.toExponential().split("e");
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}

function shortestSingle(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
