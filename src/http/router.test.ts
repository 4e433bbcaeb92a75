import { expect, it } from "vitest";
import { freshAsk } from "../kernel/index.ts";
import type { HttpRequest } from "./message.ts";
import { createRouter, type Mount, type RequestLine } from "./router.ts";

function mountAt(prefix: string): Mount {
  return {
    name: prefix,
    prefix,
    busy: { status: 429, headers: {}, body: prefix },
    mostBodyBytes: () => prefix.length,
    fetch: async () => ({ response: { status: 200, headers: {}, body: prefix }, operation: "answer" }),
  };
}

const request = (target: string): HttpRequest => ({
  method: "GET",
  target,
  headers: {},
  body: new Uint8Array(),
});

it("the longest prefix that ends at a slash answers; everything else goes to the root", async () => {
  const router = createRouter([mountAt("/"), mountAt("/api/v1"), mountAt("/api")], () => {});
  const answers = [
    "/run",
    "/api/v1",
    "/api/v1/runs?x=1",
    "/api/v10",
    "/apiv1",
    "http://h/api/v1/x",
    "?",
    "/%61pi/v1",
  ];
  const bodies = [];
  for (const target of answers) {
    const { body } = await router.fetch(request(target), freshAsk());
    bodies.push(body);
    expect(router.busy(request(target)).body).toBe(body);
    expect(router.mostBodyBytes(request(target))).toBe(String(body).length);
  }
  expect(bodies).toEqual(["/", "/api/v1", "/api/v1", "/api", "/", "/api/v1", "/", "/"]);
});

it("reports each request with its mount, operation and status", async () => {
  const lines: RequestLine[] = [];
  const router = createRouter([mountAt("/")], (line) => lines.push(line));
  await router.fetch(request("/run?secret=1"), freshAsk());
  expect(lines).toMatchObject([
    { mount: "/", operation: "answer", status: 200, path: "/run", account: undefined },
  ]);
  expect(lines[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
});

it("a mount of some methods leaves the others to the next", async () => {
  const page = { ...mountAt("/"), name: "page", isAlone: true, methods: ["GET"] };
  const names: string[] = [];
  const router = createRouter([mountAt("/"), page], ({ mount }) => names.push(mount));
  for (const method of ["GET", "POST"]) await router.fetch({ ...request("/"), method }, freshAsk());
  expect(names).toEqual(["page", "/"]);
});
