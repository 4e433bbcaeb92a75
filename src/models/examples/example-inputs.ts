/** Inputs to try a model with. */
import { byCodeUnit, sha256 } from "../../hash/index.ts";
import { unreachable } from "../../kernel/index.ts";
import type { Model } from "../model.ts";
import { exampleMolecules } from "./molecules.ts";

/**
 * `random`: drawn without replacement from Memoir's own list of molecules, equal for equal seeds.
 * `deterministic`: the first of that list. `curated`: those that come with the model, all of them.
 */
export type ExampleMode = "random" | "curated" | "deterministic";

export interface ExampleRequest {
  /** Maximum number; the list has about 5000. Not used by `curated`. */
  readonly count: number;
  readonly mode: ExampleMode;
  /** Only for `random`. Default: another draw each time. */
  readonly seed?: string;
}

/** Never has duplicates. `model` is needed for `curated` only; a model without examples gives none. */
export function exampleInputs(model: Model | undefined, request: ExampleRequest): readonly string[] {
  switch (request.mode) {
    case "curated":
      return [...new Set(model?.exampleInputs ?? [])];
    case "deterministic":
      return exampleMolecules().slice(0, request.count);
    case "random":
      return draw(exampleMolecules(), request.count, request.seed ?? String(Math.random()));
    default:
      return unreachable(request.mode);
  }
}

/** Sorting by a digest of seed and molecule is a uniform shuffle that is the same on every machine. */
function draw(molecules: readonly string[], count: number, seed: string): readonly string[] {
  return molecules
    .map((molecule) => ({ molecule, rank: sha256(`${seed}\n${molecule}`) }))
    .sort((a, b) => byCodeUnit(a.rank, b.rank))
    .slice(0, count)
    .map(({ molecule }) => molecule);
}
