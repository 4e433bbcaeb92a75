/**
 * Shapes of the HealthOmics wire format as data: what a member may be, and every constraint that the service documents.
 * Clients check next to nothing, so the server checks all of it (`validate.ts`), and the contract tests derive one
 * violation per constraint from the same tables.
 */
export type Shape =
  | StringShape
  | IntegerShape
  | { readonly kind: "boolean" }
  /** Base64 text of bytes. */
  | { readonly kind: "blob"; readonly maxBytes: number }
  /** Any JSON; its raw text is kept, since 1 and 1.0 differ for a workflow. */
  | { readonly kind: "document"; readonly maxBytes: number }
  | ListShape
  | MapShape
  | StructureShape;

export interface StringShape {
  readonly kind: "string";
  readonly min?: number;
  readonly max?: number;
  /** Matched against the whole string. */
  readonly pattern?: RegExp;
  readonly oneOf?: readonly string[];
}

export interface IntegerShape {
  readonly kind: "integer";
  readonly min?: number;
  readonly max?: number;
}

export interface ListShape {
  readonly kind: "list";
  readonly of: Shape;
  readonly min?: number;
  readonly max?: number;
}

export interface MapShape {
  readonly kind: "map";
  readonly key: StringShape;
  readonly value: Shape;
  readonly min?: number;
  readonly max?: number;
}

export interface StructureShape {
  readonly kind: "structure";
  readonly members: Readonly<Record<string, Member>>;
  /** Exactly one member is present. */
  readonly union?: true;
}

export interface Member {
  readonly shape: Shape;
  readonly required?: true;
}

export function required(shape: Shape): Member {
  return { shape, required: true };
}

export function optional(shape: Shape): Member {
  return { shape };
}

export function text(limits: Omit<StringShape, "kind"> = {}): StringShape {
  return { kind: "string", ...limits };
}

export function integer(min: number, max: number): IntegerShape {
  return { kind: "integer", min, max };
}

export function oneOf(...values: readonly string[]): StringShape {
  return { kind: "string", oneOf: values };
}

export function structure(members: Readonly<Record<string, Member>>): StructureShape {
  return { kind: "structure", members };
}

export function union(members: Readonly<Record<string, Member>>): StructureShape {
  return { kind: "structure", members, union: true };
}

export function list(of: Shape, limits: { min?: number; max?: number } = {}): ListShape {
  return { kind: "list", of, ...limits };
}
