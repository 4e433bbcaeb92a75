import fc from "fast-check";
import { expect, test } from "vitest";
import { isAppError } from "../kernel/index.ts";
import { csvLine, parseCsv } from "./csv.ts";

test("whatever is written comes back, with LF and with CRLF", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "é", "C") });
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 3 })), fc.boolean(), (records, crlf) => {
      const text = records.map((record) => csvLine(record) + (crlf ? "\r\n" : "\n")).join("");
      expect(parseCsv(text, "test")).toEqual(records);
    }),
  );
});

test("a byte order mark, blank lines and a missing last line break are tolerated", () => {
  expect(parseCsv("\ufeffa,b\r\n\r\n1,2\n\n3,", "test")).toEqual([
    ["a", "b"],
    ["1", "2"],
    ["3", ""],
  ]);
});

test("a quoted empty cell is a record, an empty line is not", () => {
  expect(parseCsv('score\n""\n\n', "test")).toEqual([["score"], [""]]);
});

test("a quote that never ends is an error and not a cell with the rest of the file", () => {
  const read = () => parseCsv('a\n"b\nc\n', "out.csv");
  expect(read).toThrow(/out\.csv/);
  try {
    read();
  } catch (error) {
    expect(isAppError(error, "MODEL_OUTPUT_MISMATCH")).toBe(true);
  }
});
