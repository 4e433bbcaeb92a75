/** A molecule as SVG, drawn by the toolkit. */
import type { Ask } from "../../kernel/index.ts";
import { ToolkitPool } from "./toolkit-pool.ts";

/**
 * undefined = not one plain SMILES of at most 300 atoms.
 * @throws AppError MODEL_TOOLKIT_FAILED when the toolkit cannot be loaded.
 */
export async function drawMolecule(input: string, ask: Ask): Promise<string | undefined> {
  const pool = new ToolkitPool({ threads: 1 });
  await pool.open(ask);
  try {
    const [answer] = await pool.run("drawing", [input], ask);
    return answer?.kind === "text" ? answer.text : undefined;
  } finally {
    await pool.close();
  }
}
