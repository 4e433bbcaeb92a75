/**
 * CloudWatch Logs, what tools read of it: DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents over
 * the one group `/aws/omics/WorkflowLog`. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
 */
import { exceptions } from "../../protocol/index.ts";
import { type HttpResponse, jsonResponse } from "../http.ts";
import type { NeighbourRequest } from "./index.ts";

export const logGroup = "/aws/omics/WorkflowLog";
const usualLimit = 10_000;

type Body = Readonly<Record<string, unknown>>;

export function answerLogs(at: NeighbourRequest, action: string): HttpResponse {
  const body = parse(at.request.body);
  if (body === undefined) return refuse("InvalidParameterException", "the body is not a JSON object");
  switch (action) {
    case "DescribeLogGroups":
      return jsonResponse(200, { logGroups: [{ logGroupName: logGroup, creationTime: 0, storedBytes: 0 }] });
    case "DescribeLogStreams":
      return inGroup(body, () => describeStreams(at, body));
    case "GetLogEvents":
      return inGroup(body, () => getEvents(at, body));
    case "FilterLogEvents":
      return inGroup(body, () => filterEvents(at, body));
    default:
      return refuse("UnknownOperationException", `${action} is not served here`);
  }
}

function inGroup(body: Body, answer: () => HttpResponse): HttpResponse {
  const name = body["logGroupName"] ?? body["logGroupIdentifier"];
  return name === logGroup || (typeof name === "string" && name.includes(`log-group:${logGroup}`))
    ? answer()
    : refuse("ResourceNotFoundException", "The specified log group does not exist.");
}

function describeStreams({ parts, caller }: NeighbourRequest, body: Body): HttpResponse {
  const prefix = typeof body["logStreamNamePrefix"] === "string" ? body["logStreamNamePrefix"] : "";
  const limit = Math.min(integerOr(body["limit"], 50), 50);
  const after = typeof body["nextToken"] === "string" ? body["nextToken"] : "";
  const all = parts.ledger.logStreams(caller.account, prefix).filter((stream) => stream.name > after);
  const shown = all.slice(0, limit);
  return jsonResponse(200, {
    logStreams: shown.map((stream) => ({
      logStreamName: stream.name,
      creationTime: stream.firstAt,
      firstEventTimestamp: stream.firstAt,
      lastEventTimestamp: stream.lastAt,
      lastIngestionTime: stream.lastAt,
      arn: `arn:aws:logs:${parts.region}:${caller.account}:log-group:${logGroup}:log-stream:${stream.name}`,
      storedBytes: 0,
    })),
    ...(all.length > limit ? { nextToken: shown.at(-1)?.name } : {}),
  });
}

/** Tokens are `f/<seq>` and `b/<seq>`; at the end of a stream the same token comes again. */
function getEvents({ parts, caller }: NeighbourRequest, body: Body): HttpResponse {
  const stream = String(body["logStreamName"] ?? "");
  if (!parts.ledger.logStreams(caller.account, stream).some((known) => known.name === stream))
    return refuse("ResourceNotFoundException", "The specified log stream does not exist.");
  const limit = Math.min(integerOr(body["limit"], usualLimit), usualLimit);
  const token =
    typeof body["nextToken"] === "string" ? /^([fb])\/(\d{1,15})$/.exec(body["nextToken"]) : undefined;
  if (token === null) return refuse("InvalidParameterException", "The specified nextToken is invalid.");
  const place = Number(token?.[2] ?? 0);
  const window =
    token === undefined
      ? { limit, ...(body["startFromHead"] === true ? {} : { newest: true as const }) }
      : token[1] === "f"
        ? { limit, after: place }
        : { limit, before: place, newest: true as const };
  const { lines } = parts.ledger.readLog(caller.account, stream, window);
  const shown = lines.filter((line) => inTime(line.at, body));
  return jsonResponse(200, {
    events: shown.map((line) => ({ timestamp: line.at, message: line.message, ingestionTime: line.at })),
    nextForwardToken: `f/${lines.at(-1)?.seq ?? (token?.[1] === "f" ? place : Math.max(0, place - 1))}`,
    nextBackwardToken: `b/${lines[0]?.seq ?? place}`,
  });
}

function filterEvents({ parts, caller }: NeighbourRequest, body: Body): HttpResponse {
  const limit = Math.min(integerOr(body["limit"], usualLimit), usualLimit);
  const prefix = typeof body["logStreamNamePrefix"] === "string" ? body["logStreamNamePrefix"] : "";
  const named = Array.isArray(body["logStreamNames"])
    ? new Set(body["logStreamNames"].map(String))
    : undefined;
  const pattern = patternOf(body["filterPattern"]);
  const events = parts.ledger
    .logStreams(caller.account, prefix)
    .filter((stream) => named === undefined || named.has(stream.name))
    .flatMap((stream) =>
      parts.ledger
        .readLog(caller.account, stream.name, { limit: usualLimit })
        .lines.filter((line) => inTime(line.at, body) && pattern(line.message))
        .map((line) => ({
          logStreamName: stream.name,
          timestamp: line.at,
          message: line.message,
          ingestionTime: line.at,
          eventId: String(line.seq),
        })),
    )
    .sort((a, b) => Number(a.eventId) - Number(b.eventId));
  const after = Number(typeof body["nextToken"] === "string" ? body["nextToken"] : 0);
  const rest = events.filter((event) => Number(event.eventId) > after);
  return jsonResponse(200, {
    events: rest.slice(0, limit),
    searchedLogStreams: [],
    ...(rest.length > limit ? { nextToken: rest[limit - 1]?.eventId } : {}),
  });
}

/** Plain words and quoted phrases: all must occur. Patterns over JSON fields match everything. */
function patternOf(given: unknown): (message: string) => boolean {
  if (typeof given !== "string" || given.trim() === "" || /^[{[]/.test(given.trim())) return () => true;
  const words = [...given.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
  return (message) => words.every((word) => message.includes(word));
}

function inTime(at: number, body: Body): boolean {
  return at >= integerOr(body["startTime"], 0) && at < integerOr(body["endTime"], Number.MAX_SAFE_INTEGER);
}

function integerOr(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : otherwise;
}

function parse(body: Uint8Array): Body | undefined {
  try {
    const value = JSON.parse(Buffer.from(body).toString("utf8") || "{}") as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Body) : undefined;
  } catch {
    return undefined;
  }
}

function refuse(name: string, message: string): HttpResponse {
  const status = name === "ResourceNotFoundException" ? 400 : exceptions.ValidationException;
  return jsonResponse(status, { __type: name, message }, { "x-amzn-errortype": name });
}
