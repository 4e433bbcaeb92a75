/**
 * A stage as its templates describe it, on this machine: gateway, functions, queue, and the rights of each role. Routes,
 * handlers, variables, timeouts and grants come from the templates alone, so that a wrong one is a failing test.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  createAuthenticator,
  matchRoute,
  parseQuery,
  parseTarget,
  type ServerKey,
} from "../../src/http/index.ts";
import { limitMs } from "../../test/limit.mjs";
import { type AwsProxy, startAwsProxy } from "./aws-proxy.ts";
import { type RunningFunction, startFunction } from "./function.ts";
import type { Statement } from "./iam.ts";
import { type Synthesized, servedFolder } from "./synthesized.ts";
import { DeployedStack, type Deployment } from "./template.ts";

export interface CloudOptions {
  readonly synthesized: Synthesized;
  readonly s3: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly bucket: string;
  readonly dynamodb: string;
  readonly table: string;
  /** Who may call. */
  readonly keys: readonly ServerKey[];
}

export type Delivered = "empty" | "done" | "again" | "dead";

export interface RunningRole {
  readonly function: RunningFunction;
  readonly proxy: AwsProxy;
  readonly statements: readonly Statement[];
}

export interface Cloud {
  readonly address: string;
  readonly front: RunningRole;
  readonly worker: RunningRole;
  /** Gives the oldest visible message to the function that the mapping names. */
  deliver(): Promise<Delivered>;
  readonly messages: readonly { readonly body: string }[];
  readonly deadLetters: readonly { readonly body: string }[];
  close(): Promise<void>;
}

interface Message {
  readonly id: string;
  readonly body: string;
  receives: number;
}

const region = "us-east-1";
const account = "111111111111";
const mostRequestBytes = 10 << 20;
const mostAnswerBytes = 6_291_556;

export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { synthesized, bucket, table } = options;
  const queueArn = (id: string) => `arn:aws:sqs:${region}:${account}:${id}`;
  const deployment: Deployment = {
    stacks: [synthesized.data, synthesized.api, synthesized.trust],
    deployed: ({ Type }, id) => {
      const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
      switch (Type) {
        case "AWS::S3::Bucket":
          return { ref: bucket, attributes: { Arn: `arn:aws:s3:::${bucket}` } };
        case "AWS::DynamoDB::Table":
          return { ref: table, attributes: { Arn: arn("dynamodb", `table/${table}`) } };
        case "AWS::SQS::Queue":
          return {
            ref: `https://sqs.${region}.amazonaws.com/${account}/${id}`,
            attributes: { Arn: queueArn(id) },
          };
        case "AWS::Lambda::Function":
          return { ref: id, attributes: { Arn: arn("lambda", `function:${id}`) } };
        case "AWS::IAM::Role":
          return { ref: id, attributes: { Arn: `arn:aws:iam::${account}:role/${id}` } };
        default:
          return undefined;
      }
    },
  };
  const stack = new DeployedStack(synthesized.api, deployment);
  const messages: Message[] = [];
  const deadLetters: Message[] = [];
  const sendMessage = (queueUrl: string, body: string): string => {
    const [queue] = stack.resources("AWS::SQS::Queue").find(([id]) => queueUrl.endsWith(`/${id}`)) ?? [];
    if (queue === undefined || queueArn(queue) !== mappingOf(stack)["EventSourceArn"])
      throw new Error(`nothing reads the queue ${queueUrl}`);
    const message = { id: randomUUID(), body, receives: 0 };
    messages.push(message);
    return message.id;
  };

  const run = async (id: string): Promise<RunningRole> => {
    const properties = stack.resource("AWS::Lambda::Function", id);
    const statements = statementsOf(stack, String(properties["Role"]));
    const proxy = await startAwsProxy({
      ...{ statements, s3: options.s3.endpoint, dynamodb: options.dynamodb, sendMessage },
      arnOfQueue: (queueUrl) => queueArn(queueUrl.split("/").at(-1) ?? ""),
    });
    const { Variables = {} } = (properties["Environment"] ?? {}) as {
      readonly Variables?: Record<string, string>;
    };
    const { S3Key = "" } = properties["Code"] as { readonly S3Key?: string };
    const started = await startFunction({
      handler: String(properties["Handler"]),
      folder: join(servedFolder(synthesized), `asset.${S3Key.replace(/\.zip$/, "")}`),
      // Limits of a machine that does nothing else; a busy one gets more.
      timeoutMs: Math.max(Number(properties["Timeout"]) * 1000, 2 * limitMs),
      environment: {
        ...Variables,
        ...{ AWS_REGION: region, AWS_ACCESS_KEY_ID: options.s3.accessKeyId },
        AWS_SECRET_ACCESS_KEY: options.s3.secretAccessKey,
        ...{ AWS_ENDPOINT_URL_S3: proxy.endpoint, AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint },
        AWS_ENDPOINT_URL_SQS: proxy.endpoint,
      },
    });
    return { function: started, proxy, statements };
  };

  const [frontId] = functionOf(stack, frontTarget(stack));
  const mapping = mappingOf(stack);
  const [workerId] = functionOf(stack, String(mapping["FunctionName"]));
  const [front, worker] = await Promise.all([run(frontId), run(workerId)]);
  const gateway = await startGateway({ stack, front: front.function, frontId, keys: options.keys });

  const deliver = async (): Promise<Delivered> => {
    const queue = stack
      .resources("AWS::SQS::Queue")
      .find(([id]) => queueArn(id) === mapping["EventSourceArn"]);
    const { deadLetterTargetArn, maxReceiveCount } = (queue?.[1]["RedrivePolicy"] ?? {}) as {
      readonly deadLetterTargetArn?: string;
      readonly maxReceiveCount?: number;
    };
    const rights = (action: string) =>
      worker.proxy.require({ action, resource: String(mapping["EventSourceArn"]), context: {} });
    rights("sqs:GetQueueAttributes");
    rights("sqs:ReceiveMessage");
    const message = messages.shift();
    if (message === undefined) return "empty";
    message.receives++;
    const record = { messageId: message.id, body: message.body, receiptHandle: message.id, attributes: {} };
    const invoked = await worker.function.invoke({ Records: [record] });
    const failed = invoked.kind !== "answer" || isPartialFailure(invoked.value, mapping, message.id);
    if (!failed) {
      rights("sqs:DeleteMessage");
      return "done";
    }
    if (deadLetterTargetArn !== undefined && message.receives >= Number(maxReceiveCount)) {
      deadLetters.push(message);
      return "dead";
    }
    messages.push(message);
    return "again";
  };
  return {
    ...{ front, worker, deliver, messages, deadLetters, address: gateway.address },
    close: async () => {
      await gateway.close();
      for (const each of [front, worker]) {
        await each.function.close();
        await each.proxy.close();
      }
    },
  };
}

function isPartialFailure(value: unknown, mapping: Readonly<Record<string, unknown>>, id: string): boolean {
  const types = (mapping["FunctionResponseTypes"] ?? []) as readonly string[];
  if (!types.includes("ReportBatchItemFailures")) return false;
  const { batchItemFailures } = value as {
    readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
  };
  return batchItemFailures.some(({ itemIdentifier }) => itemIdentifier === id);
}

export function statementsOf(stack: DeployedStack, roleArn: string): readonly Statement[] {
  const id = roleArn.split("/").at(-1) ?? "";
  const role = stack.resource("AWS::IAM::Role", id);
  const inline = (role["Policies"] ?? []) as readonly {
    readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  }[];
  const attached = stack
    .resources("AWS::IAM::Policy")
    .filter(([, { Roles }]) => (Roles as readonly string[]).includes(id))
    .map(([, { PolicyDocument }]) => PolicyDocument as { readonly Statement: readonly Statement[] });
  return [...inline.map(({ PolicyDocument }) => PolicyDocument), ...attached].flatMap(
    ({ Statement }) => Statement,
  );
}

function mappingOf(stack: DeployedStack): Readonly<Record<string, unknown>> {
  const [mapping] = stack.resources("AWS::Lambda::EventSourceMapping");
  if (mapping === undefined) throw new Error("nothing reads the queue");
  return mapping[1];
}

/** What every route leads to. */
function frontTarget(stack: DeployedStack): string {
  const targets = new Set(
    stack.resources("AWS::ApiGatewayV2::Route").map(([, { Target }]) => String(Target)),
  );
  const [target = ""] = targets;
  if (targets.size !== 1) throw new Error("the routes lead to several integrations");
  const integration = stack.resource("AWS::ApiGatewayV2::Integration", target.replace("integrations/", ""));
  if (integration["PayloadFormatVersion"] !== "2.0" || integration["IntegrationType"] !== "AWS_PROXY")
    throw new Error("the function expects events of version 2.0");
  return String(integration["IntegrationUri"]);
}

function functionOf(stack: DeployedStack, name: string) {
  const id = name.split(":").at(-1) ?? "";
  return [id, stack.resource("AWS::Lambda::Function", id)] as const;
}

async function startGateway(options: {
  readonly stack: DeployedStack;
  readonly front: RunningFunction;
  readonly frontId: string;
  readonly keys: readonly ServerKey[];
}): Promise<{ readonly address: string; close(): Promise<void> }> {
  const { stack, front, frontId, keys } = options;
  const routes = stack.resources("AWS::ApiGatewayV2::Route").map(([, { RouteKey, AuthorizationType }]) => {
    const [method = "", path = ""] = String(RouteKey).split(" ");
    if (method !== "GET" && method !== "POST") throw new Error(`no route has the method ${method}`);
    return { method, path, authorization: String(AuthorizationType) } as const;
  });
  const [stage] = stack.resources("AWS::ApiGatewayV2::Stage");
  if (stage?.[1]["StageName"] !== "$default" || stage[1]["AutoDeploy"] !== true)
    throw new Error("nothing is deployed at the root of the address");
  const mayInvoke = stack
    .resources("AWS::Lambda::Permission")
    .some(
      ([, { FunctionName, Principal, Action, SourceArn }]) =>
        String(FunctionName).endsWith(frontId) &&
        Principal === "apigateway.amazonaws.com" &&
        Action === "lambda:InvokeFunction" &&
        /^arn:aws:execute-api:us-east-1:111111111111:\w+\/\*\/\*$/.test(String(SourceArn)),
    );
  if (!mayInvoke) throw new Error("the gateway may not call the function");
  const authenticator = createAuthenticator({
    ...{ keys, openAccount: account, region, now: () => new Date() },
    ...{ services: ["execute-api"], tokens: "refused" },
  });
  /** One event at a time, as one process of the function has it. */
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    const message = (status: number, text: string) => void answer(status, JSON.stringify({ message: text }));
    const body = await bytesOf(request);
    if (body.length > mostRequestBytes) return message(413, "Request Entity Too Large");
    const headers = headersOf(request);
    const [method, target] = [request.method ?? "GET", parseTarget(request.url ?? "/")];
    const found = target === undefined ? undefined : matchRoute(routes, method, target.rawPath);
    if (target === undefined || found?.kind !== "route") return message(404, "Not Found");
    if (found.route.authorization !== "AWS_IAM") throw new Error(`anybody may call ${found.route.path}`);
    const asking = authenticator.callerOf({ method, target: request.url ?? "/", headers, body }, target);
    if (asking.kind !== "known") return message(403, "Forbidden");
    const query = [...(parseQuery(target.rawQuery) ?? [])].map(([name, values]) => [name, values.join(",")]);
    const event = {
      ...{ version: "2.0", routeKey: `${method} ${found.route.path}`, rawPath: target.rawPath },
      ...{ rawQueryString: target.rawQuery, headers, isBase64Encoded: false, body: body.toString("utf8") },
      queryStringParameters: Object.fromEntries(query),
      requestContext: {
        ...{ requestId: randomUUID(), accountId: account, stage: "$default" },
        http: { method, path: target.rawPath, protocol: "HTTP/1.1", sourceIp: "127.0.0.1" },
        authorizer: { iam: { accountId: asking.caller.account, accessKey: asking.caller.accessKeyId } },
      },
    };
    const turn = last.then(() => front.invoke(event));
    last = turn;
    const invoked = await turn;
    if (invoked.kind === "timeout") return message(503, "Service Unavailable");
    if (invoked.kind === "error") return message(500, "Internal Server Error");
    const value = invoked.value as {
      readonly statusCode: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };
    if (Buffer.byteLength(JSON.stringify(value)) > mostAnswerBytes)
      return message(500, "Internal Server Error");
    return void answer(value.statusCode, value.body, value.headers);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat().join(", ")]),
  );
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
