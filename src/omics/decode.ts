/**
 * From a request to the checked input of an operation: path labels, query and body in one record, as the operation's
 * tables say. All errors are reported at once.
 */

import { parseQuery } from "../http/index.ts";
import {
  Blob64,
  bodyLimitOf,
  boundedText,
  type Fault,
  faultMessage,
  faultsMessage,
  type Member,
  type Operation,
  rawMember,
  ServiceException,
  type Shape,
  validateMembers,
} from "../protocol/index.ts";

export interface DecodedRequest {
  /** Checked members of path, query and body by name; a blob is a `Blob64`. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The raw JSON text of a member of the body. */
  raw(member: string): string | undefined;
  /** The body as text, empty when there is none; without large blobs. */
  readonly bodyText: string;
  /** Whether `bodyText` lacks a blob. */
  readonly isCut: boolean;
}

type Members = Readonly<Record<string, Member>>;

export function decodeRequest(
  operation: Operation,
  request: { labels: Readonly<Record<string, string>>; rawQuery: string; body: Uint8Array },
): DecodedRequest {
  const query = parseQuery(request.rawQuery);
  if (query === undefined)
    throw new ServiceException("ValidationException", "the query string is not percent-encoded UTF-8");
  const queryValues = decodeQuery(operation.query, query);
  const members: Members = operation.body?.members ?? {};
  const { text, values, isCut } = decodeBody(operation, request.body);
  const faults: readonly Fault[] = [
    ...validateMembers(operation.labels, request.labels),
    ...validateMembers(operation.query, queryValues),
    ...validateMembers(members, values),
    ...documentFaults(members, text),
  ];
  if (faults.length > 0) throw new ServiceException("ValidationException", faultsMessage(faults));
  const given = Object.fromEntries(
    Object.keys(members)
      .filter((name) => values[name] !== undefined && values[name] !== null)
      .map((name) => [name, values[name]]),
  );
  return {
    input: { ...given, ...queryValues, ...request.labels },
    raw: (member) => rawMember(text, member),
    bodyText: text,
    isCut,
  };
}

interface DecodedBody {
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly isCut: boolean;
}

function decodeBody(operation: Operation, body: Uint8Array): DecodedBody {
  if (operation.body === undefined) return { text: "", values: {}, isCut: false };
  const blobs = Object.entries(operation.body.members)
    .filter(([, { shape }]) => shape.kind === "blob")
    .map(([name]) => name);
  const { textBytes } = bodyLimitOf(operation);
  const bounded = boundedText(body, { textBytes, blobs: new Set(blobs) });
  if (bounded.kind === "refused") throw new ServiceException("ValidationException", bounded.reason);
  const text = decodeText(bounded.bytes);
  const parsed = parseBody(text);
  if (blobs.length === 0) return { text, values: parsed, isCut: false };
  const values: Record<string, unknown> = { ...parsed };
  for (const name of blobs) {
    const cut = bounded.cut.get(name);
    const value = parsed[name];
    if (cut !== undefined && value === "") values[name] = new Blob64(cut);
    else if (typeof value === "string") values[name] = new Blob64(Buffer.from(value, "utf8"));
  }
  return { text, values, isCut: bounded.cut.size > 0 };
}

function decodeText(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new ServiceException("ValidationException", "the body is not UTF-8");
  }
}

function parseBody(text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ServiceException("ValidationException", "the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ServiceException("ValidationException", "the body is not a JSON object");
  return value as Readonly<Record<string, unknown>>;
}

function decodeQuery(
  members: Readonly<Record<string, Member>>,
  query: ReadonlyMap<string, readonly string[]>,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(members)) {
    const given = query.get(name);
    if (given !== undefined) values[name] = queryValue(member.shape, given);
  }
  return values;
}

function queryValue(shape: Shape, given: readonly string[]): unknown {
  if (shape.kind === "list") return given;
  const last = given.at(-1) ?? "";
  // What is not an integer stays text, and the check reports it.
  return shape.kind === "integer" && /^-?\d{1,15}$/.test(last) ? Number(last) : last;
}

function documentFaults(members: Members, bodyText: string): readonly Fault[] {
  return Object.entries(members).flatMap(([name, { shape }]) => {
    if (shape.kind !== "document") return [];
    const text = rawMember(bodyText, name);
    if (text === undefined || Buffer.byteLength(text) <= shape.maxBytes) return [];
    const constraint = `Member must have length less than or equal to ${shape.maxBytes}`;
    return [{ at: name, message: faultMessage(name, constraint) }];
  });
}
