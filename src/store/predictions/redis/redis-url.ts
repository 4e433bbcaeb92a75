/**
 * Addresses of Redis servers:
 *
 *   redis://[[user]:password@]host[:port][/db]          rediss:// for TLS; valkey:// and valkeys:// mean the same
 *   redis+unix://[[user]:password@]/path/to/socket[?db=N]     unix:// means the same
 *
 * Query: `db=N`; with TLS also `ca=/path/to/ca.pem`, `cert=` and `key=` (a client certificate) and `servername=`.
 *
 * Every part counts: what is not understood, given twice or without effect here is refused, because the address would
 * lead to another store than the one that it names.
 */
import { AppError } from "../../../kernel/index.ts";

export interface RedisAddress {
  /** Without secrets, for messages. */
  readonly shown: string;
  readonly where:
    | {
        readonly kind: "tcp";
        readonly host: string;
        readonly port: number;
        readonly tls: TlsFiles | undefined;
      }
    | { readonly kind: "unix"; readonly path: string };
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
}

const tcpSchemes: Readonly<Record<string, "plain" | "tls">> = {
  "redis:": "plain",
  "valkey:": "plain",
  "rediss:": "tls",
  "valkeys:": "tls",
};
const tlsQuery: readonly string[] = ["ca", "cert", "key", "servername"];

/** Throws STORE_URL_INVALID. */
export function parseRedisUrl(text: string): RedisAddress {
  return unixForm.test(text) ? parseUnix(text) : parseTcp(text);
}

/** Not a form of URL that the standard parser takes: it wants a host behind a password. */
const unixForm = /^(?:redis\+unix|unix):\/\/(?:([^/@]*)@)?([^?]*)(?:\?(.*))?$/;

function parseUnix(text: string): RedisAddress {
  const [, login = "", rawPath = "", rawQuery = ""] = unixForm.exec(text) ?? [];
  const path = decoded(text, rawPath);
  if (!path.startsWith("/") || path === "/")
    throw invalid(text, "the path of the socket must be absolute, with three slashes before it");
  const query = queryOf(text, new URLSearchParams(rawQuery), "plain");
  const db = dbOf(text, query.get("db") ?? "");
  const colon = login.indexOf(":");
  const [username, password] = colon < 0 ? [login, ""] : [login.slice(0, colon), login.slice(colon + 1)];
  return {
    shown: `redis+unix://${path}?db=${db}`,
    where: { kind: "unix", path },
    db,
    username: username === "" ? undefined : decoded(text, username),
    password: password === "" ? undefined : decoded(text, password),
  };
}

function parseTcp(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const transport = url === undefined ? undefined : tcpSchemes[url.protocol];
  if (url === undefined || transport === undefined)
    throw invalid(text, "it is not a redis://, rediss:// or redis+unix:// address");
  const query = queryOf(text, url.searchParams, transport);
  if (url.hostname === "") throw invalid(text, "it names no host");
  if (text.includes("#"))
    throw invalid(text, "nothing is known to follow a #; write it as %23 in a password");
  const [inPath, inQuery] = [url.pathname.slice(1), query.get("db") ?? ""];
  if (inPath !== "" && inQuery !== "") throw invalid(text, "it names the database twice");
  const db = dbOf(text, inPath === "" ? inQuery : inPath);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? 6379 : Number(url.port);
  if (port === 0) throw invalid(text, "0 is not a port");
  const tls = transport === "tls" ? tlsOf(query) : undefined;
  return {
    shown: `${transport === "tls" ? "rediss" : "redis"}://${url.hostname}:${port}/${db}`,
    where: { kind: "tcp", host, port, tls },
    db,
    username: url.username === "" ? undefined : decoded(text, url.username),
    password: url.password === "" ? undefined : decoded(text, url.password),
  };
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid(text, "a % in it is not followed by two hex digits; write %25 for a percent sign");
  }
}

function queryOf(text: string, query: URLSearchParams, transport: "plain" | "tls"): URLSearchParams {
  for (const name of query.keys()) {
    if (name !== "db" && !tlsQuery.includes(name)) throw invalid(text, `it has an unknown parameter ${name}`);
    if (name !== "db" && transport === "plain") throw invalid(text, `${name}= is for rediss:// only`);
    if (query.getAll(name).length > 1) throw invalid(text, `it has the parameter ${name} more than once`);
  }
  return query;
}

function dbOf(text: string, db: string): number {
  if (db === "") return 0;
  if (!/^\d{1,9}$/.test(db)) throw invalid(text, `the database must be a number, not "${db}"`);
  return Number(db);
}

function tlsOf(query: URLSearchParams): TlsFiles {
  const file = (name: string) => query.get(name) ?? undefined;
  return { ca: file("ca"), cert: file("cert"), key: file("key"), servername: file("servername") };
}

function invalid(text: string, why: string): AppError {
  // The text may hold a password in a form that redaction does not know; only its scheme is shown.
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0] ?? "no scheme";
  return new AppError("STORE_URL_INVALID", `reading the address of a Redis server (${scheme}): ${why}`);
}
