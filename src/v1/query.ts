/** Parameters of queries as data: allowed values, checked before anything is done. */

import { parseQuery, RequestProblem } from "../http/index.ts";
import { didYouMean } from "../kernel/index.ts";

export type Parameter =
  | { readonly kind: "text"; readonly about: string; readonly choices?: readonly string[] }
  | {
      readonly kind: "integer";
      readonly about: string;
      readonly least: number;
      readonly most: number;
      readonly usual?: number;
    };

export type Parameters = Readonly<Record<string, Parameter>>;

/** The checked values, or the defaults. */
export class Query {
  readonly #values: ReadonlyMap<string, string | number>;

  constructor(values: ReadonlyMap<string, string | number>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === "string" ? value : undefined;
  }

  integer(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === "number" ? value : undefined;
  }

  /** Those of these names that were given, as members. */
  texts<Name extends string>(...names: readonly Name[]): { readonly [Key in Name]?: string } {
    const given = names.flatMap((name) => {
      const value = this.text(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    return Object.fromEntries(given) as { readonly [Key in Name]?: string };
  }
}

const longestText = 4096;

/** Throws a RequestProblem for parameters that are not allowed. */
export function readQuery(parameters: Parameters, rawQuery: string): Query {
  const given = parseQuery(rawQuery);
  if (given === undefined) throw wrong("the query cannot be decoded");
  const values = new Map<string, string | number>();
  for (const [name, parameter] of Object.entries(parameters))
    if (parameter.kind === "integer" && parameter.usual !== undefined) values.set(name, parameter.usual);
  for (const [name, texts] of given) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (parameter === undefined) throw unknownParameter(name, Object.keys(parameters));
    const [value = "", ...others] = texts;
    if (others.length > 0) throw wrong(`the parameter ${name} is given ${texts.length} times`);
    values.set(name, checkedValue(name, value, parameter));
  }
  return new Query(values);
}

function checkedValue(name: string, value: string, parameter: Parameter): string | number {
  if (parameter.kind === "integer") {
    const { least, most } = parameter;
    const found = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (found >= least && found <= most) return found;
    throw wrong(`the parameter ${name} must be an integer from ${least} to ${most}`);
  }
  if (value === "" || value.length > longestText)
    throw wrong(`the parameter ${name} must have 1 to ${longestText} characters`);
  if (parameter.choices !== undefined && !parameter.choices.includes(value))
    throw wrong(`the parameter ${name} must be one of ${parameter.choices.join(", ")}`);
  return value;
}

function unknownParameter(name: string, known: readonly string[]): RequestProblem {
  const near = didYouMean(name, known);
  const guess = near === undefined ? "" : `; did you mean ${near}?`;
  return wrong(`there is no parameter ${JSON.stringify(name.slice(0, 100))}${guess}`);
}

function wrong(detail: string): RequestProblem {
  return new RequestProblem({ status: 400, code: "REQUEST_INVALID", detail });
}
