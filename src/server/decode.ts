/**
 * From a request to the checked input of an operation: path labels, query and body in one record, as the operation's
 * tables say. Everything wrong is told at once.
 */
import {
  type Fault,
  faultsMessage,
  type Member,
  type Operation,
  rawMember,
  ServiceException,
  type Shape,
  validateMembers,
} from "../protocol/index.ts";
import { parseQuery } from "./http.ts";

/** Deeper JSON than this is refused before it is parsed: parsers and walkers recurse. */
const maxDepth = 100;

export interface DecodedRequest {
  /** Checked members of path, query and body by name. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The raw JSON text of a member of the body. */
  raw(member: string): string | undefined;
  /** The whole body as text; empty when there is none. */
  readonly bodyText: string;
}

export function decodeRequest(
  operation: Operation,
  request: { labels: Readonly<Record<string, string>>; rawQuery: string; body: Uint8Array },
): DecodedRequest {
  const query = parseQuery(request.rawQuery);
  if (query === undefined)
    throw new ServiceException("ValidationException", "the query string is not percent-encoded UTF-8");
  const queryValues = decodeQuery(operation.query, query);
  const bodyText = operation.body === undefined ? "" : decodeText(request.body);
  const bodyValues = operation.body === undefined ? {} : parseBody(bodyText);
  const faults: readonly Fault[] = [
    ...validateMembers(operation.labels, request.labels),
    ...validateMembers(operation.query, queryValues),
    ...validateMembers(operation.body?.members ?? {}, bodyValues),
    ...documentFaults(operation.body?.members ?? {}, bodyText),
  ];
  if (faults.length > 0) throw new ServiceException("ValidationException", faultsMessage(faults));
  const known = Object.keys(operation.body?.members ?? {});
  const members = Object.fromEntries(
    known
      .filter((name) => bodyValues[name] !== undefined && bodyValues[name] !== null)
      .map((name) => [name, bodyValues[name]]),
  );
  return {
    input: { ...members, ...queryValues, ...request.labels },
    raw: (member) => rawMember(bodyText, member),
    bodyText,
  };
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
  if (depthOf(text) > maxDepth)
    throw new ServiceException("ValidationException", `the body is nested deeper than ${maxDepth} levels`);
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

/** Nesting depth without parsing: brackets outside of strings. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const c = json.charCodeAt(at);
    if (inString) {
      if (c === 0x5c) at++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
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
  // What is no integer stays text, and the check says so.
  return shape.kind === "integer" && /^-?\d{1,15}$/.test(last) ? Number(last) : last;
}

function documentFaults(members: Readonly<Record<string, Member>>, bodyText: string): readonly Fault[] {
  return Object.entries(members).flatMap(([name, { shape }]) => {
    if (shape.kind !== "document") return [];
    const text = rawMember(bodyText, name);
    if (text === undefined || Buffer.byteLength(text) <= shape.maxBytes) return [];
    const message = `Value at '${name}' failed to satisfy constraint: Member must have length less than or equal to ${shape.maxBytes}`;
    return [{ at: name, message }];
  });
}
