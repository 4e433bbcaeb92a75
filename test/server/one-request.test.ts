/**
 * One request never holds or kills the server, whatever it says: it is refused at a glance, others are answered
 * meanwhile, and memory stays bounded. What counts is the processor time that the server's main thread spends in one
 * turn of its event loop.
 */
import { writeFile } from "node:fs/promises";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Operation, type OperationName, operations, type Shape } from "../../src/protocol/index.ts";
import { describeWith } from "../servers/requirement.ts";
import { uniqueId } from "./harness.ts";
import { type Answered, threadTimes, type Watched, WatchedServer } from "./watched-server.ts";
import { zipOf } from "./zip.ts";

/** A turn that costs more than this is a stall. Turns cost a third of it at most on a quiet machine. */
const longestTurnMs = 1000;
const mib = 1024 * 1024;
const roleArn = "arn:aws:iam::000000000000:role/r";
const wdl =
  "version 1.1\nworkflow w {\n  input {\n    Int n = 1\n  }\n  output {\n    Int m = n + 1\n  }\n}\n";

let server: WatchedServer;

/** Sends it under watch; the loop never stalled, and somebody else was answered meanwhile. */
async function unharmed(
  what: string,
  send: () => Promise<Answered>,
): Promise<Watched & { readonly answer: Answered; readonly others: number }> {
  let done = false;
  const { result, ...watched } = await server.watch(async () => {
    const answer = send().finally(() => {
      done = true;
    });
    let others = 0;
    do {
      expect((await server.send("GET", "/runCache?maxResults=1")).status).toBe(200);
      others++;
    } while (!done);
    return { answer: await answer, others };
  });
  if (process.env["SHOW_TURNS"] !== undefined)
    process.stderr.write(
      `${what}: ${result.answer.status} ${result.answer.text.slice(0, 90)} longest ${watched.longestMs.toFixed(0)} ms, others ${result.others}, ${Math.round(watched.peakRssBytes / mib)} MiB\n`,
    );
  expect(watched.longestMs, what).toBeLessThan(longestTurnMs);
  return { ...watched, ...result };
}

/** Values that are wrong and as large as they can be sent. */
function monsters(shape: Shape, bytes: number): readonly string[] {
  const text = JSON.stringify("a".repeat(bytes));
  const wide = JSON.stringify("\u{1F9EC}".repeat(bytes / 4));
  const many = Math.floor(bytes / 12);
  const list = `[${Array(many).fill('"aaaaaaaaa"').join(",")}]`;
  const map = `{${Array.from({ length: Math.floor(bytes / 16) }, (_, n) => `"k${String(n).padStart(9, "0")}":1`).join(",")}}`;
  const empties = `[${Array(Math.floor(bytes / 3))
    .fill("[]")
    .join(",")}]`;
  const deep = "[".repeat(bytes);
  switch (shape.kind) {
    case "string":
      return [text, wide, list, map, deep];
    case "integer":
    case "boolean":
      return [text, list, "9".repeat(bytes)];
    case "list":
      return [text, list, empties];
    case "map":
      return [text, map, deep];
    default:
      return [text, list, map, empties, deep];
  }
}

describeWith([threadTimes], "one request", () => {
  beforeAll(async () => {
    server = await WatchedServer.start();
    const warm = {
      method: "POST",
      path: "/runGroup",
      body: JSON.stringify({ name: "g", requestId: "warm" }),
    };
    expect((await server.send(warm.method, warm.path, warm.body)).status).toBe(201);
    const zip = zipOf({ "main.wdl": wdl }).toString("base64");
    const made = await server.send(
      "POST",
      "/workflow",
      JSON.stringify({ definitionZip: zip, requestId: "w" }),
    );
    expect(made.status).toBe(201);
  });
  afterAll(async () => {
    expect(server.isAlive).toBe(true);
    await server.close();
  });

  it("with a name of 1, 40 or 100 MiB is answered 400", async () => {
    for (const size of [0.9, 40, 100]) {
      const body = `{"requestId":"x","name":"${"a".repeat(size * mib)}"}`;
      const { answer } = await unharmed(`a name of ${size} MiB`, () =>
        server.send("POST", "/runGroup", body),
      );
      expect([answer.status, answer.type]).toEqual([400, "ValidationException"]);
      expect(answer.text).toMatch(size < 1 ? /'name'.*less than or equal to 128/ : /larger than/);
    }
  });

  it("with a body of unknown length that never ends is answered 400", async () => {
    async function* endless() {
      yield Buffer.from('{"requestId":"x","name":"');
      for (let n = 0; n < 64; n++) yield Buffer.alloc(mib, "a");
    }
    const { answer } = await unharmed("chunks", () => server.send("POST", "/runGroup", endless()));
    expect([answer.status, answer.type]).toEqual([400, "ValidationException"]);
  });

  it("with any member as large as it can be sent is answered 400", async () => {
    for (const [name, operation] of Object.entries(operations) as [OperationName, Operation][]) {
      const path = operation.path.replace(/\{(\w+)\}/g, "1");
      const members = Object.entries(operation.body?.members ?? {});
      // Members of one shape are checked by the same code.
      const seen = new Set<unknown>();
      for (const [member, { shape }] of members) {
        if (seen.has(shape) || shape.kind === "blob") continue;
        seen.add(shape);
        for (const value of monsters(shape, 0.2 * mib)) {
          const body = `{"requestId":"x","${member}":${value}}`;
          const { status } = await server.send(operation.method, path, body);
          expect([400, 404], `${name} ${member} ${value.slice(0, 20)}`).toContain(status);
        }
      }
    }
    for (const name of ["CreateRunGroup", "CreateWorkflow", "StartRunBatch"] as const) {
      const operation: Operation = operations[name];
      const [member] =
        Object.entries(operation.body?.members ?? {}).find(([, { shape }]) => shape.kind !== "blob") ?? [];
      if (member === undefined) continue;
      const path = operation.path.replace(/\{(\w+)\}/g, "1");
      for (const value of monsters({ kind: "document", maxBytes: 0 }, 8 * mib))
        await unharmed(`${name} ${member} ${value.slice(0, 8)}`, () =>
          server.send(operation.method, path, `{"requestId":"x","${member}":${value}}`),
        );
    }
  });

  it("with a definition of 100 MiB that is not a zip, not base64, or escaped is answered 400", async () => {
    const whole = "QUJD".repeat(33 * mib);
    const definitions: Readonly<Record<string, string>> = {
      "no zip": whole,
      "no base64 at its end": `${whole.slice(0, -4)}Q*==`,
      "no base64 at its start": `*${whole.slice(1)}`,
      "more than 100 MiB": whole + "QUJD".repeat(mib),
      "escaped quotes": '\\"'.repeat(60 * mib),
      backslashes: "\\\\".repeat(60 * mib),
    };
    for (const [what, text] of Object.entries(definitions)) {
      const body = `{"requestId":"${uniqueId()}","definitionZip":"${text}"}`;
      const { answer, others } = await unharmed(what, () => server.send("POST", "/workflow", body));
      expect([201, 400], what).toContain(answer.status);
      expect(others).toBeGreaterThan(0);
    }
  });

  it("several of them at once leave memory bounded, and others are answered", async () => {
    const body = Buffer.from(`{"requestId":"z","definitionZip":"${"QUJD".repeat(33 * mib)}"}`);
    const { peakRssBytes } = await unharmed("eight at once", async () => {
      // As clients do, what a busy machine could not take within the request's time is sent again.
      const sent = async () => {
        for (;;) {
          const answer = await server.send("POST", "/workflow", body);
          if (answer.status !== 408 && answer.status !== 429) return answer;
        }
      };
      const answers = await Promise.all(Array.from({ length: 8 }, sent));
      const statuses = new Set(answers.map(({ status }) => status));
      for (const status of statuses) expect(status).toBe(201);
      return answers[0] as Answered;
    });
    expect(peakRssBytes).toBeLessThan(1024 * mib);
  });

  it("with a zip of many entries, deep folders or a bomb is refused", async () => {
    const zips: Readonly<Record<string, Buffer>> = {
      "200,000 entries": directoryOf(200_000, (n) => `${n}.wdl`),
      "65,535 deep folders": directoryOf(65_535, (n) => `${`${n}/`.repeat(60)}x.wdl`),
      "200,000 folders": directoryOf(200_000, (n) => `d${n}/`),
      "a bomb": bomb("main.wdl", 900 * mib),
      "a zip of zips": bomb("inner.zip", 300 * mib),
    };
    for (const [what, zip] of Object.entries(zips)) {
      const body = `{"requestId":"${uniqueId()}","definitionZip":"${zip.toString("base64")}"}`;
      const { answer } = await unharmed(what, () => server.send("POST", "/workflow", body));
      expect(answer.status, answer.text).toBe(201);
      const { id } = JSON.parse(answer.text) as { id: string };
      const made = JSON.parse((await server.send("GET", `/workflow/${id}`)).text) as Record<string, string>;
      expect(made["status"], what).toBe("FAILED");
      expect(made["statusMessage"], what).toMatch(/entries|times its size|leads outside/);
    }
  });

  it("with documents that nobody could read is refused", async () => {
    const calls = (count: number) => Array.from({ length: count }, (_, n) => `  Int x${n} = ${n}\n`).join("");
    const documents: Readonly<Record<string, string>> = {
      "a long document": `version 1.1\nworkflow w {\n${calls(200_000)}}\n`,
      "a deep document": `version 1.1\nworkflow w {\n  Int x = ${"(".repeat(400_000)}1${")".repeat(400_000)}\n}\n`,
      "a long text": `version 1.1\nworkflow w {\n  String x = "${"a".repeat(12 * mib)}"\n}\n`,
    };
    for (const [what, text] of Object.entries(documents)) {
      const zip = zipOf({ "main.wdl": text }).toString("base64");
      const body = `{"requestId":"${uniqueId()}","definitionZip":"${zip}"}`;
      const { answer } = await unharmed(what, () => server.send("POST", "/workflow", body));
      expect(answer.status, answer.text).toBe(201);
    }
  });

  it("with documents just below the limits is answered, and so are their runs", async () => {
    for (const [what, [name, text]] of Object.entries(largeDocuments())) {
      const zip = zipOf({ [name]: text }).toString("base64");
      const body = `{"requestId":"${uniqueId()}","definitionZip":"${zip}"}`;
      const { answer } = await unharmed(what, () => server.send("POST", "/workflow", body));
      expect(answer.status, answer.text).toBe(201);
      const { id } = JSON.parse(answer.text) as { id: string };
      const made = await unharmed(`${what}: read`, () => server.send("GET", `/workflow/${id}`));
      expect(JSON.parse(made.answer.text)).toMatchObject({ status: "ACTIVE" });
      const ended = await unharmed(`${what}: run`, () => runToEnd(id));
      expect(ended.answer.status, ended.answer.text).toBe(200);
    }
  });

  it("with a YAML document beyond its limit is refused with the reason", async () => {
    const [name, text] = largeDocuments()["a CWL document of inputs"] ?? ["", ""];
    const zip = zipOf({ [name]: `${text} last: int?\n` }).toString("base64");
    const body = `{"requestId":"${uniqueId()}","definitionZip":"${zip}"}`;
    const { answer } = await unharmed("too much YAML", () => server.send("POST", "/workflow", body));
    const { id } = JSON.parse(answer.text) as { id: string };
    const made = JSON.parse((await server.send("GET", `/workflow/${id}`)).text) as Record<string, string>;
    expect(made).toMatchObject({
      status: "FAILED",
      statusMessage: expect.stringMatching(/YAML has at most/),
    });
  });

  it("whose values or scatters would be too large is a run that fails and names the limit", async () => {
    const all = "range(200000)";
    const bodies: Readonly<Record<string, readonly [text: string, limit: RegExp]>> = {
      "a scatter without end": ["scatter (i in range(1000000000)) {\nInt x = i\n}", /the limit is 250000/],
      "a long range": ["Array[Int] a = range(9000000)", /the limit is 250000/],
      "a product": [`Array[Pair[Int, Int]] a = cross(${all}, ${all})`, /the limit is 250000/],
      "a flattened one": [`Array[Int] a = flatten([${Array(50).fill(all).join()}])`, /the limit is/],
      "one array many times": [
        `Array[Int] a = ${all}\nArray[Array[Float]] b = [${Array(1000).fill("a").join()}]`,
        /items in all, the limit is 500000/,
      ],
      "pairs of pairs": [`Pair[Int, Int] p0 = (1, 1)\n${doubled(9)}`, /items in all, the limit is 500000/],
      "arrays in a scatter": [
        `scatter (i in range(1000)) {\nArray[Int] a = ${all}\n}`,
        /more than 5000000 items/,
      ],
      "a long text": [
        `String s0 = "aaaaaaaaaaaaaaaa"\n${Array.from({ length: 40 }, (_, n) => `String s${n + 1} = s${n} + s${n}`).join("\n")}`,
        /characters, the limit is/,
      ],
    };
    for (const [what, [text, limit]] of Object.entries(bodies)) {
      const document = `version 1.1\nworkflow w {\n${text}\n}\n`;
      const zip = zipOf({ "main.wdl": document }).toString("base64");
      const body = `{"requestId":"${uniqueId()}","definitionZip":"${zip}"}`;
      const made = await server.send("POST", "/workflow", body);
      const { id } = JSON.parse(made.text) as { id: string };
      const { answer } = await unharmed(what, () => runToEnd(id));
      expect(JSON.parse(answer.text), what).toMatchObject({
        status: "FAILED",
        statusMessage: expect.stringMatching(limit),
      });
    }
  });

  it("of logs with patterns and names of any length is answered 400", async () => {
    const group = { logGroupName: "/aws/omics/WorkflowLog" };
    const long = "a".repeat(0.9 * mib);
    const bodies: readonly Readonly<Record<string, unknown>>[] = [
      { ...group, filterPattern: `"${'\\"'.repeat(0.3 * mib)}` },
      { ...group, filterPattern: `${'"a '.repeat(0.2 * mib)}` },
      { ...group, filterPattern: `{ $.${"a.".repeat(0.3 * mib)}a = "x" }` },
      { ...group, logStreamNames: Array(100).fill(long.slice(0, 9_000)) },
      { ...group, logStreamNamePrefix: long },
      { ...group, nextToken: long },
      { logGroupName: long },
      { logGroupName: `arn:aws:logs:${":log-group:/aws/omics/WorkflowLog".repeat(20_000)}x` },
    ];
    for (const body of bodies)
      for (const operation of ["FilterLogEvents", "GetLogEvents", "DescribeLogStreams"]) {
        const headers = { "x-amz-target": `Logs_20140328.${operation}` };
        const text = JSON.stringify(body);
        const { answer } = await unharmed(`${operation} ${text.slice(0, 60)}`, () =>
          server.send("POST", "/", text, headers),
        );
        expect([200, 400]).toContain(answer.status);
      }
  });

  it("with a batch of 100,000 runs is answered, and so is everybody else", async () => {
    const made = await server.send("GET", "/workflow?maxResults=1");
    const [first] = (JSON.parse(made.text) as { items: readonly { id: string }[] }).items;
    const settings = Array.from({ length: 100_000 }, (_, n) => ({
      runSettingId: `r${n}`,
      parameters: { n },
    }));
    const file = server.sandbox.path("settings.json");
    await writeFile(file, JSON.stringify(settings));
    const group = await server.send("POST", "/runGroup", JSON.stringify({ maxRuns: 1, requestId: "b" }));
    const runGroupId = (JSON.parse(group.text) as { id: string }).id;
    const body = JSON.stringify({
      requestId: "batch",
      defaultRunSetting: {
        ...{ workflowId: first?.id, roleArn, runGroupId },
        outputUri: `file://${server.sandbox.path("out")}`,
      },
      batchRunSettings: { s3UriSettings: `file://${file}` },
    });
    const { answer } = await unharmed("a batch", () => server.send("POST", "/runBatch", body));
    expect(answer.status, answer.text).toBe(201);
    const batchId = (JSON.parse(answer.text) as { id: string }).id;
    const got = await unharmed("its counts", () => server.send("GET", `/runBatch/${batchId}`));
    expect(JSON.parse(got.answer.text)).toMatchObject({ totalRuns: 100_000 });
    const cancel = JSON.stringify({ batchId });
    const stopped = await unharmed("its end", () => server.send("POST", "/runBatch/cancel", cancel));
    expect(stopped.answer.status, stopped.answer.text).toBe(202);
    for (const broken of [
      "[".repeat(30 * mib),
      `[${"{},".repeat(5 * mib)}{}]`,
      `[{"runSettingId":"${"a".repeat(30 * mib)}"}]`,
    ]) {
      await writeFile(file, broken);
      const text = body.replace('"batch"', `"${uniqueId()}"`);
      const refused = await unharmed("broken settings", () => server.send("POST", "/runBatch", text));
      expect(refused.answer.status, refused.answer.text).toBe(400);
    }
  });

  it("with a long query is answered", async () => {
    const arn = encodeURIComponent("arn:aws:omics:us-east-1:000000000000:runCache/1");
    const { answer } = await unharmed("a long query", () =>
      server.send("DELETE", `/tags/${arn}?${"tagKeys&".repeat(3_500)}`),
    );
    expect(answer.status).toBe(400);
  });
});

/** Starts a run of the workflow; how it stands when it has ended. */
async function runToEnd(workflowId: string): Promise<Answered> {
  const outputUri = `file://${server.sandbox.path("out")}`;
  const body = { workflowId, roleArn, outputUri, parameters: {}, requestId: uniqueId() };
  const started = await server.send("POST", "/run", JSON.stringify(body));
  if (started.status !== 201) return started;
  const { id } = JSON.parse(started.text) as { id: string };
  for (;;) {
    const answer = await server.send("GET", `/run/${id}`);
    const { status } = JSON.parse(answer.text) as { status: string };
    if (["COMPLETED", "FAILED", "CANCELLED"].includes(status)) return answer;
  }
}

/** Pairs that hold the one before twice, and the last of them a thousand times. */
function doubled(count: number): string {
  const types = ["Pair[Int, Int]"];
  const lines: string[] = [];
  for (let n = 1; n <= count; n++) {
    types.push(`Pair[${types[n - 1]}, ${types[n - 1]}]`);
    lines.push(`${types[n]} p${n} = (p${n - 1}, p${n - 1})`);
  }
  lines.push(`Array[${types[count]}] q = [${Array(1000).fill(`p${count}`).join()}]`);
  return lines.join("\n");
}

/** Documents that are valid, and as dear to read as documents of the largest size can be. */
function largeDocuments(): Readonly<Record<string, readonly [name: string, text: string]>> {
  const filled = (head: string, line: (n: number) => string, tail = "", bytes = mib) => {
    const lines: string[] = [];
    const room = bytes - head.length - tail.length;
    for (let size = 0, n = 0; ; n++) {
      const next = line(n);
      size += next.length;
      if (size > room) return head + lines.join("") + tail;
      lines.push(next);
    }
  };
  const cwl = "cwlVersion: v1.2\nclass: ExpressionTool\nrequirements:\n  InlineJavascriptRequirement: {}\n";
  return {
    "a WDL document of declarations": [
      "main.wdl",
      filled("version 1.1\nworkflow w {\n", (n) => `Int x${n}=${n}\n`, "}\n"),
    ],
    "a WDL document of inputs": [
      "main.wdl",
      filled("version 1.1\nworkflow w {\ninput {\n", (n) => `Int? x${n}\n`, "}\n}\n"),
    ],
    "a WDL document of operators": [
      "main.wdl",
      filled("version 1.1\nworkflow w {\n", (n) => `Int x${n}=1${"+1".repeat(400)}\n`, "}\n"),
    ],
    "a CWL document of inputs": [
      "main.cwl",
      filled(`${cwl}expression: $({})\noutputs: []\ninputs:\n`, (n) => ` i${n}: int?\n`, "", (3 * mib) / 16),
    ],
    "a CWL document of JSON": [
      "main.cwl",
      filled(
        '{"cwlVersion":"v1.2","class":"ExpressionTool","requirements":{"InlineJavascriptRequirement":{}},"expression":"$({})","outputs":[],"inputs":[',
        (n) => `${n === 0 ? "" : ","}{"id":"i${n}","type":"int?"}`,
        "]}",
      ),
    ],
  };
}

/** A zip whose directory names so many entries; none has content. */
function directoryOf(count: number, nameOf: (n: number) => string): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  let size = 0;
  for (let n = 0; n < count; n++) {
    const name = Buffer.from(nameOf(n));
    const local = Buffer.alloc(30);
    local.write("PK\x03\x04", 0, "latin1");
    local.writeUInt16LE(name.length, 26);
    locals.push(local, name);
    const entry = Buffer.alloc(46);
    entry.write("PK\x01\x02", 0, "latin1");
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    central.push(entry, name);
    offset += 30 + name.length;
    size += 46 + name.length;
  }
  return Buffer.concat([...locals, ...central, ...endOf({ count, size, offset })]);
}

/** With as many entries as fit, and as ZIP64 where more were put in. */
function endOf({ count, size, offset }: { count: number; size: number; offset: number }): readonly Buffer[] {
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  const shown = Math.min(count, 0xffff);
  end.writeUInt16LE(shown, 8);
  end.writeUInt16LE(shown, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  if (count < 0xffff) return [end];
  const wide = Buffer.alloc(56);
  wide.write("PK\x06\x06", 0, "latin1");
  wide.writeBigUInt64LE(44n, 4);
  wide.writeBigUInt64LE(BigInt(count), 24);
  wide.writeBigUInt64LE(BigInt(count), 32);
  wide.writeBigUInt64LE(BigInt(size), 40);
  wide.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write("PK\x06\x07", 0, "latin1");
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return [wide, locator, end];
}

function bomb(name: string, bytes: number): Buffer {
  const packed = deflateRawSync(Buffer.alloc(bytes), { level: 1 });
  const names = Buffer.from(name);
  const local = Buffer.alloc(30);
  local.write("PK\x03\x04", 0, "latin1");
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(bytes, 22);
  local.writeUInt16LE(names.length, 26);
  const entry = Buffer.alloc(46);
  entry.write("PK\x01\x02", 0, "latin1");
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(bytes, 24);
  entry.writeUInt16LE(names.length, 28);
  const offset = 30 + names.length + packed.length;
  return Buffer.concat([
    local,
    names,
    packed,
    entry,
    names,
    ...endOf({ count: 1, size: 46 + names.length, offset }),
  ]);
}
