import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { type Listening, listen } from "./listen.ts";
import type { HttpHandler } from "./message.ts";

const mib = 1024 * 1024;
const handler: HttpHandler = {
  mostBodyBytes: () => 8 * mib,
  busy: () => ({
    status: 429,
    headers: { "x-amzn-errortype": "ThrottlingException" },
    body: '{"message":"later"}',
  }),
  fetch: async ({ body }) => ({ status: 200, headers: {}, body: String(body.length) }),
};

let server: Listening | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server?.close();
});

/** Sends the head of an upload of this size, and what is given of its body. */
function upload(sizeBytes: number, body: string): Socket {
  const socket = connect(server?.port ?? 0, "127.0.0.1");
  sockets.push(socket);
  socket.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${sizeBytes}\r\n\r\n${body}`);
  return socket;
}

async function answered(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8");
  while (!text.includes("\r\n\r\n")) text += (await once(socket, "data"))[0];
  return text;
}

it("an upload for which no room becomes free is refused with the answer that clients retry", async () => {
  const room = { maxBufferedLargeBytes: 3 * mib, uploadWaitMs: 100, requestTimeoutMs: 1e9 };
  server = await listen(handler, { host: "127.0.0.1", port: 0, ...room });
  // Takes the room, and never ends.
  const first = upload(2 * mib, "a");
  await once(first, "connect");
  // A small request on the same path is answered: the first one has been admitted by then.
  expect(await answered(upload(1, "a"))).toMatch(/^HTTP\/1\.1 200 /);
  const second = upload(2 * mib, "b".repeat(2 * mib));
  const text = await answered(second);
  expect(text).toMatch(/^HTTP\/1\.1 429 /);
  expect(text).toMatch(/x-amzn-errortype: ThrottlingException/);
  // When there is room, the next one is read.
  first.end("a".repeat(2 * mib - 1));
  await answered(first);
  expect(await answered(upload(2 * mib, "c".repeat(2 * mib)))).toMatch(/^HTTP\/1\.1 200 /);
});
