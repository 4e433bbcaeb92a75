/**
 * A floating point number as Python writes it (`repr`), and so as every file of Ersilia has it: a point even where nothing
 * follows it (`1.0`), an exponent of two digits from 1e16 and below 1e-4 (`1e-05`). Readers distinguish floats from integers by
 * it. The digits are the fewest that give the number back.
 */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  const size = Math.abs(value);
  if (size >= 1e16 || (size < 1e-4 && size > 0))
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  if (Number.isInteger(value)) return Object.is(value, -0) ? "-0.0" : `${value}.0`;
  return String(value);
}
