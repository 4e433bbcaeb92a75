/** Inputs of typed processes: values are checked against their types, and files among them are staged. */
import { itemsOf } from "../eval/cast.ts";
import type { ClassNode, TypeName } from "../syntax/ast.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import type { TypedInput } from "./input-spec.ts";

/** Collections whose files are staged, by their simple names. */
const collections = new Set(["List", "Set", "Bag", "Iterable", "Collection", "ArrayList"]);

/** The files of a value that its type says are files, each group of a name on its own. */
export function filesOfType(
  value: Value,
  type: TypeName | undefined,
  recordOf: (name: string) => ClassNode | undefined,
): readonly (readonly Value[])[] {
  if (type === undefined || value === null) return [];
  if (type.name === "Path") return [[value]];
  const [element] = type.arguments;
  if (collections.has(type.name)) return element?.name === "Path" ? [[...itemsOf(value)]] : [];
  const record = recordOf(type.name);
  if (record?.what !== "record" || !(value instanceof GroovyMap)) return [];
  return record.fields.flatMap((each) => filesOfType(value.at(each.name.text) ?? null, each.type, recordOf));
}

export function checkNull(value: Value, { name, type }: TypedInput, process: string): void {
  if (value === null && type?.optional !== true)
    fail(
      "ProcessUnrecoverableException",
      `The input \`${name}\` of process \`${process}\` is null: its type would have to be ${type?.name ?? "Object"}?`,
    );
}

/** A record that lacks a field of its type is refused; what it has beyond that is not looked at. */
export function checkRecord(
  value: Value,
  { name, type }: TypedInput,
  recordOf: (name: string) => ClassNode | undefined,
): void {
  const record = type === undefined ? undefined : recordOf(type.name);
  if (record?.what !== "record" || value === null) return;
  if (!(value instanceof GroovyMap))
    fail(
      "ProcessUnrecoverableException",
      `The input \`${name}\` is not a record of type ${record.name.text}`,
    );
  for (const field of record.fields)
    if (field.type?.optional !== true && (value.at(field.name.text) ?? null) === null)
      fail(
        "ProcessUnrecoverableException",
        `The input \`${name}\` is missing the field \`${field.name.text}\` required by ${record.name.text}`,
      );
}

/** The value with its files replaced by those that are staged. */
export function withStaged(value: Value, staged: ReadonlyMap<string, Path>): Value {
  if (value instanceof Path) return staged.get(value.absolute) ?? value;
  if (isList(value)) return Array.from(value, (each) => withStaged(each, staged));
  if (value instanceof GroovySet) return value.like(value.items().map((each) => withStaged(each, staged)));
  if (value instanceof GroovyMap)
    return new GroovyMap(
      Array.from(value.entries(), ([key, each]): [Value, Value] => [key, withStaged(each, staged)]),
      value.type,
    );
  return value;
}
