/**
 * Requirements and hints in one record: a field per class, with whether it is required. The fields of a process are its
 * own; `inherited` makes those in force.
 */
import type { CwlValue } from "../values/value.ts";
import type { LoadListing } from "./binding.ts";
import type { Expr } from "./expression.ts";
import type { Place } from "./place.ts";

export interface Stated {
  /** From `requirements`; false = a hint. */
  readonly required: boolean;
  readonly place: Place;
}

export interface Requirements {
  readonly inlineJavascript?: InlineJavascript;
  readonly docker?: Docker;
  readonly initialWorkDir?: InitialWorkDir;
  readonly envVar?: EnvVar;
  readonly shellCommand?: Stated;
  readonly resource?: Resource;
  readonly software?: Software;
  readonly networkAccess?: Stated & { readonly networkAccess: boolean | Expr };
  readonly toolTimeLimit?: Stated & { readonly seconds: number | Expr };
  readonly workReuse?: Stated & { readonly enableReuse: boolean | Expr };
  readonly inplaceUpdate?: Stated & { readonly inplaceUpdate: boolean };
  readonly loadListing?: Stated & { readonly loadListing: LoadListing };
  readonly schemaDef?: Stated;
  readonly subworkflow?: Stated;
  readonly scatter?: Stated;
  readonly multipleInput?: Stated;
  readonly stepInputExpression?: Stated;
}

export type RequirementName = keyof Requirements;

export interface InlineJavascript extends Stated {
  readonly expressionLib: readonly string[];
}

export interface Docker extends Stated {
  readonly pull?: string;
  readonly imageId?: string;
  /** Text of a Dockerfile. */
  readonly file?: string;
  /** Location of an image archive (`docker load`). */
  readonly load?: string;
  /** Location of a root file system (`docker import`). */
  readonly import?: string;
  readonly outputDirectory?: string;
}

export interface Software extends Stated {
  readonly packages: readonly {
    readonly package: string;
    readonly version: readonly string[];
    readonly specs: readonly string[];
  }[];
}

export interface EnvVar extends Stated {
  readonly definitions: readonly { readonly name: string; readonly value: Expr }[];
}

/** Numbers in the units of the language: cores, mebibytes. Absent = not stated. */
export interface Resource extends Stated {
  readonly coresMin?: number | Expr;
  readonly coresMax?: number | Expr;
  readonly ramMin?: number | Expr;
  readonly ramMax?: number | Expr;
  readonly tmpdirMin?: number | Expr;
  readonly tmpdirMax?: number | Expr;
  readonly outdirMin?: number | Expr;
  readonly outdirMax?: number | Expr;
}

export interface InitialWorkDir extends Stated {
  readonly listing: Expr | readonly WorkDirEntry[];
}

export type WorkDirEntry =
  /** Evaluates to null, a File, a Directory, a Dirent (1.1+), or a list of these. */
  | { readonly kind: "expression"; readonly expression: Expr; readonly place: Place }
  /** A File or Directory, or a list of them, that is in the document. */
  | {
      readonly kind: "literal";
      readonly value: CwlValue;
      readonly place: Place;
    }
  | {
      readonly kind: "dirent";
      readonly entryname?: Expr;
      readonly entry: Expr;
      readonly writable: boolean;
      readonly place: Place;
    };

/**
 * Requirements in force inside: any requirement beats any hint, among equals the inner one wins. Call it from the
 * outside in: workflow, step, process.
 */
export function inherited(outer: Requirements, inner: Requirements): Requirements {
  const names = new Set([...Object.keys(outer), ...Object.keys(inner)] as RequirementName[]);
  const entries = [...names].map((name) => {
    const [near, far] = [inner[name], outer[name]];
    if (near === undefined || (far?.required === true && !near.required)) return [name, far] as const;
    return [name, near] as const;
  });
  return Object.fromEntries(entries) as Requirements;
}
