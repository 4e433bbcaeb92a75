/** The function behind the HTTP API: one event, one request, one answer. */
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import { type FileLink, resultName, type UploadLink, uploadObject } from "../../src/jobs/index.ts";
import { createApi, openStores, type Stores } from "./api.ts";
import { log } from "./log.ts";
import { formTo, linkTo } from "./presigned.ts";
import { readSettings, type Settings } from "./settings.ts";

/** Left of the function's time for an answer that says that it took too long. */
const leftMs = 3_000;
const linkForSeconds = 15 * 60;
/** Lambda sends at most 6 MB; what is longer would be an error that says nothing. */
const mostAnswerBytes = 5_900_000;

interface Opened {
  readonly settings: Settings;
  readonly stores: Stores;
  readonly sqs: SQSClient;
}

/** Made by the first request of this process. */
let opened: Opened | undefined;

function open(): Opened {
  const settings = readSettings(process.env);
  const { region, sqsEndpoint: endpoint } = settings;
  const own = endpoint === undefined ? {} : { endpoint, useQueueUrlAsEndpoint: false };
  return { settings, stores: openStores(settings), sqs: new SQSClient({ region, ...own }) };
}

export async function front(
  event: APIGatewayProxyEventV2,
  context: Context,
): Promise<APIGatewayProxyStructuredResultV2> {
  const begun = performance.now();
  opened ??= open();
  const { settings, stores, sqs } = opened;
  const { bucket, region, s3Endpoint: endpoint } = settings;
  const { requestId: id } = event.requestContext;
  const account = accountOf(event);
  if (account === undefined) return problem(401, "CALLER_UNKNOWN", "the gateway did not say who asks");
  const ask = { signal: AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - leftMs)) };
  const signing = () => {
    const now = new Date();
    const expiresAt = new Date(now.getTime() + linkForSeconds * 1000).toISOString();
    return { expiresAt, how: { bucket, region, endpoint, forSeconds: linkForSeconds, now } };
  };
  const linkOf = async (link: FileLink) => {
    const { how, expiresAt } = signing();
    return { url: linkTo({ ...how, key: resultName(link, link.name) }, process.env), expiresAt };
  };
  const formOf = async ({ sizeBytes, ...upload }: UploadLink) => {
    const { how, expiresAt } = signing();
    return { ...formTo({ ...how, key: uploadObject(upload), sizeBytes }, process.env), expiresAt };
  };
  const handOver = async (job: { readonly account: string; readonly id: string }) => {
    const { queueUrl: QueueUrl } = settings;
    if (QueueUrl === undefined) throw new Error("the environment names no queue");
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(job) }));
  };
  const onBug = (error: unknown) => log("error", { id, ...wordsOf(error) });
  const api = createApi({ stores, ask, account, region, linkOf, formOf, handOver, onBug });
  const { response, operation } = await api.fetch(requestOf(event, context.awsRequestId), ask);
  const body = typeof response.body === "string" ? response.body : "";
  log("info", {
    ...{ id, operation, account, status: response.status },
    milliseconds: Math.round(performance.now() - begun),
  });
  if (Buffer.byteLength(body) > mostAnswerBytes)
    return problem(413, "ANSWER_TOO_LARGE", "the answer is larger than 6 MB; ask for fewer inputs at once");
  return { statusCode: response.status, headers: { ...response.headers }, body };
}

function requestOf(event: APIGatewayProxyEventV2, requestId: string) {
  const { rawPath, rawQueryString, headers, body = "", isBase64Encoded, requestContext } = event;
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    ...{ requestId, method: requestContext.http.method, headers: Object.fromEntries(lower) },
    target: rawQueryString === "" ? rawPath : `${rawPath}?${rawQueryString}`,
    body: Buffer.from(body, isBase64Encoded ? "base64" : "utf8"),
  };
}

/** Of the principal that signed the request. Nobody is let in on the word of a header. */
function accountOf({ requestContext }: APIGatewayProxyEventV2): string | undefined {
  const { authorizer } = requestContext as {
    readonly authorizer?: { readonly iam?: { readonly accountId?: unknown } };
  };
  const account = authorizer?.iam?.accountId;
  return typeof account === "string" && /^\d{12}$/.test(account) ? account : undefined;
}

function problem(status: number, code: string, detail: string): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
    body: JSON.stringify({ status, code, detail }),
  };
}

function wordsOf(error: unknown): { readonly error: string; readonly stack: string | undefined } {
  return error instanceof Error
    ? { error: error.name, stack: error.stack }
    : { error: "unknown", stack: undefined };
}
