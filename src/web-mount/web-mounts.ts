/**
 * The web page: its HTML at every address that a person can open, so that links lead where they were copied; its assets;
 * and links with a ticket, which become a session. The files are the same for everybody: data come from `/api/v1`.
 */
import {
  type AccessRules,
  type Answered,
  type Caller,
  foreignPage,
  type HttpResponse,
  type Mount,
  type NumberedRequest,
  openCaller,
  parseQuery,
  parseTarget,
  problemResponse,
  type Sessions,
} from "../http/index.ts";
import { readSite, type Site, type SiteFile } from "./site.ts";

export interface WebParts extends Pick<AccessRules, "keys" | "openAccount" | "region"> {
  /** Folder of the built page. */
  readonly site: string;
  readonly sessions: Sessions<Caller>;
}

/** Addresses of the page; what is below them, too. */
const pages = ["/runs", "/caches", "/predictions", "/compare", "/trace", "/settings", "/errors", "/sign-in"];

/** `everything`: also the answers to unknown paths, for a server without other mounts at the root. */
export function createWebMounts(parts: WebParts, extent: "pages" | "everything"): readonly Mount[] {
  let site: Promise<Site | undefined> | undefined;
  const readOnce = async () => {
    site ??= readSite(parts.site);
    const found = await site.catch(() => undefined);
    // It may be built later.
    if (found === undefined) site = undefined;
    return found;
  };
  const mount = (prefix: string, isAlone: boolean): Mount => ({
    name: "web",
    prefix,
    isAlone,
    // Clients of AWS post to it what they ask of logs, identities and prices.
    ...(prefix === "/" && isAlone && { methods: ["GET", "HEAD"] }),
    busy: problemResponse({ status: 429, code: "SERVER_BUSY", detail: "too many requests; try again later" }),
    mostBodyBytes: () => 0,
    fetch: async (request): Promise<Answered> => ({
      response: await answer(parts, request, readOnce),
      operation: "page",
    }),
  });
  return [
    mount("/", extent === "pages"),
    mount("/assets", false),
    mount("/favicon.ico", true),
    ...pages.map((page) => mount(page, false)),
  ];
}

async function answer(
  parts: WebParts,
  request: NumberedRequest,
  read: () => Promise<Site | undefined>,
): Promise<HttpResponse> {
  const target = parseTarget(request.target);
  const path = target?.rawPath ?? "/";
  // A foreign name for this machine would give a foreign page the same origin.
  const foreign = parts.keys.length === 0 ? foreignPage(request) : undefined;
  if (foreign !== undefined)
    return problemResponse({ status: 403, code: "REQUEST_FOREIGN", detail: foreign }, everyAnswer);
  if (request.method !== "GET" && request.method !== "HEAD")
    return problemResponse(
      { status: 405, code: "METHOD_NOT_ALLOWED", detail: "the page answers GET only" },
      { ...everyAnswer, allow: "GET, HEAD" },
    );
  const isPage = path === "/" || pages.some((page) => path === page || path.startsWith(`${page}/`));
  const ticket = isPage ? parseQuery(target?.rawQuery ?? "")?.get("token")?.[0] : undefined;
  if (ticket !== undefined && request.method === "GET") return signedIn(parts, request, { path, ticket });
  const site = await read();
  if (site === undefined)
    return {
      status: 404,
      headers: { ...everyAnswer, "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
      body: "This installation has no web page: `npm run build` builds it. The JSON interface is at /api/v1/openapi.json.\n",
    };
  const file = site.get(isPage ? "index.html" : path.slice(1));
  if (file === undefined)
    return problemResponse(
      { status: 404, code: "ROUTE_NOT_FOUND", detail: "there is nothing at this path" },
      everyAnswer,
    );
  const isFixed = path.startsWith("/assets/");
  return sent(file, request, isFixed ? "public, max-age=31536000, immutable" : "no-cache");
}

/** The address without the ticket, so that it is neither kept in the history nor sent on. */
function signedIn(
  { sessions, keys, openAccount, region }: WebParts,
  request: NumberedRequest,
  { path, ticket }: { readonly path: string; readonly ticket: string },
): HttpResponse {
  const address = request.from ?? "";
  const headers = { ...everyAnswer, "cache-control": "no-store" };
  const isOpen = keys.length === 0 && sessions.waitSeconds(address) === 0;
  if (!isOpen || !sessions.takeTicket(ticket)) {
    if (isOpen) sessions.noteWrongTry(address);
    return { status: 303, headers: { ...headers, location: "/?signin=token" }, body: "" };
  }
  const cookie = sessions.begin(openCaller({ openAccount, region }), request.headers, request.from);
  return { status: 303, headers: { ...headers, location: path, "set-cookie": cookie }, body: "" };
}

function sent(file: SiteFile, { headers }: NumberedRequest, caching: string): HttpResponse {
  const { type, etag } = file;
  const common = { ...everyAnswer, "content-type": type, "cache-control": caching, etag };
  const varying = { ...common, vary: "accept-encoding" };
  const known = (headers["if-none-match"] ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
  if (known.includes(etag)) return { status: 304, headers: varying, body: "" };
  const accepted = headers["accept-encoding"] ?? "";
  for (const coding of ["br", "gzip"] as const) {
    const body = file[coding];
    if (body !== undefined && accepts(accepted, coding))
      return { status: 200, headers: { ...varying, "content-encoding": coding }, body };
  }
  return { status: 200, headers: varying, body: file.plain };
}

function accepts(header: string, coding: string): boolean {
  return header.split(",").some((part) => {
    const [name, ...rules] = part.split(";").map((each) => each.trim().toLowerCase());
    return name === coding && !rules.some((rule) => /^q=0(\.0*)?$/.test(rule));
  });
}

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self' blob:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const everyAnswer = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};
