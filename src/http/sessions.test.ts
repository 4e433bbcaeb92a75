import { expect, it } from "vitest";
import { Sessions, ticketOf } from "./sessions.ts";

let at = 1_800_000_000_000;
const now = () => new Date(at);
const idOf = (cookie: string) => /=([^;]*)/.exec(cookie)?.[1] ?? "";

it("a session is known by its cookie until it ends or is ended", () => {
  const sessions = new Sessions<string>(now);
  const host = "127.0.0.1:8080";
  const cookie = sessions.begin("Ada", { host });
  expect(cookie).toMatch(
    /^memoir-session-8080=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
  );
  const headers = { host, cookie: `other=1; memoir-session-8080=${idOf(cookie)}` };
  expect(sessions.whoOf(headers)).toBe("Ada");
  expect(sessions.whoOf({ ...headers, cookie: "memoir-session-8080=guessguessguessguessguess" })).toBe(
    undefined,
  );
  expect(sessions.end(headers)).toContain("Max-Age=0");
  expect(sessions.whoOf(headers)).toBe(undefined);
  const late = { host, cookie: `memoir-session=${idOf(sessions.begin("Bob", { host }))}` };
  expect(sessions.whoOf(late)).toBe("Bob");
  at += 12 * 60 * 60_000;
  expect(sessions.whoOf(late)).toBe(undefined);
});

it("open sessions are listed without anything of their cookies, and each can be ended", () => {
  const sessions = new Sessions<string>(now);
  const host = "127.0.0.1:8080";
  const first = idOf(sessions.begin("Ada", { host }, "10.0.0.1"));
  const second = idOf(sessions.begin("Bob", { host }));
  const headers = { host, cookie: `memoir-session-8080=${second}` };
  const open = sessions.open(headers);
  expect(open).toMatchObject([
    { who: "Bob", isCurrent: true, begunAt: now() },
    { who: "Ada", isCurrent: false, from: "10.0.0.1", endsAt: new Date(at + 12 * 60 * 60_000) },
  ]);
  for (const cookie of [first, second]) expect(JSON.stringify(open)).not.toContain(cookie);
  expect(new Set(open.map(({ id }) => id)).size).toBe(2);
  const begunAt = at;
  at += 1_000;
  sessions.whoOf(headers);
  expect(sessions.open(headers).map((each) => each.usedAt.getTime() - begunAt)).toEqual([1_000, 0]);
  sessions.endOne(open[1]?.id ?? "");
  expect(sessions.open(headers).map(({ who }) => who)).toEqual(["Bob"]);
  expect(sessions.whoOf({ host, cookie: `memoir-session-8080=${first}` })).toBe(undefined);
  at += 12 * 60 * 60_000;
  expect(sessions.open(headers)).toEqual([]);
});

it("an answer that lasts learns that its session was ended, signed out, or has expired", () => {
  const sessions = new Sessions<string>(now);
  const host = "127.0.0.1:8080";
  const begun = () => ({ host, cookie: `memoir-session-8080=${idOf(sessions.begin("Ada", { host }))}` });
  const [first, second, third] = [begun(), begun(), begun()];
  const held = [first, second, third].map((headers) => sessions.hold(headers));
  const over = () => held.map((each) => [each?.isOver(), each?.signal.aborted]);
  sessions.endOne(sessions.open(first).find(({ isCurrent }) => isCurrent)?.id ?? "");
  sessions.end(second);
  expect(over()).toEqual([
    [true, true],
    [true, true],
    [false, false],
  ]);
  at += 12 * 60 * 60_000;
  expect(held[2]?.isOver()).toBe(true);
  expect(sessions.hold(third)).toBe(undefined);
});

it("behind TLS the cookie is never sent without it", () => {
  const sessions = new Sessions<string>(now);
  expect(sessions.begin("Ada", { host: "memoir.lab.org", "x-forwarded-proto": "https" })).toMatch(
    /^memoir-session=.*; Secure$/,
  );
});

it("a ticket is good once, for ten minutes, and only with the server's secret", () => {
  const sessions = new Sessions<string>(now);
  const ticket = ticketOf(sessions.secret, now());
  expect(sessions.takeTicket(ticketOf("another secret", now()))).toBe(false);
  expect(sessions.takeTicket(ticket.replace(/\.[^.]*\./, ".zzzzzzzzz."))).toBe(false);
  expect(sessions.takeTicket(ticket)).toBe(true);
  expect(sessions.takeTicket(ticket)).toBe(false);
  const old = ticketOf(sessions.secret, now());
  at += 10 * 60_000;
  expect(sessions.takeTicket(old)).toBe(false);
  for (const odd of ["", ".", "..", "a.b.c.d"]) expect(sessions.takeTicket(odd)).toBe(false);
});

it("after five wrong tries within a minute an address has to wait, and others do not", () => {
  const sessions = new Sessions<string>(now);
  for (let tries = 0; tries < 5; tries++) {
    expect(sessions.waitSeconds("10.0.0.1")).toBe(0);
    sessions.noteWrongTry("10.0.0.1");
    at += 1_000;
  }
  expect(sessions.waitSeconds("10.0.0.1")).toBe(55);
  expect(sessions.waitSeconds("10.0.0.2")).toBe(0);
  at += 55_000;
  expect(sessions.waitSeconds("10.0.0.1")).toBe(0);
});
