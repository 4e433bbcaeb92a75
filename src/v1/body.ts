/** Members of the JSON object that a request sends, as data: checked before anything is done. */
import { RequestProblem } from "../http/index.ts";
import { didYouMean } from "../kernel/index.ts";
import { boolean, integer, listOf, number, type Schema, text } from "./schema.ts";

type BodyMember = (
  | { readonly kind: "text"; readonly choices?: readonly string[]; readonly longest?: number }
  | { readonly kind: "texts" }
  | { readonly kind: "integer" }
  | { readonly kind: "number" }
  | { readonly kind: "boolean" }
) & { readonly about: string; readonly isOptional?: boolean };

export type BodyMembers = Readonly<Record<string, BodyMember>>;

const longestText = 16_384;
const mostTexts = 1_000;

/** The checked members. */
export class Body {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  text(name: string): string | undefined {
    const value = this.#members[name];
    return typeof value === "string" ? value : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.#members[name];
    return Array.isArray(value) ? (value as readonly string[]) : [];
  }

  integer(name: string): number | undefined {
    const value = this.#members[name];
    return typeof value === "number" ? value : undefined;
  }

  number(name: string): number | undefined {
    return this.integer(name);
  }

  is(name: string): boolean {
    return this.#members[name] === true;
  }
}

/** Throws a RequestProblem. A route without members takes an empty body or an empty object. */
export function checkBody(members: BodyMembers | undefined, bytes: Uint8Array): Body {
  if (members === undefined) return new Body({});
  const given = parsed(bytes);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(members, name)) {
      const near = didYouMean(name, Object.keys(members));
      const guess = near === undefined ? "" : `; did you mean ${near}?`;
      throw wrong(`the body has no member ${JSON.stringify(name.slice(0, 100))}${guess}`);
    }
  for (const [name, member] of Object.entries(members)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined && member.isOptional !== true) throw wrong(`the body needs the member ${name}`);
    if (value === undefined) continue;
    const fault = faultOf(value, member);
    if (fault !== undefined) throw wrong(`the member ${name} of the body must be ${fault}`);
  }
  return new Body(given);
}

export function bodySchema(members: BodyMembers): Schema {
  const entries = Object.entries(members);
  return {
    type: "object",
    properties: Object.fromEntries(
      entries.map(([name, member]) => [name, { ...schemaOf(member), description: member.about }]),
    ),
    required: entries.filter(([, { isOptional }]) => isOptional !== true).map(([name]) => name),
    additionalProperties: false,
  };
}

function schemaOf(member: BodyMember): Schema {
  switch (member.kind) {
    case "text":
      return member.choices === undefined ? text : { ...text, enum: member.choices };
    case "texts":
      return { ...listOf(text), minItems: 1, maxItems: mostTexts };
    case "integer":
      return { ...integer, minimum: 0 };
    case "number":
      return { ...number, minimum: 0 };
    case "boolean":
      return boolean;
  }
}

/** What is expected instead; undefined = in order. */
function faultOf(value: unknown, member: BodyMember): string | undefined {
  const isText = (each: unknown, longest = longestText) =>
    typeof each === "string" && each !== "" && each.length <= longest;
  switch (member.kind) {
    case "text":
      if (!isText(value, member.longest)) return `a text of 1 to ${member.longest ?? longestText} characters`;
      return member.choices?.includes(value as string) === false
        ? `one of ${member.choices.join(", ")}`
        : undefined;
    case "texts":
      return Array.isArray(value) &&
        value.length > 0 &&
        value.length <= mostTexts &&
        value.every((each) => isText(each))
        ? undefined
        : `a list of 1 to ${mostTexts} texts`;
    case "integer":
      return Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : "an integer from 0 on";
    case "number":
      return typeof value === "number" && Number.isFinite(value) && value >= 0
        ? undefined
        : "a number from 0 on";
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
  }
}

function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = bytes.length === 0 ? {} : JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch {
    // Reported below.
  }
  throw wrong("the body is not a JSON object");
}

function wrong(detail: string): RequestProblem {
  return new RequestProblem({ status: 400, code: "REQUEST_INVALID", detail });
}
