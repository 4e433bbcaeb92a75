/**
 * A proxy before an S3 server that keeps every request waiting, as a network does, and counts requests by what they are
 * and the bytes of the answers. The client's Host header is passed on, so its signatures stay valid.
 */
import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface LatencyProxy {
  readonly endpoint: string;
  /** Forgets what was counted. */
  reset(): void;
  seen(): ProxyCount;
  close(): void;
}

export interface ProxyCount {
  readonly requests: number;
  /** Of the bodies of answers. */
  readonly bytes: number;
  readonly byKind: Readonly<Record<string, number>>;
}

export async function startLatencyProxy(server: string, latencyMs: number): Promise<LatencyProxy> {
  const { hostname, port } = new URL(server);
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  let requests = 0;
  let bytes = 0;
  let byKind: Record<string, number> = {};
  const proxy: Server = createServer((incoming, outgoing) => {
    requests++;
    const kind = kindOf(incoming.method ?? "", incoming.url ?? "");
    byKind[kind] = (byKind[kind] ?? 0) + 1;
    setTimeout(() => {
      const passed = request(
        {
          ...{ hostname, port, agent, method: incoming.method, path: incoming.url },
          headers: incoming.rawHeaders,
        },
        (answer) => {
          answer.on("data", (chunk: Buffer) => (bytes += chunk.byteLength));
          outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          answer.pipe(outgoing);
        },
      );
      passed.on("error", () => outgoing.destroy());
      incoming.pipe(passed);
    }, latencyMs);
  });
  // Clients keep connections for longer than Node's default.
  proxy.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    reset: () => {
      requests = 0;
      bytes = 0;
      byKind = {};
    },
    seen: () => ({ requests, bytes, byKind }),
    close: () => {
      proxy.close();
      proxy.closeAllConnections();
      agent.destroy();
    },
  };
}

/** `GET entries`, `PUT leases`, `LIST entries` … */
function kindOf(method: string, url: string): string {
  const { pathname, searchParams } = new URL(url, "http://server");
  const isList = searchParams.has("list-type");
  const name = isList ? (searchParams.get("prefix") ?? "") : decodeURIComponent(pathname);
  const part = /\/(entries|leases|index|same|runs|removed|pins|unstable)\//.exec(`/${name}`)?.[1] ?? "other";
  const what = part !== "entries" || isList ? part : name.endsWith(".json") ? "manifests" : "outputs";
  return `${isList ? "LIST" : searchParams.has("delete") ? "DELETE many" : method} ${what}`;
}
