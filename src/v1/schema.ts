/**
 * JSON Schemas of answers in a short notation; the description of the API is generated from them. Each carries the type
 * of what it describes, which the web page is compiled with.
 */

declare const described: unique symbol;

export type Schema<T = unknown> = Readonly<Record<string, unknown>> & { readonly [described]?: T };

/** What a schema describes. References stay references, see `answers.ts`. */
export type Described<S> = S extends { readonly [described]?: infer T } ? T : never;

/** Another schema by its name. */
export interface Reference<Name extends string> {
  readonly referenceTo: Name;
}

type Members = Readonly<Record<string, Schema>>;

type Present<M> = {
  readonly [Name in keyof M as Name extends `${string}?` ? never : Name]: Described<M[Name]>;
};
type Optional<M> = {
  readonly [Name in keyof M as Name extends `${infer Short}?` ? Short : never]?: Described<M[Name]>;
};

export const text: Schema<string> = { type: "string" };
export const time: Schema<string> = { type: "string", format: "date-time" };
export const integer: Schema<number> = { type: "integer" };
export const number: Schema<number> = { type: "number" };
export const boolean: Schema<boolean> = { type: "boolean" };
export const nothing: Schema<null> = { type: "null" };
/** Any value. */
export const anything: Schema = {};

export function choice<const Values extends readonly string[]>(...values: Values): Schema<Values[number]> {
  return { type: "string", enum: values };
}

export function listOf<T>(items: Schema<T>): Schema<readonly T[]> {
  return { type: "array", items };
}

export function mapOf<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { type: "object", additionalProperties: values };
}

export function oneOf<const Schemas extends readonly Schema[]>(
  ...schemas: Schemas
): Schema<Described<Schemas[number]>> {
  return { anyOf: schemas };
}

/** A member whose name ends with `?` may be absent. */
export function objectOf<const M extends Members>(members: M): Schema<Present<M> & Optional<M>> {
  const names = Object.keys(members);
  const required = names.filter((name) => !name.endsWith("?"));
  return {
    type: "object",
    properties: Object.fromEntries(
      Object.entries(members).map(([name, schema]) => [name.replace(/\?$/, ""), schema]),
    ),
    ...(required.length === 0 ? {} : { required }),
  };
}

export function refTo<const Name extends string>(name: Name): Schema<Reference<Name>> {
  return { $ref: `#/components/schemas/${name}` };
}
