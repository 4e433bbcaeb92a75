import { describe, expect, it } from "vitest";
import { stdlibFunctions } from "./registry.ts";
import { stdlibSignatures } from "./signatures.ts";

describe("the standard library", () => {
  it("has an implementation for every signature and the other way round", () => {
    expect([...stdlibFunctions.keys()].sort()).toEqual([...stdlibSignatures.keys()].sort());
  });

  it("names every function as its file does, with the section of the specification", () => {
    expect(stdlibFunctions.size).toBeGreaterThan(50);
    for (const [name, { specUrl }] of stdlibFunctions) expect(specUrl).toMatch(new RegExp(`#${name}$`));
  });
});
