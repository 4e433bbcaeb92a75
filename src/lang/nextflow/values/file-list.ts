/** Several files as one input: in a script they are written one after the other, with blanks. */
import type { Value } from "./thing.ts";

export class FileList extends Array<Value> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}
