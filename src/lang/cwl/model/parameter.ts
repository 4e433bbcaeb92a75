/** Parameters of processes. */
import type { CwlValue } from "../values/value.ts";
import type { CommandLineBinding, FileDetails, OutputBinding } from "./binding.ts";
import type { Place } from "./place.ts";
import type { Type } from "./type.ts";

export interface InputParameter extends FileDetails {
  readonly name: string;
  readonly type: Type;
  /** undefined = there is none; locations in it are absolute. */
  readonly default?: CwlValue;
  readonly inputBinding?: CommandLineBinding;
  readonly label?: string;
  readonly doc?: string;
  readonly place: Place;
}

export interface OutputParameter extends FileDetails {
  readonly name: string;
  readonly type: Type;
  readonly outputBinding?: OutputBinding;
  readonly label?: string;
  readonly doc?: string;
  readonly place: Place;
}
