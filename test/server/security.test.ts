/** What unauthenticated clients, other accounts and hostile bundles may not do. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import * as omics from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { operations } from "../../src/protocol/index.ts";
import { Sandbox } from "../cli/memoir.ts";
import { openServer, type RawResponse, region, type TestKey, type TestServer, uniqueId } from "./harness.ts";
import { signedHeaders } from "./sign.ts";
import { zipOf } from "./zip.ts";

const ours: TestKey = {
  accessKeyId: "AKIDOURS",
  secretAccessKey: "our+secret/with=signs",
  account: "111111111111",
};
const theirs: TestKey = {
  accessKeyId: "AKIDTHEIRS",
  secretAccessKey: "their-secret",
  account: "222222222222",
};
const session: TestKey = {
  ...{ accessKeyId: "ASIASESSION", secretAccessKey: "session-secret", account: "111111111111" },
  sessionToken: "a/long+token==",
};
const keys = [ours, theirs, session];
const roleArn = "arn:aws:iam::111111111111:role/r";

const wdl = (command: string, input = "String name") => `version 1.1
task work {
  input {
    ${input}
  }
  command <<<
    ${command}
  >>>
  output {
    String said = read_string(stdout())
  }
}
`;

interface Captured {
  method: string;
  path: string;
  query: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: string;
}

describe("signatures", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer({ keys });
  });
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  function clientOf(key: TestKey, settings: Partial<omics.OmicsClientConfig> = {}): omics.OmicsClient {
    return new omics.OmicsClient({
      ...{ endpoint: server.url, region, credentials: key, disableHostPrefix: true, maxAttempts: 1 },
      ...settings,
    });
  }

  /** What the SDK would have sent, signed by itself. */
  async function captured(client: omics.OmicsClient): Promise<Captured> {
    let seen: Captured | undefined;
    client.middlewareStack.add(
      () => async (args) => {
        seen = { ...(args.request as Captured) };
        throw new Error("not sent");
      },
      { step: "deserialize", priority: "low", name: "capture" },
    );
    await client
      .send(new omics.TagResourceCommand({ resourceArn: arn, tags: { a: "b" } }))
      .catch(() => undefined);
    client.destroy();
    if (seen === undefined) throw new Error("the SDK sent nothing");
    return seen;
  }

  const arn = `arn:aws:omics:${region}:111111111111:runGroup/1`;
  const sent = (request: Captured) => {
    const body = request.body === undefined ? {} : { body: request.body };
    return server.raw({ method: request.method, path: request.path, headers: request.headers, ...body });
  };

  it("an SDK's request is taken as it is, and in any region", async () => {
    expect((await sent(await captured(clientOf(ours)))).errorType).toBe("ResourceNotFoundException");
    const elsewhere = await captured(clientOf(ours, { region: "eu-west-1" }));
    expect(elsewhere.headers["authorization"]).toContain("/eu-west-1/omics/");
    expect((await sent(elsewhere)).errorType).toBe("ResourceNotFoundException");
    expect((await sent(await captured(clientOf(session)))).errorType).toBe("ResourceNotFoundException");
  });

  it.each<[string, string, (request: Captured) => Captured]>([
    ["another body", "InvalidSignatureException", (r) => ({ ...r, body: '{"tags":{"a":"c"}}' })],
    [
      "another body with its own hash",
      "InvalidSignatureException",
      (r) => ({
        ...r,
        body: "{}",
        headers: {
          ...r.headers,
          "content-length": "2",
          "x-amz-content-sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        },
      }),
    ],
    ["another path", "InvalidSignatureException", (r) => ({ ...r, path: r.path.replace(/1$/, "2") })],
    [
      "a path encoded once less",
      "InvalidSignatureException",
      (r) => ({ ...r, path: decodeURIComponent(r.path) }),
    ],
    ["a query", "InvalidSignatureException", (r) => ({ ...r, path: `${r.path}?x=1` })],
    [
      "another method",
      "InvalidSignatureException",
      (r) => ({ ...r, method: "DELETE", path: `${r.path}?tagKeys=a` }),
    ],
    ["another signed header", "InvalidSignatureException", (r) => withHeader(r, "x-amz-user-agent", "other")],
    ["another host", "InvalidSignatureException", (r) => withHeader(r, "host", "other.example")],
    ["another date", "InvalidSignatureException", (r) => withHeader(r, "x-amz-date", "20200101T000000Z")],
    ["no date", "InvalidSignatureException", (r) => without(r, "x-amz-date")],
    ["no signature", "MissingAuthenticationTokenException", (r) => without(r, "authorization")],
    [
      "a signature that is none",
      "InvalidSignatureException",
      (r) => withHeader(r, "authorization", "AWS4-HMAC-SHA256 x"),
    ],
    [
      "basic authentication",
      "InvalidSignatureException",
      (r) => withHeader(r, "authorization", "Basic YTpi"),
    ],
    ["an unknown key", "UnrecognizedClientException", (r) => altered(r, /AKIDOURS/, "AKIDNOBODY")],
    ["somebody else's key id", "InvalidSignatureException", (r) => altered(r, /AKIDOURS/, "AKIDTHEIRS")],
    ["another service", "InvalidSignatureException", (r) => altered(r, /\/omics\//, "/s3/")],
    ["another region in the scope", "InvalidSignatureException", (r) => altered(r, /us-east-1/, "eu-west-1")],
    ["fewer signed headers", "InvalidSignatureException", (r) => altered(r, /;x-amz-user-agent/, "")],
  ])("refuses %s", async (_, errorType, alter) => {
    const answer = await sent(alter(await captured(clientOf(ours))));
    expect([answer.status, answer.errorType]).toEqual([403, errorType]);
  });

  it("refuses wrong secrets, wrong or missing session tokens, and requests of another time", async () => {
    const refusedOf = async (client: omics.OmicsClient) => (await sent(await captured(client))).errorType;
    expect(await refusedOf(clientOf({ ...ours, secretAccessKey: "guess" }))).toBe(
      "InvalidSignatureException",
    );
    expect(await refusedOf(clientOf({ ...session, sessionToken: "other" }))).toBe(
      "InvalidSignatureException",
    );
    const { sessionToken: _, ...plain } = session;
    expect(await refusedOf(clientOf(plain))).toBe("InvalidSignatureException");
    for (const systemClockOffset of [-6 * 60_000, 6 * 60_000])
      expect(await refusedOf(clientOf(ours, { systemClockOffset }))).toBe("InvalidSignatureException");
  });

  it("refuses signatures that do not cover the host or the date", async () => {
    for (const unsigned of [["host"], ["x-amz-date"]]) {
      const request = { method: "GET", host: `127.0.0.1:${server.port}`, path: "/runCache" };
      const headers = signedHeaders(request, { key: ours, unsigned });
      const answer = await server.raw({ method: "GET", path: "/runCache", headers });
      expect(answer.message).toContain("is not signed");
    }
  });
});

function withHeader(request: Captured, name: string, value: string): Captured {
  return { ...request, headers: { ...request.headers, [name]: value } };
}

function without(request: Captured, name: string): Captured {
  const { [name]: _, ...headers } = request.headers;
  return { ...request, headers };
}

function altered(request: Captured, from: RegExp, to: string): Captured {
  return withHeader(request, "authorization", (request.headers["authorization"] ?? "").replace(from, to));
}

describe("accounts", () => {
  let server: TestServer;
  const answers: RawResponse[] = [];
  beforeAll(async () => {
    server = await openServer({ keys, files: "none", env: { AWS_SECRET_ACCESS_KEY: "environment-secret" } });
  });
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  async function send(key: TestKey, method: string, path: string, body?: object): Promise<RawResponse> {
    const [plain = "", query] = path.split("?");
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const unsigned = { method, host: `127.0.0.1:${server.port}`, path: plain, ...text };
    const headers = signedHeaders(query === undefined ? unsigned : { ...unsigned, query }, { key });
    const answer = await server.raw({ method, path, headers, ...text });
    answers.push(answer);
    return answer;
  }

  async function make(path: string, body: object): Promise<string> {
    const answer = await send(ours, "POST", path, { ...body, requestId: uniqueId() });
    expect(answer.status, answer.text).toBe(201);
    return String(answer.body["id"]);
  }

  it("see nothing of each other, whatever the operation", async () => {
    const definitionZip = zipOf({ "main.wdl": wdl("echo ~{name}") }).toString("base64");
    const workflowId = await make("/workflow", { definitionZip });
    await make(`/workflow/${workflowId}/version`, { definitionZip, versionName: "v" });
    const cache = await make("/runCache", { cacheS3Location: "s3://a-bucket/of-ours" }).catch(
      () => undefined,
    );
    const group = await make("/runGroup", { name: "g" });
    await make("/configuration", { name: "conf", runConfigurations: {} });
    const names: Readonly<Record<string, string>> = {
      ...{ id: group, workflowId, versionName: "v", name: "conf", batchId: group, taskId: "1" },
      resourceArn: encodeURIComponent(`arn:aws:omics:${region}:111111111111:runGroup/${group}`),
    };
    const bodies: Readonly<Record<string, object>> = {
      CreateWorkflowVersion: { definitionZip, versionName: "w", requestId: uniqueId() },
      TagResource: { tags: { a: "b" } },
      CancelRunBatch: { batchId: group },
      DeleteRunBatch: { batchId: group },
    };
    let tried = 0;
    for (const [name, operation] of Object.entries(operations)) {
      const inBody = name === "CancelRunBatch" || name === "DeleteRunBatch";
      if (Object.keys(operation.labels).length === 0 && !inBody) continue;
      // The id of something that exists, and of the right kind where the path says so.
      const own = operation.path.startsWith("/workflow/{id}") ? { ...names, id: workflowId } : names;
      const path = operation.path.replace(/\{(\w+)\}/g, (_, label: string) => own[label] ?? "1");
      const query = name === "UntagResource" ? "?tagKeys=a" : "";
      const body =
        operation.method === "POST" && operation.body !== undefined ? (bodies[name] ?? {}) : undefined;
      const answer = await send(theirs, operation.method, path + query, body);
      expect([name, answer.status, answer.errorType]).toEqual([name, 404, "ResourceNotFoundException"]);
      tried++;
    }
    expect(tried).toBeGreaterThanOrEqual(26);
    for (const list of ["/runCache", "/run", "/workflow", "/runGroup", "/runBatch", "/configuration"])
      expect((await send(theirs, "GET", list)).body["items"]).toEqual([]);
    const start = { workflowId, roleArn, outputUri: "s3://b-bucket/o", requestId: uniqueId() };
    expect((await send(theirs, "POST", "/run", start)).errorType).toBe("ResourceNotFoundException");
    expect((await send(ours, "GET", `/runGroup/${group}`)).status).toBe(200);
    expect((await send(ours, "GET", `/workflow/${workflowId}`)).status).toBe(200);
    expect(cache === undefined || (await send(theirs, "GET", `/runCache/${cache}/size`)).status === 404).toBe(
      true,
    );
    for (const extra of ["events", "task/1/explain"])
      expect((await send(theirs, "GET", `/run/${group}/${extra}`)).status).toBe(404);
  });

  it.each([
    "file:///etc",
    "file:///tmp/../etc",
    "file:///tmp/%2e%2e/etc",
    "file://localhost/etc",
    "file:etc",
    "/etc",
    "http://127.0.0.1/x",
  ])("may not write results to %s where the operator allowed no folder", async (place) => {
    const cache = { cacheS3Location: place, requestId: uniqueId() };
    expect((await send(ours, "POST", "/runCache", cache)).errorType).toBe("ValidationException");
    const definitionZip = zipOf({ "main.wdl": wdl("echo ~{name}") }).toString("base64");
    const workflowId = await make("/workflow", { definitionZip });
    const run = { workflowId, roleArn, outputUri: place, parameters: { name: "x" }, requestId: uniqueId() };
    expect((await send(ours, "POST", "/run", run)).errorType).toBe("ValidationException");
    const uri = { definitionUri: `${place}/w.zip`, requestId: uniqueId() };
    const answer = await send(ours, "POST", "/workflow", uri);
    const made = answer.status === 201 ? await send(ours, "GET", `/workflow/${answer.body["id"]}`) : answer;
    expect(made.body["status"] ?? made.errorType).toMatch(/^(FAILED|ValidationException)$/);
  });

  it.each([
    "/etc/passwd",
    "file:///etc/passwd",
    "../../../../../ledger.db",
    "http://127.0.0.1:1/x",
    "~root/x",
  ])("may not make a run read %s", async (place) => {
    const definitionZip = zipOf({ "main.wdl": wdl("cat ~{name}", "File name") }).toString("base64");
    const workflowId = await make("/workflow", { definitionZip });
    const run = { workflowId, roleArn, outputUri: "s3://b-bucket/o", parameters: { name: place } };
    const answer = await send(ours, "POST", "/run", { ...run, requestId: uniqueId() });
    expect([answer.errorType, answer.message]).toEqual([
      "ValidationException",
      expect.stringContaining("s3:// locations"),
    ]);
  });

  it("find no secrets in answers, in the ledger, or in what the server reports about requests", () => {
    const reported = JSON.stringify([answers, server.requests, server.bugs]);
    const folder = join(server.folder, "home", "server");
    const kept = readdirSync(folder)
      .filter((name) => name.startsWith("ledger"))
      .map((name) => readFileSync(join(folder, name), "latin1"));
    expect(kept.length).toBeGreaterThan(0);
    expect(answers.length).toBeGreaterThan(40);
    for (const { secretAccessKey, sessionToken = "a/long+token==" } of keys)
      for (const text of [reported, ...kept]) {
        expect(text.includes(secretAccessKey)).toBe(false);
        expect(text.includes(sessionToken)).toBe(false);
      }
  });
});

describe("hostile requests", () => {
  let server: TestServer;
  /** Waits for the rest of a request for so short a time that a busy machine may miss it. */
  let hasty: TestServer;
  beforeAll(async () => {
    server = await openServer({ env: { AWS_SECRET_ACCESS_KEY: "environment-secret" } });
    hasty = await openServer({ requestTimeoutMs: 3_000 });
  });
  afterAll(async () => {
    await Promise.all([server.close(), hasty.close()]);
    expect([...server.bugs, ...hasty.bugs]).toEqual([]);
  });

  const post = (path: string, body: string) => server.raw({ method: "POST", path, body });
  const stillThere = async (one = server) =>
    expect((await one.raw({ method: "GET", path: "/runCache" })).status).toBe(200);

  async function definition(zip: Buffer): Promise<string> {
    const body = { definitionZip: zip.toString("base64"), requestId: uniqueId() };
    const answer = await post("/workflow", JSON.stringify(body));
    if (answer.status !== 201) return answer.message ?? "";
    const made = await server.raw({ method: "GET", path: `/workflow/${answer.body["id"]}` });
    expect(made.body["status"]).toBe("FAILED");
    return String(made.body["statusMessage"]);
  }

  it("bundles may not leave their folder, be links, lie about their size, or be bombs", async () => {
    const good = wdl("echo x");
    const names = ["../evil.wdl", "a/../../evil.wdl", "/tmp/memoir-evil.wdl", "..\\evil.wdl", "a\0.wdl"];
    for (const name of names)
      expect(await definition(zipOf({ "main.wdl": good, [name]: good })), JSON.stringify(name)).not.toBe("");
    expect(existsSync("/tmp/memoir-evil.wdl")).toBe(false);
    expect(existsSync(join(server.folder, "home", "server", "evil.wdl"))).toBe(false);
    expect(existsSync(join(server.folder, "home", "server", "definitions", "evil.wdl"))).toBe(false);
    expect(await definition(linkTo("/etc/passwd"))).toMatch(/link/);
    expect(await definition(lyingZip())).not.toBe("");
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`${n}.wdl`, ""]));
    expect(await definition(zipOf(many))).toMatch(/10,?000/);
    for (const broken of ["", "PK", "not a zip at all"])
      expect(await definition(Buffer.from(broken))).not.toBe("");
    await stillThere();
  });

  it("documents of a bundle may not import what is outside it", async () => {
    for (const target of ["../../../../../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd"]) {
      const text = `version 1.1\nimport "${target}" as x\n${wdl("echo x").slice(12)}`;
      expect(await definition(zipOf({ "main.wdl": text })), target).not.toContain("root:");
    }
  });

  it("names and ids in paths are checked before anything is looked up", async () => {
    for (const path of [
      "/configuration/..%2F..%2Fetc",
      "/run/..%2f..",
      "/workflow/1/version/..%2F..",
      "/run/%00",
    ])
      expect((await server.raw({ method: "GET", path })).errorType, path).toBe("ValidationException");
    expect((await server.raw({ method: "GET", path: "/run/%zz" })).status).toBe(404);
    expect((await server.raw({ method: "GET", path: "/../../etc/passwd" })).status).toBe(404);
  });

  it("deep, huge, malformed and poisoned JSON is refused in JSON", async () => {
    const deep = "[".repeat(1_000_000);
    const bodies: readonly string[] = [
      ...[
        deep,
        `{"parameters":${deep}`,
        `{"a":`,
        "[]",
        "null",
        '"x"',
        "NaN",
        "{'a':1}",
        '{"requestId":1}',
        "\ud800",
      ],
      `{"name":"x","requestId":"r","tags":${JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, 1])))}}`,
      `{"requestId":"r","name":"${"x".repeat(5_000_000)}"}`,
    ];
    for (const body of bodies) {
      const answer = await post("/runGroup", body);
      expect([answer.status, answer.errorType]).toEqual([400, "ValidationException"]);
      expect(answer.text.length).toBeLessThan(10_000);
    }
    const poisoned =
      '{"requestId":"p","name":"n","tags":{"__proto__":"x","constructor":"y"},"__proto__":{"maxRuns":1}}';
    expect((await post("/runGroup", poisoned)).status).toBe(201);
    expect(({} as Record<string, unknown>)["maxRuns"]).toBeUndefined();
    expect((await server.raw({ method: "POST", path: "/runGroup", body: "\xff\xfe" })).status).toBe(400);
    await stillThere();
  });

  it("requests that could be read in two ways, lie about their length, or flood are refused, and never hang", async () => {
    const head = "POST /runGroup HTTP/1.1\r\nhost: localhost\r\n";
    const body = '{"name":"smuggled","requestId":"s"}';
    const length = `content-length: ${body.length}\r\n`;
    const requests: Readonly<Record<string, string>> = {
      "two lengths": `${head}${length}content-length: 3\r\n\r\n${body}`,
      "a length list": `${head}content-length: 3, ${body.length}\r\n\r\n${body}`,
      "length and chunks": `${head}${length}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      "an unknown coding": `${head}transfer-encoding: xchunked\r\n\r\n${body}`,
      "chunks twice": `${head}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      "a bad chunk": `${head}transfer-encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
      "a negative length": `${head}content-length: -1\r\n\r\n`,
      "a folded header": `${head}x-a: 1\r\n\tb\r\n${length}: x\r\n\r\n${body}`,
      "no host": `POST /runGroup HTTP/1.1\r\n${length}\r\n${body}`,
      "large headers": `${head}x-a: ${"a".repeat(60_000)}\r\n\r\n`,
      "many headers": `${head}${Array.from({ length: 5_000 }, (_, n) => `x-${n}: aaaaaaa\r\n`).join("")}\r\n`,
      "a huge length": `${head}content-length: 99999999999\r\n\r\n`,
      "a length that never comes": `${head}content-length: 1000\r\n\r\n{`,
      "headers that never end": "POST /runGroup HTTP/1.1\r\nhost: localhost\r\nx-a: ",
      "a null byte": `${head}x-a: \0\r\n\r\n`,
    };
    const ends = await Promise.all(
      Object.entries(requests).map(
        async ([name, text]) => [name, await rawConversation(hasty.port, text)] as const,
      ),
    );
    for (const [name, answer] of ends) expect(answer, name).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
    expect((await hasty.raw({ method: "GET", path: "/runGroup?name=smuggled" })).body["items"]).toEqual([]);
    // What follows a request of the right length is a separate request, never part of the first.
    const two = await rawConversation(hasty.port, `${head}${length}\r\n${body}GARBAGE\r\n\r\n`);
    expect(two).toContain("HTTP/1.1 400 ");
    await stillThere(hasty);
  });

  it("many slow connections do not keep others out", async () => {
    const slow = Array.from({ length: 200 }, () => {
      const socket = connect(hasty.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write("POST /run HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{");
      return new Promise((resolve) => socket.on("close", resolve).resume());
    });
    await stillThere(hasty);
    await Promise.all(slow);
    await stillThere(hasty);
  });

  it("web pages of other origins may not use a server that checks nobody", async () => {
    const body = JSON.stringify({ name: "csrf", requestId: "csrf" });
    const from = (headers: Readonly<Record<string, string>>) =>
      server.raw({
        method: "POST",
        path: "/runGroup",
        headers: { "content-type": "text/plain", ...headers },
        body,
      });
    expect((await from({ origin: "https://evil.example.com" })).errorType).toBe("AccessDeniedException");
    expect((await from({ origin: "null" })).errorType).toBe("AccessDeniedException");
    expect((await from({ host: "evil.example.com" })).errorType).toBe("AccessDeniedException");
    const preflight = await server.raw({
      method: "OPTIONS",
      path: "/run",
      headers: { origin: "https://e.example.com" },
    });
    expect(preflight.headers["access-control-allow-origin"]).toBeUndefined();
    expect((await from({ host: `workflows-127.0.0.1:${server.port}` })).status).toBe(201);
  });

  it("tasks do not see the server's credentials", async () => {
    const definitionZip = zipOf({ "main.wdl": wdl("env; echo ~{name}") }).toString("base64");
    const made = await post("/workflow", JSON.stringify({ definitionZip, requestId: uniqueId() }));
    const outputUri = `file://${server.folder}/env`;
    const run = {
      workflowId: made.body["id"],
      roleArn,
      outputUri,
      parameters: { name: "end" },
      requestId: "env",
    };
    const { id } = (await post("/run", JSON.stringify(run))).body;
    await expect
      .poll(async () => (await server.raw({ method: "GET", path: `/run/${id}` })).body["status"])
      .toBe("COMPLETED");
    const outputs = readFileSync(join(server.folder, "env", String(id), "logs", "outputs.json"), "utf8");
    expect(outputs).toContain("end");
    expect(outputs).not.toContain("environment-secret");
  });
});

describe("the command", () => {
  it("does not listen to other machines without access keys", async () => {
    const sandbox = await Sandbox.create();
    try {
      const { code, err } = await sandbox.run("server", "--host", "0.0.0.0", "--port", "0", "--for", "1");
      expect([code, err]).toEqual([2, expect.stringContaining("SERVER_KEYS_MISSING")]);
    } finally {
      sandbox.remove();
    }
  });
});

/** Everything the server says until it closes the connection. */
function rawConversation(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

/** A member whose mode says that it is a symbolic link. */
function linkTo(target: string): Buffer {
  const zip = zipOf({ "main.wdl": target });
  const at = zip.indexOf(Buffer.from("PK\x01\x02", "latin1"));
  zip[at + 5] = 3;
  zip.writeUInt32LE(0o120777 * 0x10000, at + 38);
  return zip;
}

/** 64 MiB of zeros that say they are ten bytes. */
function lyingZip(): Buffer {
  const packed = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
  const name = Buffer.from("main.wdl");
  const fixed = Buffer.alloc(26);
  fixed.writeUInt16LE(20, 0);
  fixed.writeUInt16LE(8, 4);
  fixed.writeUInt32LE(packed.length, 14);
  fixed.writeUInt32LE(10, 18);
  fixed.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), fixed, name, packed]);
  const central = Buffer.concat([
    ...[Buffer.from("PK\x01\x02", "latin1"), Buffer.from([20, 0]), fixed, Buffer.alloc(14), name],
  ]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06", "latin1"), end]);
}
