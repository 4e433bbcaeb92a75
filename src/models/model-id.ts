/** Model identifiers. */
import type { ModelId } from "../kernel/index.ts";

/** Ersilia's identifiers: `eos`, a digit, three lower-case letters or digits. */
export function isErsiliaId(text: string): boolean {
  return /^eos[0-9][a-z0-9]{3}$/.test(text);
}

/** Any model's identifier: it becomes part of paths, keys and URLs, so only plain characters. */
export function isModelId(text: string): text is ModelId {
  return /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text) && text.length >= 3 && text.length <= 64;
}
