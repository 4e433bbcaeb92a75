/** As much of JSON Schema as the description of the API uses; anything else in a schema is a mistake. */

type Schema = Readonly<Record<string, unknown>>;

const known = [
  "type",
  "format",
  "enum",
  "items",
  "properties",
  "required",
  "additionalProperties",
  "anyOf",
  "$ref",
];

/** What is wrong with a value, one line each; members that the schema does not name are wrong, too. */
export function schemaFaults(
  value: unknown,
  schema: Schema,
  all: Readonly<Record<string, Schema>>,
  place = "$",
): readonly string[] {
  const strange = Object.keys(schema).filter((key) => !known.includes(key));
  if (strange.length > 0) return [`${place}: the schema says ${strange.join(", ")}`];
  const { $ref: ref, anyOf, type } = schema;
  if (typeof ref === "string") {
    const named = all[ref.replace("#/components/schemas/", "")];
    return named === undefined ? [`${place}: ${ref} is not there`] : schemaFaults(value, named, all, place);
  }
  if (Array.isArray(anyOf)) {
    const faults = (anyOf as Schema[]).map((each) => schemaFaults(value, each, all, place));
    return faults.some((each) => each.length === 0) ? [] : faults.flat();
  }
  const choices = schema["enum"];
  if (Array.isArray(choices) && !choices.includes(value))
    return [`${place}: ${JSON.stringify(value)} is none of ${choices.join(", ")}`];
  switch (type) {
    case undefined:
      return [];
    case "object":
      return objectFaults(value, schema, all, place);
    case "array":
      if (!Array.isArray(value)) return [`${place}: not a list`];
      return value.flatMap((item, at) =>
        schemaFaults(item, schema["items"] as Schema, all, `${place}[${at}]`),
      );
    case "integer":
      return Number.isInteger(value) ? [] : [`${place}: ${JSON.stringify(value)} is not an integer`];
    default:
      if (!isOfType(value, type)) return [`${place}: ${JSON.stringify(value)} is not ${String(type)}`];
      return schema["format"] === "date-time" && Number.isNaN(Date.parse(String(value)))
        ? [`${place}: ${String(value)} is not a time`]
        : [];
  }
}

function objectFaults(
  value: unknown,
  schema: Schema,
  all: Readonly<Record<string, Schema>>,
  place: string,
): readonly string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${place}: not an object`];
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  const others = schema["additionalProperties"] as Schema | undefined;
  const missing = ((schema["required"] ?? []) as readonly string[]).filter(
    (name) => !Object.hasOwn(value, name),
  );
  return [
    ...missing.map((name) => `${place}.${name}: missing`),
    ...Object.entries(value).flatMap(([name, member]) => {
      const of = properties[name] ?? others;
      return of === undefined ? [] : schemaFaults(member, of, all, `${place}.${name}`);
    }),
  ];
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === "null") return value === null;
  const found = typeof value;
  return found === type;
}
