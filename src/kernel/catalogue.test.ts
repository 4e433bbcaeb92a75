import { describe, expect, it } from "vitest";
import { type CatalogueRow, catalogue } from "./catalogue.ts";

describe("the catalogue of errors", () => {
  it("says of every error of a store or a file that is read that its bytes are the trouble", () => {
    const rows: readonly (readonly [string, CatalogueRow])[] = Object.entries(catalogue);
    const reading = rows.filter(([, row]) => row.fails === "reading").map(([code]) => code);
    expect(reading).toEqual(
      rows
        .map(([code]) => code)
        .filter((code) => /^(STORE|FILE)_/.test(code) && code !== "FILE_NOT_WRITABLE"),
    );
  });
});
