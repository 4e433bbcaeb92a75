import { expect, it } from "vitest";
import { looksLikeMolecule } from "./molecule-look.ts";

it.each([
  "C",
  "CCO",
  "Nc1cccc(c1)-c1cc2c(Oc3cccc(O)c3)ncnc2[nH]1",
  "C/C(=C\\c1ccc(C(=O)O)cc1)C",
  "[Na+].[Cl-]",
  "C%12CCCCC%12",
])("takes %s for a molecule", (text) => {
  expect(looksLikeMolecule(text)).toBe(true);
});

it.each([
  "smiles",
  "input",
  "molecule",
  "SMILES",
  "canonical_smiles",
  "cas",
  "no",
  "name",
  "structure",
  "id",
  "C1CC",
  "C(C",
  "",
])("takes %s for a header", (text) => {
  expect(looksLikeMolecule(text)).toBe(false);
});
