/** Morgan fingerprints of molecules: radius 2, 1,024 bits. */
import { type Ask, freshAsk } from "../../kernel/index.ts";
import { ToolkitPool } from "./toolkit-pool.ts";

export const fingerprintBytes = 128;

export interface Fingerprinter {
  /** Such as `morgan-2-1024 rdkit-wasm 2026.09.1`. Fingerprints of different kinds must not be compared. */
  readonly kind: string;
  /** Answers in the order of `inputs`; undefined = not one SMILES that the toolkit reads. */
  fingerprints(inputs: readonly string[], ask: Ask): Promise<readonly (Uint8Array | undefined)[]>;
  close(): Promise<void>;
}

/** Loads RDKit (0.1 to 0.3 s). @throws MODEL_TOOLKIT_FAILED */
export async function createFingerprinter(
  options: { readonly workers?: number } = {},
  ask: Ask = freshAsk(),
): Promise<Fingerprinter> {
  const pool = new ToolkitPool({ threads: options.workers ?? 2 });
  await pool.open(ask);
  return {
    kind: `morgan-2-1024 ${pool.toolkit ?? ""}`,
    fingerprints: async (inputs, each) =>
      (await pool.run("fingerprint", inputs, each)).map((answer) =>
        answer.kind === "bytes" ? answer.bytes : undefined,
      ),
    close: () => pool.close(),
  };
}
