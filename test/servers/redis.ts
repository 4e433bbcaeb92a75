/**
 * A real Redis server for tests and benches: its own temporary folder, loopback or a socket only, nothing on disk
 * unless asked for.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { removeFolder } from "../remove-folder.ts";
import { freePort } from "./free-port.ts";
import { findProgram, type Requirement } from "./requirement.ts";

export const redisRequirement: Requirement = {
  name: "Redis server",
  programs: ["redis-server", "openssl"],
  debianPackages: ["redis-server", "openssl"],
};

export interface RedisServerOptions {
  /** Listen on a socket instead of a port. */
  readonly unixSocket?: boolean;
  readonly password?: string;
  /** With a certificate made for this server; its URL names the CA. */
  readonly tls?: boolean;
  /** `always`: every acknowledged write is on disk before the reply, and `restart` finds it again. */
  readonly appendOnly?: "always";
  /** Lines of redis.conf, such as `maxmemory 3mb`. */
  readonly config?: readonly string[];
}

export interface RedisServer {
  /** For `createRedisTier({ url })`. */
  readonly url: string;
  /** Path of the socket, or `host:port`. */
  readonly address: string;
  /** Ends it properly and removes its folder. */
  stop(): Promise<void>;
  /** SIGKILL: connections break, nothing is saved. The folder stays until `stop`. */
  kill(): Promise<void>;
  /** Starts it again, on the same address and folder; with further lines of redis.conf where given. */
  restart(config?: readonly string[]): Promise<void>;
  /** SIGSTOP: it keeps its connections and never answers. */
  freeze(): void;
  thaw(): void;
}

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "memoir-redis-"));
  const { password, tls = false } = options;
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  const socket = join(folder, "redis.sock");
  const port = options.unixSocket === true ? 0 : await freePort();
  if (tls) makeCertificates(folder);
  const config = [
    `dir ${folder}`,
    "bind 127.0.0.1",
    "daemonize no",
    'save ""',
    tls ? "port 0" : `port ${port}`,
    ...(tls
      ? [
          `tls-port ${port}`,
          "tls-cert-file server.pem",
          "tls-key-file server.key",
          "tls-ca-cert-file ca.pem",
          "tls-auth-clients no",
        ]
      : []),
    ...(options.unixSocket === true ? [`unixsocket ${socket}`, "unixsocketperm 700"] : []),
    ...(password === undefined ? [] : [`requirepass ${password}`]),
    options.appendOnly === undefined ? "appendonly no" : `appendonly yes\nappendfsync ${options.appendOnly}`,
    ...(options.config ?? []),
  ];
  const configFile = join(folder, "redis.conf");
  writeFileSync(configFile, `${config.join("\n")}\n`);
  const url =
    options.unixSocket === true
      ? `redis+unix://${secret}${socket}`
      : `${tls ? "rediss" : "redis"}://${secret}127.0.0.1:${port}/0${tls ? `?ca=${encodeURIComponent(join(folder, "ca.pem"))}` : ""}`;

  let server = await launch(folder, configFile);
  return {
    url,
    address: options.unixSocket === true ? socket : `127.0.0.1:${port}`,
    stop: async () => {
      await end(server, "SIGTERM");
      removeFolder(folder);
    },
    kill: () => end(server, "SIGKILL"),
    restart: async (more = []) => {
      await end(server, "SIGKILL");
      writeFileSync(configFile, `${[...config, ...more].join("\n")}\n`);
      server = await launch(folder, configFile);
    },
    freeze: () => server.kill("SIGSTOP"),
    thaw: () => server.kill("SIGCONT"),
  };
}

/** Resolves when the server says that it accepts connections; throws with its log when it ends instead. */
async function launch(folder: string, configFile: string): Promise<ChildProcess> {
  const program = findProgram("redis-server");
  if (program === undefined) throw new Error("redis-server not found; apt-get install redis-server");
  const server = spawn(program, [configFile], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const log: string[] = [];
  const lines = createInterface({ input: server.stdout });
  for await (const line of lines) {
    log.push(line);
    if (/Ready to accept connections|The server is now ready to accept connections/.test(line)) {
      // Keep reading so that a full pipe never stops the server.
      server.stdout.resume();
      return server;
    }
  }
  throw new Error(`redis-server ended while starting:\n${log.join("\n")}`);
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill("SIGCONT");
  server.kill(signal);
  await exited;
}

function makeCertificates(folder: string): void {
  const program = findProgram("openssl");
  if (program === undefined) throw new Error("openssl not found; apt-get install openssl");
  const openssl = (...args: readonly string[]) =>
    execFileSync(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const key = ["-newkey", "rsa:2048", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=memoir test ca",
  );
  openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1");
  writeFileSync(join(folder, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  openssl(
    ...["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
    ...["-out", "server.pem", "-days", "2", "-extfile", "names"],
  );
}
