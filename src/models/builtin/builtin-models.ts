/** The models that are part of Memoir: they run on a machine with nothing but Node. */
import type { ModelId } from "../../kernel/index.ts";
import type { Model } from "../model.ts";
import { descriptorColumns } from "./descriptor-table.ts";

/** Everything computed depends on the toolkit, so its release is in the release of the descriptor model. */
const descriptorRelease = "v1.0.0-rdkit2026.09";

const curated = [
  "Nc1cccc(c1)-c1cc2c(Oc3cccc(O)c3)ncnc2[nH]1",
  "C1=CN=CC=C1C(=O)NN",
  "CC(CN1C=NC2=C(N=CN=C21)N)OCP(=O)(O)O",
];

const shared = {
  reusable: { kind: "reusable" },
  exampleInputs: curated,
  source: { kind: "builtin" },
} as const;

export const builtinModels: readonly Model[] = [
  {
    ...shared,
    id: "eos3b5e" as ModelId,
    slug: "molecular-weight",
    title: "Molecular weight",
    description: "Average molecular weight of a molecule in g/mol, from the atomic weights of RDKit.",
    release: "v1.0.0",
    columns: [{ name: "mol_weight", type: "float", description: "Molecular weight in g/mol" }],
    metadata: {
      Identifier: "eos3b5e",
      Slug: "molecular-weight",
      Title: "Molecular weight",
      Task: "Annotation",
      Subtask: "Property calculation or prediction",
      Input: ["Compound"],
      Output: ["Value"],
      "Output Dimension": 1,
      "Output Consistency": "Fixed",
      Release: "v1.0.0",
      License: "BSD-3-Clause",
      Runner: "builtin",
    },
  },
  {
    ...shared,
    id: "rdkit-descriptors" as ModelId,
    slug: "descriptors",
    title: "Physicochemical and topological descriptors",
    description:
      "Weights, atom, ring and hydrogen-bond counts, surface areas, logP and connectivity indices of a molecule, computed by RDKit.",
    release: descriptorRelease,
    columns: descriptorColumns,
    metadata: {
      Identifier: "rdkit-descriptors",
      Slug: "descriptors",
      Title: "Physicochemical and topological descriptors",
      Task: "Representation",
      Subtask: "Featurization",
      Input: ["Compound"],
      Output: ["Value"],
      "Output Dimension": descriptorColumns.length,
      "Output Consistency": "Fixed",
      Release: descriptorRelease,
      License: "BSD-3-Clause",
      Runner: "builtin",
    },
  },
];
