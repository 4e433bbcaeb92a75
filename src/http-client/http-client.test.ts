import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  type AddressInfo,
  createServer as createSocketServer,
  type Socket,
  type Server as SocketServer,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { freshAsk, isAppError } from "../kernel/index.ts";
import { HttpConnections, type HttpRequest, isHttpTrouble, openHttp, readHttp } from "./index.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  closers.push(() => server.closeAllConnections());
  return listening(server);
}

async function listening(server: SocketServer): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const read = async (request: HttpRequest, limitBytes = 1 << 20) => {
  const answer = await readHttp({ ...request, limitBytes }, freshAsk());
  return { ...answer, text: answer.bytes.toString("utf8") };
};

const troubleOf = (work: Promise<unknown>) =>
  work.then(
    () => "answered",
    (error: unknown) => (isHttpTrouble(error) ? error.kind : error),
  );

const bodyOf = async (request: IncomingMessage) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
};

describe("redirects", () => {
  it("are followed as often as is said, and the address that answered is reported", async () => {
    const url = await serve((request, response) => {
      const nth = Number(request.url?.slice(1));
      if (nth > 0) response.writeHead(302, { location: `/${nth - 1}` }).end();
      else response.end("here");
    });
    const answer = await read({ url: `${url}/3`, redirects: 3 });
    expect([answer.text, answer.url]).toEqual(["here", `${url}/0`]);
    expect(await troubleOf(read({ url: `${url}/4`, redirects: 3 }))).toBe("unreachable");
    expect((await read({ url: `${url}/4` })).status).toBe(302);
  });

  it("do not take credentials to another server", async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization, request.headers["x-kept"] as string);
      response.end("other");
    });
    const url = await serve((request, response) => {
      if (request.url === "/same") {
        seen.push(request.headers.authorization);
        response.writeHead(307, { location: other }).end();
      } else response.writeHead(307, { location: "/same" }).end();
    });
    await read({ url, redirects: 5, headers: { Authorization: "secret", "x-kept": "yes" } });
    expect(seen).toEqual(["secret", undefined, "yes"]);
  });

  it("repeat what was sent only where the status asks for it, and only at the same server", async () => {
    const seen: string[] = [];
    const other = await serve((_, response) => response.end("other"));
    const url = await serve(async (request, response) => {
      seen.push(`${request.method} ${request.url} ${await bodyOf(request)}`);
      if (request.url === "/308") response.writeHead(308, { location: "/end" }).end();
      else if (request.url === "/303") response.writeHead(303, { location: "/end" }).end();
      else if (request.url === "/away") response.writeHead(308, { location: other }).end();
      else response.end("ok");
    });
    const post = { method: "POST", body: "token", redirects: 5 } as const;
    expect((await read({ ...post, url: `${url}/308` })).text).toBe("ok");
    expect((await read({ ...post, url: `${url}/303` })).text).toBe("ok");
    expect((await read({ ...post, url: `${url}/away` })).status).toBe(308);
    expect(seen).toEqual([
      "POST /308 token",
      "POST /end token",
      "POST /303 token",
      "GET /end ",
      "POST /away token",
    ]);
  });
});

describe("tries", () => {
  it("repeat a request while the server is busy, and return its last answer", async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.writeHead(asked < 3 ? 503 : 200, { "retry-after": "0" }).end(`answer ${asked}`);
    });
    expect((await read({ url, tries: 3 })).text).toBe("answer 3");
    asked = 0;
    expect(await read({ url, tries: 2 })).toMatchObject({ status: 503, text: "answer 2" });
    asked = 0;
    const reply = await openHttp({ url, tries: 3 }, freshAsk());
    expect(reply.status).toBe(200);
    reply.body.destroy();
  });

  it("repeat a request whose answer breaks off in the middle", async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": "5" });
      if (++asked > 1) response.end("whole");
      else response.write("wh", () => response.destroy());
    });
    expect(await troubleOf(read({ url }))).toBe("unreachable");
    asked = 0;
    expect((await read({ url, tries: 2, pauseMs: 1 })).text).toBe("whole");
  });

  it("do not repeat what was refused, not supported, or is too long", async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked++;
      response.writeHead(Number(request.url?.slice(1))).end("12345");
    });
    expect((await read({ url: `${url}/404`, tries: 3 })).status).toBe(404);
    expect((await read({ url: `${url}/501`, tries: 3 })).status).toBe(501);
    expect(await troubleOf(read({ url: `${url}/200`, tries: 3 }, 4))).toBe("too-long");
    expect(asked).toBe(3);
  });

  it("end with the Ask", async () => {
    const controller = new AbortController();
    const url = await serve((_, response) => {
      response.writeHead(503).end();
      controller.abort();
    });
    const error = await readHttp({ url, tries: 9, limitBytes: 1 }, { signal: controller.signal }).catch(
      (reason: unknown) => reason,
    );
    expect(isAppError(error, "RUN_INTERRUPTED")).toBe(true);
  });
});

describe("limits", () => {
  it("a server that sends nothing is silent, before its answer and in it", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/begun") response.write("something");
    });
    expect(await troubleOf(read({ url, silenceMs: 50 }))).toBe("silent");
    expect(await troubleOf(read({ url: `${url}/begun`, silenceMs: 50 }))).toBe("silent");
  });

  it("a body that nobody reads is no silence of the server", async () => {
    const megabytes = 8;
    const url = await serve((_, response) => {
      response.end(Buffer.alloc(megabytes << 20));
    });
    const reply = await openHttp({ url, silenceMs: 1000 }, freshAsk());
    await once((reply.body as IncomingMessage).socket, "timeout");
    let size = 0;
    for await (const chunk of reply.body as AsyncIterable<Buffer>) size += chunk.byteLength;
    expect(size).toBe(megabytes << 20);
  });

  it("an answer that takes longer than it may is given up, however much arrives", async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write("more"), 5);
      response.on("close", () => clearInterval(timer));
    });
    expect(await troubleOf(read({ url, timeoutMs: 200 }))).toBe("timed-out");
  });

  it("an Ask that ends is its own error, before the answer and in it", async () => {
    const controller = new AbortController();
    const url = await serve((_, response) => {
      response.write("something");
    });
    const reply = await openHttp({ url }, { signal: controller.signal });
    controller.abort();
    await expect(reply.body.toArray()).rejects.toThrow("cancelled");
    const error = await openHttp({ url }, { signal: controller.signal }).catch((reason: unknown) => reason);
    expect(isAppError(error, "RUN_INTERRUPTED")).toBe(true);
  });
});

describe("connections", () => {
  it("are used again, and a request whose kept connection was closed is sent on a new one", async () => {
    const sockets = new Set<Socket>();
    let asked = 0;
    const server = createSocketServer((socket) => {
      sockets.add(socket);
      let answered = 0;
      socket.on("error", () => {});
      socket.on("data", () => {
        asked++;
        // The first connection answers twice and breaks at its third request.
        if (sockets.size === 1 && answered === 2) socket.resetAndDestroy();
        else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        answered++;
      });
    });
    const url = await listening(server);
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    const connections = new HttpConnections();
    closers.push(() => connections.close());
    for (let nth = 1; nth <= 3; nth++) expect((await read({ url, connections })).text).toBe("ok");
    expect([asked, sockets.size]).toEqual([4, 2]);
  });

  it("of a server that is not there are unreachable, with the system's code", async () => {
    const error = await read({ url: "http://127.0.0.1:1/" }).catch((reason: unknown) => reason);
    expect(isHttpTrouble(error) && [error.kind, error.code]).toEqual(["unreachable", "ECONNREFUSED"]);
    for (const url of ["ftp://127.0.0.1/", "https://", "http://[bad/x"])
      expect(await troubleOf(read({ url })), url).toBe("unreachable");
  });

  it("may be those of a unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "memoir-http-"));
    closers.push(() => rmSync(folder, { recursive: true }));
    const socketPath = join(folder, "socket");
    const server = createServer((request, response) => response.end(request.url));
    server.listen(socketPath);
    await once(server, "listening");
    closers.push(() => server.close());
    const connections = new HttpConnections();
    closers.push(() => connections.close());
    const answer = await read({ url: "http://engine", path: "/a/../b?c=d", socketPath, connections });
    expect(answer.text).toBe("/a/../b?c=d");
  });
});

describe("bodies", () => {
  it("are decoded when a server encodes them although it was asked not to", async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers["accept-encoding"] as string);
      const bytes = gzipSync("plain text");
      const whole = request.url === "/cut" ? bytes.subarray(0, 8) : bytes;
      response.writeHead(200, { "content-encoding": "gzip" }).end(whole);
    });
    expect((await read({ url })).text).toBe("plain text");
    expect(asked).toEqual(["identity"]);
    expect(await troubleOf(read({ url: `${url}/cut` }))).toBe("unreachable");
  });

  it("are sent as text, bytes or a stream", async () => {
    const url = await serve(async (request, response) => {
      response.end(`${request.headers["content-length"]} ${await bodyOf(request)}`);
    });
    const send = async (body: NonNullable<HttpRequest["body"]>, headers = {}) =>
      (await read({ url, method: "POST", body, headers })).text;
    expect(await send("text")).toBe("4 text");
    expect(await send(Buffer.from("bytes"))).toBe("5 bytes");
    expect(
      await send(() => Readable.from([Buffer.from("str"), Buffer.from("eam")]), { "content-length": 6 }),
    ).toBe("6 stream");
  });
});
