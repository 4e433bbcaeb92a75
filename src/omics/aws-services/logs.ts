/**
 * CloudWatch Logs, what tools read of it: DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents over
 * the one group `/aws/omics/WorkflowLog`. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
 */

import { type HttpResponse, jsonResponse } from "../../http/index.ts";
import { defined } from "../../kernel/index.ts";
import type { LogStream } from "../../ledger/index.ts";
import { boundedText } from "../../protocol/index.ts";
import { type EventPlace, filterEvents } from "./filter-events.ts";
import { parsePattern } from "./log-pattern.ts";
import type { ServiceRequest } from "./service-request.ts";

export const logGroup = "/aws/omics/WorkflowLog";
const mostEvents = 10_000;
const mostStreams = 50;
const streamsAtOnce = 1_000;
/** As CloudWatch Logs limits them; tokens are ours and hold the name of a stream. */
const longest = { filterPattern: 1_024, usual: 2_048 } as const;

type Body = Readonly<Record<string, unknown>>;

/** What the service's own clients parse: `__type`, and 400 for every mistake of the caller. */
class LogsRefusal extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export async function answerLogs(at: ServiceRequest, action: string): Promise<HttpResponse> {
  try {
    return jsonResponse(200, await answer(at, parse(at.request.body), action));
  } catch (error) {
    if (!(error instanceof LogsRefusal)) throw error;
    const { type, message } = error;
    return jsonResponse(400, { __type: type, message }, { "x-amzn-errortype": type });
  }
}

async function answer(at: ServiceRequest, body: Body, action: string): Promise<unknown> {
  switch (action) {
    case "DescribeLogGroups":
      return describeGroups(at, body);
    case "DescribeLogStreams":
      checkGroup(body);
      return describeStreams(at, body);
    case "GetLogEvents":
      checkGroup(body);
      return getEvents(at, body);
    case "FilterLogEvents":
      checkGroup(body);
      return filtered(at, body);
    default:
      throw new LogsRefusal("UnknownOperationException", `${action} is not served here`);
  }
}

function checkGroup(body: Body): void {
  const name = textOf(body, "logGroupName") ?? textOf(body, "logGroupIdentifier");
  if (name === undefined) throw invalid("logGroupName is missing");
  const known =
    name === logGroup || new RegExp(`^arn:aws[a-z-]*:logs:.*:log-group:${logGroup}(:\\*)?$`).test(name);
  if (!known) throw new LogsRefusal("ResourceNotFoundException", "The specified log group does not exist.");
}

function describeGroups({ parts, caller }: ServiceRequest, body: Body): unknown {
  const prefix = textOf(body, "logGroupNamePrefix") ?? "";
  const pattern = textOf(body, "logGroupNamePattern") ?? "";
  if (!logGroup.startsWith(prefix) || !logGroup.includes(pattern)) return { logGroups: [] };
  const arn = groupArn(parts.region, caller.account);
  const facts = { creationTime: 0, metricFilterCount: 0, storedBytes: 0 };
  return { logGroups: [{ logGroupName: logGroup, arn: `${arn}:*`, logGroupArn: arn, ...facts }] };
}

function groupArn(region: string, account: string): string {
  return `arn:aws:logs:${region}:${account}:log-group:${logGroup}`;
}

function describeStreams({ parts, caller }: ServiceRequest, body: Body): unknown {
  const limit = integerOf(body, "limit", { usual: mostStreams, least: 1, most: mostStreams });
  const prefix = textOf(body, "logStreamNamePrefix");
  const after = textOf(body, "nextToken");
  const byTime = textOf(body, "orderBy") === "LastEventTime";
  if (byTime && prefix !== undefined)
    throw invalid("Cannot order by LastEventTime with a logStreamNamePrefix.");
  const found = parts.ledger.logs.streams(caller.account, {
    limit: limit + 1,
    order: byTime ? "last-written" : "name",
    ...(body["descending"] === true ? { descending: true } : {}),
    ...defined({ prefix, after }),
  });
  const shown = found.slice(0, limit);
  const group = groupArn(parts.region, caller.account);
  return {
    logStreams: shown.map(({ name, firstAt, lastAt }) => ({
      logStreamName: name,
      creationTime: firstAt ?? 0,
      firstEventTimestamp: firstAt,
      lastEventTimestamp: lastAt,
      lastIngestionTime: lastAt,
      arn: `${group}:log-stream:${name}`,
      storedBytes: 0,
    })),
    ...(found.length > limit ? { nextToken: shown.at(-1)?.name } : {}),
  };
}

/**
 * Tokens are `f/<position>` for what follows and `b/<position>` for what comes before; where there is nothing more, the
 * same token comes again. A stream that grows is followed with its last forward token.
 */
async function getEvents({ parts, caller }: ServiceRequest, body: Body): Promise<unknown> {
  const stream = textOf(body, "logStreamName");
  if (stream === undefined) throw invalid("logStreamName is missing");
  const limit = integerOf(body, "limit", { usual: mostEvents, least: 1, most: mostEvents });
  const given = textOf(body, "nextToken");
  const token = given === undefined ? undefined : /^([fb])\/(\d{1,15})$/.exec(given);
  if (token === null) throw invalid("The specified nextToken is invalid.");
  const position = Number(token?.[2] ?? 0);
  const backward = token === undefined ? body["startFromHead"] !== true : token[1] === "b";
  const { since, until } = timesOf(body);
  const page = await parts.ledger.logs.read(caller.account, stream, {
    limit,
    since,
    until,
    ...(backward ? { newest: true } : {}),
    ...(token === undefined ? {} : backward ? { before: position } : { from: position }),
  });
  if (page === undefined)
    throw new LogsRefusal("ResourceNotFoundException", "The specified log stream does not exist.");
  return {
    events: page.lines.map(({ at, message }) => ({ timestamp: at, message, ingestionTime: at })),
    nextForwardToken: `f/${page.next}`,
    nextBackwardToken: `b/${page.previous}`,
  };
}

async function filtered({ parts, caller }: ServiceRequest, body: Body): Promise<unknown> {
  const { logs } = parts.ledger;
  const { account } = caller;
  const given = body["filterPattern"] === "" ? "" : (textOf(body, "filterPattern") ?? "");
  const matches = parsePattern(given);
  if (matches === undefined) throw invalid(`The filterPattern ${given} is not supported.`);
  const token = textOf(body, "nextToken");
  const after = token === undefined ? undefined : parsePlace(token);
  const times = timesOf(body);
  // What is written from now on is for the next request, so that a client that continues at the time of the last event
  // misses nothing.
  const until = Math.min(times.until, Date.now() + 1);
  const since = Math.max(times.since, after?.at ?? 0);
  const streams: string[] = [];
  for await (const { name, lastAt } of streamsOf((at) => logs.streams(account, at), body))
    if (lastAt !== undefined && lastAt >= since) streams.push(name);
  const { events, next } = await filterEvents(logs, {
    ...{ account, streams, matches, since: times.since, until, after },
    limit: integerOf(body, "limit", { usual: mostEvents, least: 1, most: mostEvents }),
  });
  return {
    events: events.map(({ at, stream, position, message }) => ({
      logStreamName: stream,
      timestamp: at,
      message,
      ingestionTime: at,
      eventId: `${at}/${position}/${stream}`,
    })),
    searchedLogStreams: [],
    ...(next === undefined ? {} : { nextToken: placeText(next) }),
  };
}

type Streams = (query: { prefix?: string; after?: string; limit: number }) => readonly LogStream[];

/** Of the names or below the prefix that the request gives. */
async function* streamsOf(streams: Streams, body: Body): AsyncGenerator<LogStream> {
  const names = body["logStreamNames"];
  const prefix = textOf(body, "logStreamNamePrefix");
  if (names !== undefined) {
    if (!Array.isArray(names) || names.length < 1 || names.length > 100)
      throw invalid("logStreamNames must name 1 to 100 streams");
    if (prefix !== undefined) throw invalid("Give either logStreamNames or logStreamNamePrefix.");
    for (const name of new Set(
      names.map((_, index) => textOf(names as unknown as Body, String(index)) ?? ""),
    )) {
      const [first] = streams({ prefix: name, limit: 1 });
      if (first?.name !== name)
        throw new LogsRefusal("ResourceNotFoundException", "The specified log stream does not exist.");
      yield first;
    }
    return;
  }
  for (let after: string | undefined; ; ) {
    const found = streams({
      limit: streamsAtOnce,
      ...defined({ prefix, after }),
    });
    yield* found;
    after = found.at(-1)?.name;
    await new Promise((resolve) => setImmediate(resolve));
    if (found.length < streamsAtOnce) return;
  }
}

function placeText({ at, stream, position }: EventPlace): string {
  return Buffer.from(JSON.stringify([at, position, stream])).toString("base64url");
}

function parsePlace(token: string): EventPlace {
  try {
    const value = JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as unknown;
    const [at, position, stream] = Array.isArray(value) ? (value as readonly unknown[]) : [];
    if (Number.isSafeInteger(at) && Number.isSafeInteger(position) && typeof stream === "string")
      return { at: Number(at), position: Number(position), stream };
  } catch {
    // Reported below.
  }
  throw invalid("The specified nextToken is invalid.");
}

function timesOf(body: Body): { readonly since: number; readonly until: number } {
  const limits = { least: 0, most: Number.MAX_SAFE_INTEGER };
  return {
    since: integerOf(body, "startTime", { ...limits, usual: 0 }),
    until: integerOf(body, "endTime", { ...limits, usual: Number.MAX_SAFE_INTEGER }),
  };
}

function textOf(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || value === "") throw invalid(`${name} must be text`);
  const most = name === "filterPattern" ? longest.filterPattern : longest.usual;
  if (value.length > most) throw invalid(`${name} must have at most ${most} characters`);
  return value;
}

function integerOf(
  body: Body,
  name: string,
  { usual, least, most }: { readonly usual: number; readonly least: number; readonly most: number },
): number {
  const value = body[name];
  if (value === undefined || value === null) return usual;
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    throw invalid(`${name} must be an integer from ${least} to ${most}`);
  return value;
}

/** Requests have a handful of members. */
const bodyBounds = { textBytes: 1024 * 1024, blobs: new Set<string>() };

function parse(body: Uint8Array): Body {
  const bounded = boundedText(body, bodyBounds);
  if (bounded.kind === "refused") throw new LogsRefusal("SerializationException", bounded.reason);
  try {
    const value = JSON.parse(Buffer.from(body).toString("utf8") || "{}") as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  } catch {
    // Reported below.
  }
  throw new LogsRefusal("SerializationException", "the body is not a JSON object");
}

function invalid(message: string): LogsRefusal {
  return new LogsRefusal("InvalidParameterException", message);
}
