/** Object members that may be absent. */

/** Each member is there with a value, or not at all. */
export type Defined<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };

/** The members that have a value: `{ ...defined({ label }) }` has no `label` where it is undefined. */
export function defined<Members extends object>(members: Members): Defined<Members> {
  const kept: Partial<Record<keyof Members, unknown>> = {};
  for (const name of Object.keys(members) as (keyof Members)[])
    if (members[name] !== undefined) kept[name] = members[name];
  return kept as Defined<Members>;
}
