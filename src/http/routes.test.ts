import { expect, it } from "vitest";
import { matchRoute, type Route } from "./routes.ts";

const routes: readonly Route[] = [
  { method: "GET", path: "/runs" },
  { method: "GET", path: "/runs/{run}" },
  { method: "GET", path: "/runs/last" },
  { method: "POST", path: "/runs/{run}/cancel" },
];

it("finds the route and decodes its labels", () => {
  expect(matchRoute(routes, "GET", "/runs/a%2Fb%20c")).toEqual({
    kind: "route",
    route: routes[1],
    labels: { run: "a/b c" },
  });
});

it("prefers the path with fewer names, and answers HEAD as GET", () => {
  expect(matchRoute(routes, "HEAD", "/runs/last")).toMatchObject({ kind: "route", route: routes[2] });
});

it("distinguishes an unknown path from another method, and never fits an empty label", () => {
  expect(matchRoute(routes, "DELETE", "/runs/x/cancel")).toEqual({ kind: "other-method", methods: ["POST"] });
  for (const path of ["/runs/", "/run", "/runs/x/y", "/runs/%zz", ""])
    expect(matchRoute(routes, "GET", path)).toEqual({ kind: "unknown" });
});
