/** IAM policies, as far as the stacks use them: exact actions, resources with `*`, and four kinds of conditions. */
export interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Call {
  /** `s3:GetObject` */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

/** Which statements allow a call; none where one denies it. */
export function allowing(statements: readonly Statement[], call: Call): readonly Statement[] {
  const applying = statements.filter((statement) => applies(statement, call));
  if (applying.some(({ Effect }) => Effect === "Deny")) return [];
  return applying;
}

/** Every action on every resource that is granted: what a suite of tests has to use. */
export function grantsOf(
  statements: readonly Statement[],
): readonly { readonly action: string; readonly resource: string }[] {
  return statements
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Action, Resource }) =>
      listOf(Action).flatMap((action) => listOf(Resource ?? []).map((resource) => ({ action, resource }))),
    );
}

export function matches(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`, "s").test(text);
}

function applies(
  { Action, Resource, Condition = {} }: Statement,
  { action, resource, context }: Call,
): boolean {
  const isAction = listOf(Action).some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase()));
  const isResource = Resource === undefined || listOf(Resource).some((pattern) => matches(pattern, resource));
  return (
    isAction && isResource && Object.entries(Condition).every(([kind, keys]) => holds(kind, keys, context))
  );
}

function holds(
  kind: string,
  keys: Readonly<Record<string, string | readonly string[]>>,
  context: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(keys).every(([key, expected]) => {
    const value = context[key];
    // A key that the request does not have fulfils no condition, except where that is said.
    if (value === undefined) return kind.endsWith("IfExists");
    switch (kind.replace(/IfExists$/, "")) {
      case "StringEquals":
      case "Bool":
        return listOf(expected).includes(value);
      case "StringLike":
        return listOf(expected).some((pattern) => matches(pattern, value));
      default:
        throw new Error(`the condition ${kind} is not understood here`);
    }
  });
}

export function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
