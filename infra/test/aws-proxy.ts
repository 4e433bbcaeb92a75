/**
 * What a function's role may do, enforced and recorded: all its requests to AWS go through here, to servers that are like
 * S3 and DynamoDB, and to a queue. A call that the template does not allow is refused as AWS refuses it.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { allowing, type Call, type Statement } from "./iam.ts";

export interface AwsProxy {
  readonly endpoint: string;
  /** Calls that were allowed. */
  readonly calls: readonly Call[];
  readonly refused: readonly Call[];
  /** A call of the platform in the function's name, such as reading its queue. @throws where it is not allowed. */
  require(call: Call): void;
  /** Called before a request is sent; the request waits for it. */
  onCall: ((call: Call) => Promise<void> | undefined) | undefined;
  close(): Promise<void>;
}

export interface AwsProxyOptions {
  readonly statements: readonly Statement[];
  readonly s3: string;
  readonly dynamodb: string;
  /** Answers the id of the message. */
  readonly sendMessage: (queueUrl: string, body: string) => string;
  readonly arnOfQueue: (queueUrl: string) => string;
}

export async function startAwsProxy(options: AwsProxyOptions): Promise<AwsProxy> {
  const calls: Call[] = [];
  const refused: Call[] = [];
  const allowed = (call: Call): boolean => {
    const isAllowed = allowing(options.statements, call).length > 0;
    (isAllowed ? calls : refused).push(call);
    return isAllowed;
  };
  const server = createServer(async (request, response) => {
    const body = await bytesOf(request);
    const target = String(request.headers["x-amz-target"] ?? "");
    const [service, operation = ""] = target.split(".");
    const call = target === "" ? s3Call(request, body) : jsonCall(service ?? "", operation, body, options);
    await proxy.onCall?.(call);
    if (!allowed(call)) return refuse(response, target === "");
    if (service === "AmazonSQS") return answerQueue(response, body, options);
    // Who may not list does not learn what does not exist.
    const list = { action: "s3:ListBucket", resource: call.resource.replace(/\/.*$/, ""), context: {} };
    const mayMiss = call.action !== "s3:GetObject" || allowing(options.statements, list).length > 0;
    const to = target === "" ? options.s3 : options.dynamodb;
    forward({ request, response, body, to, ...(mayMiss ? {} : { missing: () => refuse(response, true) }) });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const proxy: AwsProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ calls, refused, onCall: undefined },
    require: (call) => {
      if (!allowed(call)) throw new Error(`the role may not ${call.action} ${call.resource}`);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
  return proxy;
}

function s3Call({ method = "GET", url = "/", headers }: IncomingMessage, body: Buffer): Call {
  const { pathname, searchParams } = new URL(url, "http://s3");
  const [, bucket = "", ...rest] = decodeURIComponent(pathname).split("/");
  // A form that was signed before: it is sent in the name of who signed it.
  const isForm = String(headers["content-type"]).startsWith("multipart/form-data");
  const key = isForm
    ? (/name="key"\r\n\r\n([^\r]*)/.exec(body.toString("latin1"))?.[1] ?? "")
    : rest.join("/");
  const action = ((): string => {
    if (searchParams.has("uploadId") && method === "DELETE") return "s3:AbortMultipartUpload";
    if (key === "") return method === "POST" ? "s3:DeleteObject" : "s3:ListBucket";
    if (method === "GET" || method === "HEAD") return "s3:GetObject";
    return method === "DELETE" ? "s3:DeleteObject" : "s3:PutObject";
  })();
  const prefix = searchParams.get("prefix");
  return {
    action,
    resource: `arn:aws:s3:::${bucket}${key === "" ? "" : `/${key}`}`,
    context: prefix === null ? {} : { "s3:prefix": prefix },
  };
}

function jsonCall(service: string, operation: string, body: Buffer, options: AwsProxyOptions): Call {
  const parsed = JSON.parse(body.toString("utf8")) as {
    readonly RequestItems?: object;
    readonly TableName?: string;
    readonly QueueUrl?: string;
  };
  if (service === "AmazonSQS") {
    const resource = options.arnOfQueue(parsed.QueueUrl ?? "");
    return { action: `sqs:${operation}`, resource, context: {} };
  }
  const table = parsed.TableName ?? Object.keys(parsed.RequestItems ?? {})[0] ?? "";
  const resource = `arn:aws:dynamodb:us-east-1:111111111111:table/${table}`;
  return { action: `dynamodb:${operation}`, resource, context: {} };
}

function refuse(response: ServerResponse, isXml: boolean): void {
  if (isXml)
    return void response
      .writeHead(403, { "content-type": "application/xml" })
      .end("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
  response.writeHead(400, { "content-type": "application/x-amz-json-1.0" });
  response.end(JSON.stringify({ __type: "AccessDeniedException", message: "not authorized" }));
}

function answerQueue(response: ServerResponse, body: Buffer, options: AwsProxyOptions): void {
  const { QueueUrl, MessageBody } = JSON.parse(body.toString("utf8")) as Readonly<Record<string, string>>;
  const MessageId = options.sendMessage(QueueUrl ?? "", MessageBody ?? "");
  const MD5OfMessageBody = createHash("md5")
    .update(MessageBody ?? "")
    .digest("hex");
  response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
  response.end(JSON.stringify({ MessageId, MD5OfMessageBody }));
}

/** With the host that was signed. */
function forward(what: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly to: string;
  /** In the place of an answer that something does not exist. */
  readonly missing?: () => void;
}): void {
  const { request, response, body, to, missing } = what;
  const { hostname, port } = new URL(to);
  const { method, url: path, headers } = request;
  const sent = send({ hostname, port, method, path, headers }, (answer) => {
    if (answer.statusCode === 404 && missing !== undefined) {
      answer.resume();
      return missing();
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  sent.on("error", () => response.destroy());
  response.on("close", () => sent.destroy());
  sent.end(body);
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
