import { afterAll, beforeAll, expect, test } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { type Canonicalizer, createCanonicalizer } from "../builtin/canonicalizer.ts";
import { exampleMolecules } from "./molecules.ts";

let canonicalizer: Canonicalizer;
beforeAll(async () => {
  canonicalizer = await createCanonicalizer();
});
afterAll(() => canonicalizer.close());

test("RDKit can read every example molecule", async () => {
  const molecules = exampleMolecules();
  const forms = await canonicalizer.canonicalize(molecules, freshAsk());
  expect(molecules.filter((_, i) => forms[i] === undefined)).toEqual([]);
  expect(molecules.length).toBeGreaterThan(4_000);
});

test("no two example molecules are the same text, and few are the same molecule", async () => {
  const molecules = exampleMolecules();
  expect(new Set(molecules).size).toBe(molecules.length);
  const forms = await canonicalizer.canonicalize(molecules, freshAsk());
  expect(new Set(forms.map((form) => form?.canonical)).size).toBeGreaterThan(0.95 * molecules.length);
});
