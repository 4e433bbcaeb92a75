/**
 * Inputs of jobs that do not fit into a request: announced by size and SHA-256, sent as a form that works for a while
 * without a key, and named by a job. One input a line, as a JSON text. What arrives is compared with what was announced.
 */

import { sha256 } from "../hash/index.ts";
import type { UploadName } from "./job-store.ts";

/** Of one job. */
export const mostJobInputs = 1_000_000;
/** Bytes of one upload. */
export const mostUploadBytes = 64 << 20;
/** Of a form: its fields, and what is between them. */
export const formBytes = 64 << 10;
export const digestPattern = /^[0-9a-f]{64}$/;

export interface UploadLink extends UploadName {
  readonly sizeBytes: number;
}

/** `fields` are sent before the part called `file`. */
export interface UploadForm {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly expiresAt: string;
}

export type UploadedInputs =
  | { readonly kind: "inputs"; readonly inputs: readonly string[] }
  | { readonly kind: "wrong"; readonly words: string };

export function inputsOf(bytes: Uint8Array, announced: string): UploadedInputs {
  if (sha256(bytes) !== announced) return { kind: "wrong", words: "the upload is not what was announced" };
  const words = "the upload has lines other than JSON texts";
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    if (lines.length > mostJobInputs)
      return {
        kind: "wrong",
        words: `the upload has ${lines.length} inputs; up to ${mostJobInputs} are accepted`,
      };
    const inputs = lines.map((line): unknown => JSON.parse(line));
    if (inputs.every((input) => typeof input === "string")) return { kind: "inputs", inputs };
  } catch {
    // Not UTF-8 or not JSON.
  }
  return { kind: "wrong", words };
}
