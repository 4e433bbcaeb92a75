/**
 * What the checker knows of a standard-library function: its name, since when it exists, and its overloads. The
 * overloads of all functions are in `signatures.ts`; what a function does is in the file of its name.
 */
import type { WdlVersion } from "../syntax/version.ts";
import type { WdlType } from "../types/type.ts";

/**
 * One overload in WDL's own notation, `(Array[X?], X) -> X`. Single capital letters are type variables: `P` stands for
 * primitive types only, `S` for structs and Objects, `E` for enums (`V` is then the type of its values), all others for
 * any type. A trailing `[T]` marks a parameter that may be left out. `Any` is known only at run time.
 */
export type SignatureText = string;

export interface FunctionSignatures {
  readonly name: string;
  readonly since: WdlVersion;
  readonly overloads: readonly { readonly text: SignatureText; readonly since?: WdlVersion }[];
  /** Only legal in output sections (`glob`, `stdout`, `stderr`), or in tasks. */
  readonly only?: "output";
}

/** The overload that an application resolved to, type variables replaced. The evaluator coerces the arguments to it. */
export interface ResolvedSignature {
  readonly name: string;
  /** As many as arguments were given. */
  readonly parameters: readonly WdlType[];
  readonly result: WdlType;
}
