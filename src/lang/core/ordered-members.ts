/**
 * Objects as data: JavaScript moves names that look like indexes (`"10"`, `"2"`) to the front, whatever the text said.
 * Where order means something (WDL's maps), it is asked for here.
 */
const order = Symbol("names in the order of the text");

/** A plain object with own properties only, so that `__proto__` is a name like any other. The last of equal names counts. */
export function objectOf<T>(members: readonly (readonly [string, T])[]): Record<string, T> {
  const made = Object.fromEntries(members);
  if (members.some(([name]) => /^(0|[1-9]\d*)$/.test(name)))
    Object.defineProperty(made, order, { value: [...new Set(members.map(([name]) => name))] });
  return made;
}

/** The members as they were written, where `objectOf` made the object; else as JavaScript has them. */
export function membersInOrder<T>(made: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  const names = (made as { readonly [order]?: readonly string[] })[order];
  if (names === undefined) return Object.entries(made);
  return names.map((name) => [name, made[name] as T] as const);
}
