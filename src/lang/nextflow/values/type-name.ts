/** Names of the types of values: what `instanceof`, `as` and messages say. */

import { isList, Thing, type Value } from "./thing.ts";
import { Throwable } from "./throwable.ts";

export function typeName(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "string") return "String";
  if (typeof value === "number") return "Integer";
  if (typeof value === "bigint") return "Long";
  if (typeof value === "boolean") return "Boolean";
  if (isList(value)) return "ArrayList";
  return value.type;
}

const packages = {
  "java.lang.": "String Integer Long Boolean Double Float Object Number CharSequence Character Math",
  "java.math.": "BigDecimal BigInteger",
  "java.util.":
    "ArrayList LinkedList LinkedHashMap HashMap TreeMap LinkedHashSet HashSet TreeSet List Map Set Collection Date",
  "java.util.regex.": "Pattern Matcher",
  "groovy.lang.": "IntRange GString Closure",
  "java.nio.file.": "Path",
  "java.io.": "File",
  "nextflow.util.": "MemoryUnit Duration VersionNumber",
};

const packageOf: ReadonlyMap<string, string> = new Map(
  Object.entries(packages).flatMap(([name, types]) => types.split(" ").map((type) => [type, name] as const)),
);

/** With the package of Java, where it is known. */
export function fullName(type: string): string {
  return (packageOf.get(type) ?? "") + type;
}

const kindsOf: Readonly<Record<string, readonly string[]>> = {
  String: ["CharSequence", "GString", "Comparable"],
  Integer: ["Number", "int", "Comparable"],
  Long: ["Number", "long", "Comparable"],
  Boolean: ["boolean"],
  ArrayList: ["List", "Collection", "Iterable", "AbstractList", "Bag", "Tuple", "ArrayBag"],
  Double: ["double", "Number"],
  Float: ["float", "Number"],
};

export function isInstance(value: Value, type: string): boolean {
  if (value === null) return false;
  const simple = type.split(".").at(-1) ?? type;
  if (simple === "Object") return true;
  const own = typeName(value);
  if (own === simple || own === type) return true;
  if (kindsOf[own]?.includes(simple)) return true;
  if (value instanceof Throwable) return value.isA(simple);
  return value instanceof Thing && (value.kinds.includes(simple) || value.kinds.includes(type));
}
