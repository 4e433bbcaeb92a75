/** JSON Schemas of answers in a short notation; the description of the API is generated from them. */

export type Schema = Readonly<Record<string, unknown>>;

export const text: Schema = { type: "string" };
export const time: Schema = { type: "string", format: "date-time" };
export const integer: Schema = { type: "integer" };
export const number: Schema = { type: "number" };
export const boolean: Schema = { type: "boolean" };
/** Any value. */
export const anything: Schema = {};

export function choice(...values: readonly string[]): Schema {
  return { type: "string", enum: values };
}

export function listOf(items: Schema): Schema {
  return { type: "array", items };
}

export function mapOf(values: Schema): Schema {
  return { type: "object", additionalProperties: values };
}

export function oneOf(...schemas: readonly Schema[]): Schema {
  return { anyOf: schemas };
}

/** A member whose name ends with `?` may be absent. */
export function objectOf(members: Readonly<Record<string, Schema>>): Schema {
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

export function refTo(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}
