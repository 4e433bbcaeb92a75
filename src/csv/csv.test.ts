import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRecords, recordText, separatorFrom, takeRecord } from "./index.ts";

const recordsOf = (text: string, strictness: "strict" | "tolerant" = "tolerant") => {
  const parsed = parseRecords(text, { strictness });
  if (parsed.kind === "malformed") throw new Error(`line ${parsed.line}: ${parsed.words}`);
  return parsed.records;
};

describe("records", () => {
  it("come back as they were written, with LF and with CRLF, strictly and tolerantly", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "é", "C") });
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 3 })), fc.boolean(), (records, crlf) => {
        const text = records.map((record) => recordText(record) + (crlf ? "\r\n" : "\n")).join("");
        expect(recordsOf(text, "strict")).toEqual(records);
        expect(recordsOf(text, "tolerant")).toEqual(records);
      }),
    );
  });

  it("tolerate a byte order mark, blank lines and a missing last line break", () => {
    expect(recordsOf("\ufeffa,b\r\n\r\n1,2\n\n3,")).toEqual([
      ["a", "b"],
      ["1", "2"],
      ["3", ""],
    ]);
  });

  it("with one quoted empty cell are records, empty lines are not", () => {
    expect(recordsOf('score\n""\n\n')).toEqual([["score"], [""]]);
  });

  it("that never close a quote are errors with their line, in both ways of reading", () => {
    for (const strictness of ["strict", "tolerant"] as const)
      expect(() => recordsOf('a\n"b\nc\n', strictness)).toThrow("line 2: a quoted cell is never closed");
  });

  it("with text behind a closing quote are one cell or an error, as asked", () => {
    expect(recordsOf('"a"b,c\n')).toEqual([["ab", "c"]]);
    expect(() => recordsOf('"a"b,c\n', "strict")).toThrow('text follows a closing quote: "b,c\\n"');
  });

  it("say which cells stood in quotes", () => {
    const record = takeRecord('"None",None,""\n', 0, { separator: ",", last: true, strictness: "strict" });
    expect(record).toMatchObject({ kind: "record", cells: ["None", "None", ""] });
    if (record.kind === "record") expect([...record.quoted]).toEqual([0, 2]);
  });

  it("are taken apart at blanks, one or more", () => {
    const parsed = parseRecords("CCO  ethanol\nC\tmethane\n", { separator: " " });
    expect(parsed).toMatchObject({
      records: [
        ["CCO", "ethanol"],
        ["C", "methane"],
      ],
    });
  });
});

describe("separators", () => {
  it.each([
    ["comma", ","],
    ["TAB", "\t"],
    ["semicolon", ";"],
    ["pipe", "|"],
    ["space", " "],
    ["\\t", "\t"],
    ["|", "|"],
    ["", undefined],
    ["colon", undefined],
    ["toString", undefined],
  ])("called %j are %j", (word, separator) => {
    expect(separatorFrom(word)).toBe(separator);
  });
});
