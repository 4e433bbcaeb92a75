/**
 * A standard-library function as the evaluator meets it. One file each, `<name>.ts`, exporting an object of this shape;
 * its name, version and overloads are the row of the same name in `signatures.ts`, and a test keeps the two lists equal.
 */
import type { ResolvedSignature } from "./signature.ts";

/**
 * `Value` and `Context` are the evaluator's (values/ and eval/); the checker never calls anything.
 * Throw the evaluator's error for what is wrong at run time (file not there, index out of range).
 */
export interface StdlibFunction<Value, Context> {
  readonly name: string;
  /** The section of the specification that describes it. */
  readonly specUrl: string;
  /** Arguments are already coerced to `signature.parameters`; there are as many as were written. */
  call(args: readonly Value[], context: Context, signature: ResolvedSignature): Promise<Value> | Value;
}
