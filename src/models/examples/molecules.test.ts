import { beforeAll, expect, test } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { type Canonicalizer, createCanonicalizer } from "../builtin/canonicalizer.ts";
import { exampleMolecules } from "./molecules.ts";

const molecules = exampleMolecules();
let forms: Awaited<ReturnType<Canonicalizer["canonicalize"]>>;
beforeAll(async () => {
  const canonicalizer = await createCanonicalizer();
  forms = await canonicalizer.canonicalize(molecules, freshAsk());
  await canonicalizer.close();
});

test("RDKit can read every example molecule", () => {
  expect(molecules.filter((_, i) => forms[i] === undefined)).toEqual([]);
  expect(molecules.length).toBeGreaterThan(4_000);
});

test("no two example molecules are the same text, and few are the same molecule", () => {
  expect(new Set(molecules).size).toBe(molecules.length);
  expect(new Set(forms.map((form) => form?.canonical)).size).toBeGreaterThan(0.95 * molecules.length);
});
