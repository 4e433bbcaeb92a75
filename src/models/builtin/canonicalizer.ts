/** Canonical forms of molecules, for look-ups with `--match canonical`. */
import { type Ask, freshAsk } from "../../kernel/index.ts";
import { ToolkitPool } from "./toolkit-pool.ts";

/** Canonical form of a molecule with the toolkit (and its version) that made it. */
export interface Canonical {
  readonly canonical: string;
  readonly toolkit: string;
}

export interface Canonicalizer {
  /** Such as `rdkit-wasm 2026.09.1`. Forms of different toolkits must not be compared. */
  readonly toolkit: string;
  /** Answers in the order of `inputs`; undefined = not one plain SMILES of at most 300 atoms. */
  canonicalize(inputs: readonly string[], ask: Ask): Promise<readonly (Canonical | undefined)[]>;
  close(): Promise<void>;
}

/**
 * Loads RDKit (0.1 to 0.3 s). `workers`: most threads for large batches; default 1.
 * @throws AppError MODEL_TOOLKIT_FAILED when it cannot be loaded.
 */
export async function createCanonicalizer(
  options: { readonly workers?: number } = {},
  ask: Ask = freshAsk(),
): Promise<Canonicalizer> {
  const pool = new ToolkitPool({ threads: options.workers ?? 1 });
  await pool.open(ask);
  const toolkit = pool.toolkit ?? "";
  return {
    toolkit,
    async canonicalize(inputs, each) {
      const answers = await pool.run("canonical", inputs, each);
      return answers.map((answer) =>
        answer.kind === "text" ? { canonical: answer.text, toolkit } : undefined,
      );
    },
    close: () => pool.close(),
  };
}
