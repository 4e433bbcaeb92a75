/** What an operation is given, and small things that several of them need. */

import type { Caller } from "../http/index.ts";
import { RawJson, stringify } from "../http/index.ts";
import { type Ask, defined, isAppError, messageOf } from "../kernel/index.ts";
import type { OwnedRecord, Page, Table } from "../ledger/index.ts";
import { Blob64, type OperationName, ServiceException } from "../protocol/index.ts";
import type { ServerParts } from "./parts.ts";

export interface OperationContext {
  readonly caller: Caller;
  readonly parts: ServerParts;
  readonly input: Input;
  /** Raw JSON text of a member of the body. */
  raw(member: string): string | undefined;
  readonly ask: Ask;
  /** Where the client may download a definition for a while. */
  definitionUrl(digest: string): string | undefined;
  /**
   * Writes what the request makes, and the answer under its `requestId`, in one step: a client that repeats the request
   * because the server was killed meanwhile is given the same answer and never makes a second one.
   */
  create<T>(write: () => void, answer: T): T;
  readonly bodies: AnsweredBodies;
}

/**
 * Bodies of answers by the record that they show: clients poll the same few runs over and over, and a record that is
 * still the same object is still the same.
 */
export type AnsweredBodies = WeakMap<object, { readonly from: readonly unknown[]; readonly body: RawJson }>;

/** `from`: whatever else the body is made of; it is made again when any of these is another one. */
export function bodyOf(
  { bodies }: Pick<OperationContext, "bodies">,
  record: object,
  from: readonly unknown[],
  make: () => unknown,
): RawJson {
  const known = bodies.get(record);
  if (known?.from.length === from.length && known.from.every((part, at) => part === from[at]))
    return known.body;
  const body = new RawJson(stringify(make()));
  bodies.set(record, { from, body });
  return body;
}

/** Answers the response's body; undefined = empty. Refuses by throwing ServiceException. */
export type OperationHandler = (context: OperationContext) => Promise<unknown>;

export type OperationTable = Readonly<Partial<Record<OperationName, OperationHandler>>>;

/** The checked input; readers are total because the tables were checked before. */
export class Input {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  text(name: string): string {
    const value = this.#values[name];
    if (typeof value !== "string")
      throw new Error(`invariant broken: ${name} is required by its operation's table`);
    return value;
  }

  textOr(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  blob(name: string): Blob64 {
    const value = this.#values[name];
    if (!(value instanceof Blob64)) throw new Error(`invariant broken: ${name} is not a blob`);
    return value;
  }

  numberOr(name: string): number | undefined {
    const value = this.#values[name];
    return typeof value === "number" ? value : undefined;
  }

  record(name: string): Readonly<Record<string, unknown>> {
    const value = this.#values[name];
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? (value as readonly string[]) : [];
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  /** @throws ServiceException for keys that are reserved for AWS, in any letter case. */
  tags(name = "tags"): Readonly<Record<string, string>> {
    const tags = this.record(name) as Readonly<Record<string, string>>;
    const reserved = Object.keys(tags).find((key) => /^aws:/i.test(key));
    if (reserved === undefined) return tags;
    throw new ServiceException(
      "ValidationException",
      `The tag ${reserved} is reserved: keys of tags cannot begin with aws:.`,
    );
  }

  /** Members of these names that are present, as they are. */
  pick(names: readonly string[]): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      names.filter((name) => this.#values[name] !== undefined).map((name) => [name, this.#values[name]]),
    );
  }
}

/** `arn:aws:omics:<region>:<account>:<rest>` */
export function arnOf(context: Pick<OperationContext, "parts">, account: string, rest: string): string {
  return `arn:aws:omics:${context.parts.region}:${account}:${rest}`;
}

export function found<T>(record: T | undefined, what: string, id: string): T {
  if (record === undefined)
    throw new ServiceException("ResourceNotFoundException", `The ${what} ${id} was not found.`);
  return record;
}

/** A small document that the request names by URI; any problem with that location is reported to the client. */
export async function readNamedText(
  { parts, ask }: Pick<OperationContext, "parts" | "ask">,
  uri: string,
  maxBytes: number,
): Promise<string> {
  try {
    return (await parts.locations.readText(uri, maxBytes, ask)).text;
  } catch (error) {
    if (!isAppError(error) || error.row.kind === "interrupted") throw error;
    throw new ServiceException("ValidationException", `${error.message}. ${error.hint}`);
  }
}

/** Pages of a table in the service's words; `limitName` is `maxResults`, or `maxItems` for batches. */
export function listPage<T extends OwnedRecord>(
  context: OperationContext,
  table: Table<T>,
  where: Readonly<Record<string, string | undefined>>,
  limits: { readonly name?: string; readonly usual?: number } = {},
): Page<T> {
  const limit = context.input.numberOr(limits.name ?? "maxResults") ?? limits.usual ?? 100;
  const token = context.input.textOr("startingToken");
  try {
    return table.page(context.caller.account, where, { limit, ...defined({ token }) });
  } catch (error) {
    if (isAppError(error, "LEDGER_TOKEN_INVALID"))
      throw new ServiceException(
        "ValidationException",
        `The startingToken is not valid: ${messageOf(error)}`,
      );
    throw error;
  }
}

export function pageBody<T>(page: Page<T>, item: (record: T) => unknown): Readonly<Record<string, unknown>> {
  return {
    items: page.items.map(item),
    ...defined({ nextToken: page.nextToken }),
  };
}
