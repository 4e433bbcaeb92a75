import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sha256 } from "../hash/index.ts";
import { createRouter, type Listening, listen, type ServerKey } from "../http/index.ts";
import { freshAsk } from "../kernel/index.ts";
import {
  createEmbeddedTier,
  createRemoteTier,
  guardTier,
  type PredictionTier,
} from "../store/predictions/index.ts";
import {
  collect,
  manyRows,
  predictionTierContract,
  scopeOf,
  sortedRows,
} from "../store/predictions/tier-contract.ts";
import { createJobs } from "./create-jobs.ts";

const ask = freshAsk();
const key: ServerKey = {
  ...{ accessKeyId: "AKIDWRITER", secretAccessKey: "secret", account: "111111111111" },
  ...{ token: "t".repeat(40), predictions: "write" },
};

interface TestServer {
  readonly url: string;
  readonly tier: PredictionTier;
  close(): Promise<void>;
}

async function startServer(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "memoir-remote-"));
  const tier = guardTier(createEmbeddedTier({ folder: join(folder, "rows") }), { use: "required" });
  const jobs = createJobs({
    served: { tier, models: async () => [], jobsFolder: join(folder, "jobs") },
    ...{ keys: [key], openAccount: "000000000000", region: "us-east-1", now: () => new Date() },
  });
  const listening: Listening = await listen(
    createRouter([jobs], () => {}),
    { host: "127.0.0.1", port: 0 },
  );
  return {
    url: `http://127.0.0.1:${listening.port}`,
    tier,
    close: async () => {
      await listening.close();
      await jobs.close();
      await tier.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

for (const [how, access] of [
  ["a token", { token: key.token ?? "" }],
  ["signed requests", { sign: "us-east-1", credentials: key }],
] as const)
  predictionTierContract({
    name: `another Memoir's API with ${how}`,
    make: async () => {
      const server = await startServer();
      return {
        connect: () => createRemoteTier({ url: server.url, ...access }),
        persistent: true,
        dispose: () => server.close(),
      };
    },
  });

async function listening(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("another Memoir's API", () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it("refuses a wrong token and a wrong signature", async () => {
    const { url, close } = await startServer();
    closing.push(close);
    for (const access of [
      { token: "x".repeat(40) },
      {},
      { sign: "us-east-1", credentials: { ...key, secretAccessKey: "wrong" } },
    ])
      await expect(createRemoteTier({ url, ...access }).open(ask)).rejects.toMatchObject({
        code: "STORE_CREDENTIALS_REFUSED",
      });
  });

  it("is asked again when an answer is lost or the server is busy, and nothing is lost or doubled", async () => {
    const server = await startServer();
    closing.push(server.close);
    const proxy = await unreliable(server.url);
    closing.push(proxy.close);
    const tier = createRemoteTier({ url: proxy.url, token: key.token ?? "" });
    const rows = manyRows(2500);
    expect(await tier.putMany(scopeOf(), rows, ask)).toMatchObject({ stored: expect.any(Number) });
    expect(await server.tier.count(scopeOf(), ask)).toBe(2500);
    const inputs = rows.map(({ input }) => input);
    const answers = await tier.getMany(scopeOf(), inputs, ask);
    expect(answers.map((row) => row?.input)).toEqual(inputs);
    expect(sortedRows(await collect(tier, scopeOf(), ask))).toEqual(sortedRows(rows));
    expect(proxy.faults()).toBeGreaterThan(2);
  });

  it("is asked again when it says nothing within the deadline of a request, and the answer counts once", async () => {
    const scope = scopeOf();
    let silent = 2;
    const server = createServer((request, response) => {
      if (request.url?.endsWith("/lookups") !== true) return void response.end("{}");
      if (silent-- > 0) return;
      request.resume().on("end", () => {
        const inputsDigest = sha256(JSON.stringify(["C"]));
        response.end(JSON.stringify({ inputsDigest, found: [], values: scope.columns.map(() => []) }));
      });
    });
    const url = await listening(server);
    const tier = createRemoteTier({ url, answerWithinMs: 3_000 });
    await tier.open(ask);
    expect(await tier.getMany(scope, ["C"], ask)).toEqual([undefined]);
    expect(silent).toBeLessThan(0);
    await tier.close();
    server.closeAllConnections();
    server.close();
  });

  it("is given up at the deadline of its caller, whatever it does: silent, or sending byte by byte", async () => {
    for (const how of ["silent", "slow"] as const) {
      let ended = 0;
      const stop = new AbortController();
      const server = createServer((request, response) => {
        if (request.url?.endsWith("/lookups") !== true) return void response.end("{}");
        const drip = how === "slow" ? setInterval(() => response.write(" "), 20) : undefined;
        // The caller's deadline passes while the answer is awaited.
        request.resume().on("end", () => stop.abort(new Error("the caller's deadline")));
        response.on("close", () => {
          clearInterval(drip);
          ended++;
        });
      });
      const tier = createRemoteTier({ url: await listening(server) });
      await tier.open(ask);
      const asked = tier.getMany(scopeOf(), ["C"], { signal: stop.signal });
      await expect(asked).rejects.toThrow("interrupted while asking");
      // Nothing stays open behind it.
      await expect.poll(() => ended).toBe(1);
      await tier.close();
      server.close();
    }
  });

  it("is unreachable, and not empty, where nothing listens", async () => {
    const tier = createRemoteTier({ url: "http://127.0.0.1:9", token: "x" });
    await expect(tier.open(ask)).rejects.toMatchObject({ code: "STORE_TIER_UNREACHABLE" });
  });

  it("is not believed when it answers another question", async () => {
    const liar = createServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ rows: [{ status: "stored", input: "CCC", values: [1, 1, "x"] }] }));
    });
    await new Promise<void>((done) => liar.listen(0, "127.0.0.1", done));
    closing.push(async () => {
      liar.closeAllConnections();
      await new Promise<void>((done) => liar.close(() => done()));
    });
    const url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
    await expect(createRemoteTier({ url }).getMany(scopeOf(), ["CCO"], ask)).rejects.toMatchObject({
      code: "STORE_API_REFUSED",
    });
  });
});

/** In turn: forwards, forwards and loses the answer, says that it is busy. */
async function unreliable(target: string) {
  let turn = 0;
  let faults = 0;
  const proxy = createServer((incoming, outgoing) => {
    const fault = turn++ % 3;
    if (fault === 2) {
      faults++;
      incoming.resume();
      incoming.on("end", () => outgoing.writeHead(503).end());
      return;
    }
    const { method = "GET", url = "/", headers } = incoming;
    const sent = httpRequest(target + url, { method, headers }, (answer) => {
      if (fault === 1) {
        faults++;
        answer.resume();
        answer.on("end", () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(sent);
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    faults: () => faults,
    close: async () => {
      proxy.closeAllConnections();
      await new Promise<void>((done) => proxy.close(() => done()));
    },
  };
}
