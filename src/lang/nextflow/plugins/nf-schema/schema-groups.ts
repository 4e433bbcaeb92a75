/** The groups of a schema of parameters. */
import { isArray, isObject, type JsonObject, resolved } from "./validate.ts";

/** Parameters by group, in the order of the schema. */
export function groups(root: JsonObject): ReadonlyMap<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  const { allOf, properties } = root;
  for (const each of isArray(allOf) ? allOf : []) {
    const ref = isObject(each) ? each["$ref"] : undefined;
    const group = typeof ref === "string" ? resolved(ref, root) : each;
    if (!isObject(group)) continue;
    const title = group["title"];
    if (isObject(group["properties"]))
      found.set(typeof title === "string" ? title : "Parameters", group["properties"]);
  }
  if (isObject(properties))
    found.set("Other parameters", { ...found.get("Other parameters"), ...properties });
  return found;
}
