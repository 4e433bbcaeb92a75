/** Model identifiers: `eos`, a digit, three lower-case letters or digits. */
import type { ModelId } from "../kernel/index.ts";

export const modelIdPattern = /^eos[0-9][a-z0-9]{3}$/;

export function isModelId(text: string): text is ModelId {
  return modelIdPattern.test(text);
}
