import fc from "fast-check";
import { expect, it } from "vitest";
import { type JsonValue, readJsonText } from "./json-reader.ts";

function numbers(value: JsonValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => numbers(item));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, numbers(item)]));
}

it("reads whatever JSON.parse reads, to the same value", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 2), (text, indent) => {
      const shown = JSON.stringify(JSON.parse(text), null, indent);
      const read = readJsonText(shown);
      expect(read.kind).toBe("read");
      if (read.kind === "read") expect(numbers(read.value)).toEqual(JSON.parse(shown));
    }),
  );
});

it("refuses numbers that no Float can hold, at their place, instead of making them infinite", () => {
  for (const number of ["1e999", "-1e309", `1${"0".repeat(320)}`])
    expect(readJsonText(`{"x": ${number}}`)).toMatchObject({
      kind: "malformed",
      message: expect.stringContaining("too large for a Float"),
      offset: 6,
    });
  expect(readJsonText("1e-999")).toEqual({ kind: "read", value: 0 });
});

it("never throws, and refuses what JSON.parse refuses", () => {
  const text = fc.array(
    fc.constantFrom("{", "}", "[", "]", ",", ":", '"', "\\", "1", "-", ".", "e", "true", "null", " ", "a"),
    {
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(text, (pieces) => {
      const joined = pieces.join("");
      let valid = true;
      try {
        JSON.parse(joined, (_, value) => {
          if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) valid = false;
          return value;
        });
      } catch {
        valid = false;
      }
      expect([joined, readJsonText(joined).kind]).toEqual([joined, valid ? "read" : "malformed"]);
    }),
    { numRuns: 2000 },
  );
});
