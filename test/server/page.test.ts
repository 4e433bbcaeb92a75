/** The web page's files, links that sign in, sessions, and who is refused: over a real port. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServer, type RawResponse, type TestServer } from "./harness.ts";

const script = `console.log("${"page ".repeat(200)}");\n`;
let site: string;
beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), "memoir-site-"));
  await mkdir(join(site, "assets"));
  await writeFile(join(site, "index.html"), "<!doctype html><title>Memoir</title>\n");
  await writeFile(join(site, "assets", "main-1a2b3c.js"), script);
  await writeFile(join(site, "notes.txt"), "not of the page\n");
});
afterAll(() => rm(site, { recursive: true, force: true }));

function cookieOf(response: RawResponse): string {
  const [set] = (response.headers["set-cookie"] ?? []) as readonly string[];
  expect(set).toMatch(/; HttpOnly; SameSite=Strict$/);
  return set?.split(";")[0] ?? "";
}

const ours = { "x-memoir-page": "1" };

describe("a server without access keys", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer({ site });
  });
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    server.raw({ method: "GET", path, headers });
  const browser = () => ({ "sec-fetch-site": "same-origin" });

  it("every address of the page answers the page, and the HealthOmics API stays what it is", async () => {
    for (const path of [
      "/",
      "/runs",
      "/runs/1/calls/a%2Fb",
      "/caches/x",
      "/predictions",
      "/compare?a=1&b=2",
    ]) {
      const { status, headers, text } = await get(path);
      expect([status, text], path).toEqual([200, "<!doctype html><title>Memoir</title>\n"]);
      expect(headers["cache-control"]).toBe("no-cache");
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).not.toContain("unsafe");
    }
    expect((await get("/run")).body).toEqual({ items: [] });
    expect((await get("/runGroup")).body).toEqual({ items: [] });
    expect((await get("/runsx")).status).toBe(404);
  });

  it("assets are compressed and kept for ever; the page is asked for again", async () => {
    const asset = await get("/assets/main-1a2b3c.js");
    expect(asset.text).toBe(script);
    expect(asset.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(asset.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    for (const [coding, open] of [
      ["br", brotliDecompressSync],
      ["gzip", gunzipSync],
    ] as const) {
      const answer = await fetchRaw(server, "/assets/main-1a2b3c.js", coding);
      expect([answer.coding, open(answer.bytes).toString("utf8")]).toEqual([coding, script]);
    }
    expect((await fetchRaw(server, "/assets/main-1a2b3c.js", "br;q=0, identity")).coding).toBe(undefined);
    const page = await get("/");
    const again = await get("/", { "if-none-match": String(page.headers["etag"]) });
    expect([again.status, again.text]).toEqual([304, ""]);
    for (const path of ["/assets/none.js", "/assets/../index.html", "/assets/%2e%2e/notes.txt", "/notes.txt"])
      expect((await get(path)).status, path).toBe(404);
    expect((await server.raw({ method: "POST", path: "/runs", body: "{}" })).status).toBe(405);
  });

  it("a link signs in once, and the address loses its ticket", async () => {
    const query = server.signInQuery();
    expect((await server.raw({ method: "HEAD", path: `/${query}` })).status).toBe(200);
    const first = await get(`/runs/1${query}`);
    expect([first.status, first.headers["location"]]).toEqual([303, "/runs/1"]);
    const cookie = cookieOf(first);
    expect((await get("/api/v1/runs", { ...browser(), cookie })).status).toBe(200);
    expect((await get("/api/v1/session", { ...browser(), cookie })).body).toEqual({
      ...{ authentication: "none", signedIn: true, account: "000000000000", operator: true },
    });
    const second = await get(`/${query}`);
    expect([second.status, second.headers["location"]]).toEqual([303, "/?signin=token"]);
    expect(second.headers["set-cookie"]).toBe(undefined);
  });

  it("browsers need the session, and local programs do not", async () => {
    expect((await get("/api/v1/runs")).status).toBe(200);
    expect((await get("/api/v1/runs", browser())).status).toBe(401);
    expect((await get("/api/v1/session", browser())).body).toEqual({
      ...{ authentication: "none", signedIn: false },
    });
    const origin = `http://127.0.0.1:${server.port}`;
    const verify = { method: "POST", path: "/api/v1/caches/home%3Adefault/verify", body: "{}" } as const;
    const cookie = cookieOf(await get(`/${server.signInQuery()}`));
    const change = (headers: Record<string, string>) => server.raw({ ...verify, headers });
    expect((await change({ origin })).status).toBe(401);
    expect((await change({ origin, cookie })).status).toBe(403);
    expect((await change({ cookie })).status).toBe(403);
    expect((await change({ origin, cookie, ...ours, "sec-fetch-site": "same-site" })).status).toBe(403);
    expect((await change({ origin: "http://evil.example.com", cookie, ...ours })).status).toBe(403);
    expect((await change({ origin: `http://127.0.0.1:1`, cookie, ...ours })).status).toBe(403);
    expect((await change({ host: "rebound.evil.com", cookie, ...ours })).status).toBe(403);
    expect((await get("/", { host: "rebound.evil.com" })).status).toBe(403);
    expect((await change({ origin, cookie, ...ours })).status).toBe(200);
    expect((await get("/api/v1/runs", { cookie, "sec-fetch-site": "cross-site" })).status).toBe(403);
  });

  it("signing out ends the session", async () => {
    const cookie = cookieOf(await get(`/${server.signInQuery()}`));
    const end = { method: "POST", path: "/api/v1/session/end", body: "{}" } as const;
    expect((await server.raw({ ...end, headers: { cookie } })).status).toBe(403);
    expect((await get("/api/v1/runs", { ...browser(), cookie })).status).toBe(200);
    expect((await server.raw({ ...end, headers: { cookie, ...ours } })).body).toMatchObject({
      signedIn: false,
    });
    expect((await get("/api/v1/runs", { ...browser(), cookie })).status).toBe(401);
  });
});

describe("a server of the page only", () => {
  it("answers data to sessions only, and no other API", async () => {
    const server = await openServer({ site, serves: "page" });
    try {
      const get = (path: string, headers: Record<string, string> = {}) =>
        server.raw({ method: "GET", path, headers });
      expect((await get("/api/v1/runs")).status).toBe(401);
      expect((await get("/metrics")).status).toBe(401);
      expect((await get("/run")).status).toBe(404);
      expect((await get("/v1/predict")).status).toBe(404);
      expect((await get("/")).status).toBe(200);
      const cookie = cookieOf(await get(`/${server.signInQuery()}`));
      expect((await get("/api/v1/runs", { cookie })).status).toBe(200);
      for (let tries = 0; tries < 5; tries++)
        expect((await get(`/?token=a.b.${tries}`)).headers["location"]).toBe("/?signin=token");
      const late = await get(`/${server.signInQuery()}`);
      expect(late.headers["set-cookie"]).toBe(undefined);
    } finally {
      await server.close();
    }
    expect(server.bugs).toEqual([]);
  });
});

describe("a server with access keys", () => {
  let server: TestServer;
  beforeAll(async () => {
    const key = (accessKeyId: string, account: string) => ({
      ...{ accessKeyId, account, secretAccessKey: `secret of ${accessKeyId}` },
    });
    server = await openServer({
      site,
      keys: [{ ...key("AKIDA", "111111111111"), operator: true }, key("AKIDB", "222222222222")],
    });
  });
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  const signIn = (accessKeyId: string, secretAccessKey: string, headers = {}) =>
    server.raw({
      ...{ method: "POST", path: "/api/v1/session", headers },
      body: JSON.stringify({ accessKeyId, secretAccessKey }),
    });
  const get = (path: string, cookie: string) =>
    server.raw({ method: "GET", path: `/api/v1${path}`, headers: { cookie } });

  it("a session sees what its account's key sees", async () => {
    expect(server.signInQuery()).toBe("");
    const anybody = await server.raw({ method: "GET", path: "/api/v1/session" });
    expect(anybody.body).toEqual({ authentication: "access-keys", signedIn: false });
    const operator = cookieOf(await signIn("AKIDA", "secret of AKIDA"));
    const other = cookieOf(await signIn("AKIDB", "secret of AKIDB"));
    expect((await get("/server", operator)).body).toMatchObject({ account: "111111111111", operator: true });
    expect((await get("/server", other)).body).toMatchObject({ account: "222222222222", operator: false });
    expect((await get("/predictions", operator)).status).toBe(200);
    expect((await get("/predictions", other)).status).toBe(403);
    expect((await get("/runs", other)).body).toEqual({ runs: [] });
    // A cookie signs nothing of the HealthOmics API.
    const omics = await server.raw({ method: "GET", path: "/run", headers: { cookie: operator } });
    expect(omics.status).toBe(403);
  });

  it("an account sees and ends its own sessions, an administrator those of all", async () => {
    const end = (cookie: string, body: object, headers: object = { "x-memoir-page": "1" }) =>
      server.raw({
        ...{ method: "POST", path: "/api/v1/sessions/end", headers: { cookie, ...headers } },
        body: JSON.stringify(body),
      });
    type Listed = readonly { readonly id: string; readonly account: string; readonly current: boolean }[];
    const listed = async (cookie: string) => (await get("/sessions", cookie)).body["sessions"] as Listed;
    const operator = cookieOf(await signIn("AKIDA", "secret of AKIDA"));
    const [here, there] = [
      cookieOf(await signIn("AKIDB", "secret of AKIDB")),
      cookieOf(await signIn("AKIDB", "secret of AKIDB")),
    ];
    await end(here, {});
    expect((await get("/server", there)).status).toBe(401);
    expect(await listed(here)).toMatchObject([{ account: "222222222222", current: true }]);
    const all = await listed(operator);
    expect(new Set(all.map(({ account }) => account))).toEqual(new Set(["111111111111", "222222222222"]));
    const foreign = all.find(({ current }) => current)?.id;
    expect((await end(here, { id: foreign })).status).toBe(200);
    expect((await get("/server", operator)).status).toBe(200);
    expect((await end(operator, {}, {})).status).toBe(403);
    expect(
      (await end(operator, { id: all.find(({ account }) => account !== "111111111111")?.id })).status,
    ).toBe(200);
    expect((await get("/server", here)).status).toBe(401);
  });

  it("a foreign page cannot sign anybody in", async () => {
    const foreign = await signIn("AKIDA", "secret of AKIDA", { origin: "https://evil.example.com" });
    expect(foreign.status).toBe(403);
    const form = await signIn("AKIDA", "secret of AKIDA", { "content-type": "text/plain" });
    expect(form.status).toBe(400);
  });

  it("five wrong tries a minute are answered; then even the right secret has to wait", async () => {
    for (const [id, secret] of [
      ["AKIDA", "secret of AKIDB"],
      ["AKIDA", "x"],
      ["AKIDC", "secret of AKIDC"],
      ["AKIDB", "secret of akidb"],
      ["akidb", "secret of AKIDB"],
    ] as const) {
      const wrong = await signIn(id, secret);
      expect([wrong.status, wrong.body["code"]]).toEqual([401, "CALLER_UNKNOWN"]);
      expect(wrong.headers["set-cookie"]).toBe(undefined);
    }
    const late = await signIn("AKIDA", "secret of AKIDA");
    expect([late.status, late.body["code"]]).toEqual([429, "TOO_MANY_TRIES"]);
    expect(Number(late.headers["retry-after"])).toBeGreaterThan(0);
  });
});

describe("live events", () => {
  it("stop when their session is ended, signed out or has expired, and those of others continue", async () => {
    let late = 0;
    const key = (accessKeyId: string, account: string) => ({
      ...{ accessKeyId, account, secretAccessKey: `secret of ${accessKeyId}` },
    });
    const token = "0123456789abcdef0123456789abcdef";
    const server = await openServer({
      site,
      keys: [{ ...key("AKIDA", "111111111111"), operator: true, token }, key("AKIDB", "222222222222")],
      now: () => new Date(Date.now() + late),
    });
    const post = (path: string, cookie: string, body: object = {}) =>
      server.raw({
        ...{ method: "POST", path: `/api/v1${path}`, headers: { cookie, ...ours } },
        body: JSON.stringify(body),
      });
    const signIn = async (accessKeyId: string) =>
      cookieOf(await post("/session", "", { accessKeyId, secretAccessKey: `secret of ${accessKeyId}` }));
    const follow = (cookie: string) => followRuns(server, { cookie });
    const over = /^(?:retry: 1000|: still here)?\n\nevent: signed-out\ndata: \{\}\n\n$/;
    try {
      const operator = await signIn("AKIDA");
      const [mine, program] = [
        await follow(operator),
        await followRuns(server, { authorization: `Bearer ${token}` }),
      ];

      const [first, second] = [await signIn("AKIDB"), await signIn("AKIDB")];
      const [ended, out] = [await follow(first), await follow(second)];
      const { body } = await server.raw({
        method: "GET",
        path: "/api/v1/sessions",
        headers: { cookie: first },
      });
      const { sessions } = body as { sessions: readonly { id: string; current: boolean }[] };
      await post("/sessions/end", second, { id: sessions.find(({ current }) => current)?.id });
      expect(await ended.whole).toMatch(over);
      expect(out.hasEnded()).toBe(false);
      await post("/session/end", second);
      expect(await out.whole).toMatch(over);

      const others = await Promise.all([follow(await signIn("AKIDB")), follow(await signIn("AKIDA"))]);
      await post("/sessions/end", operator);
      for (const { whole } of others) expect(await whole).toMatch(over);
      expect([mine.hasEnded(), program.hasEnded()]).toEqual([false, false]);

      late = 12 * 60 * 60_000;
      expect(await mine.whole).toMatch(over);
      expect(program.hasEnded()).toBe(false);
      program.leave();
    } finally {
      await server.close();
    }
    expect(server.bugs).toEqual([]);
  });

  it("of a link that signed in stop, too", async () => {
    const server = await openServer({ site, serves: "page" });
    try {
      const link = () => server.raw({ method: "GET", path: `/${server.signInQuery()}` });
      const [here, there] = [cookieOf(await link()), cookieOf(await link())];
      const stream = await followRuns(server, { cookie: there });
      const headers = { cookie: here, ...ours };
      await server.raw({ method: "POST", path: "/api/v1/sessions/end", headers, body: "{}" });
      expect(await stream.whole).toContain("event: signed-out");
    } finally {
      await server.close();
    }
    expect(server.bugs).toEqual([]);
  });
});

/** Answers when the stream has begun. */
async function followRuns(server: TestServer, headers: Record<string, string>) {
  const { get } = await import("node:http");
  type Followed = { whole: Promise<string>; hasEnded: () => boolean; leave: () => void };
  return new Promise<Followed>((resolve, reject) => {
    const path = "/api/v1/runs/changes";
    const request = get(
      { port: server.port, host: "127.0.0.1", path, headers: { ...headers, accept: "text/event-stream" } },
      (answer) => {
        let [text, ended] = ["", false];
        answer.on("data", (chunk: Buffer) => {
          text += chunk.toString("utf8");
        });
        const whole = new Promise<string>((done) => {
          answer.on("close", () => {
            ended = true;
            done(answer.complete ? text : `broken off: ${text}`);
          });
        });
        answer.on("error", () => {});
        expect(answer.statusCode).toBe(200);
        resolve({ whole, hasEnded: () => ended, leave: () => void request.destroy() });
      },
    );
    request.on("error", reject);
  });
}

async function fetchRaw(
  server: TestServer,
  path: string,
  accepted: string,
): Promise<{ readonly coding: string | undefined; readonly bytes: Buffer }> {
  const { get } = await import("node:http");
  return new Promise((resolve, reject) => {
    get(
      { port: server.port, host: "127.0.0.1", path, headers: { "accept-encoding": accepted } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({ coding: answer.headers["content-encoding"], bytes: Buffer.concat(chunks) }),
        );
      },
    ).on("error", reject);
  });
}
