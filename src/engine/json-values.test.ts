import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { jsonOfOutputs } from "./json-values.ts";

it("locations of outputs lead back to files of any name", () => {
  for (const name of ["plain.txt", "a#1.bam", "q?x", "100%25.txt", "é ü+'\"", "a[1]|b"]) {
    const location = `/out/${name}`;
    const json = jsonOfOutputs({ f: { kind: "file", location, basename: name } }, "object");
    const { f } = JSON.parse(json) as { f: { location: string } };
    expect(fileURLToPath(f.location)).toBe(location);
  }
});
