import { describe, expect, it } from "vitest";
import { type Operation, operations, otherFamilies } from "./operations.ts";
import { routeRequest } from "./route.ts";

describe("a request line", () => {
  it.each(Object.entries(operations as Readonly<Record<string, Operation>>))(
    "of %s is routed to it, with its labels",
    (name, { method, path, labels }) => {
      const given = path.replace(/\{(\w+)\}/g, (_, label: string) => `of-${label}`);
      const expected = Object.fromEntries(Object.keys(labels).map((label) => [label, `of-${label}`]));
      expect(routeRequest(method, given)).toEqual({ kind: "operation", operation: name, labels: expected });
    },
  );

  it("has its labels decoded once, and a slash in them does not separate labels", () => {
    expect(routeRequest("GET", "/tags/arn%3Aaws%3Aomics%3A%3A%3Arun%2F1")).toMatchObject({
      labels: { resourceArn: "arn:aws:omics:::run/1" },
    });
    expect(routeRequest("GET", "/run/%252e")).toMatchObject({ labels: { id: "%2e" } });
  });

  it("with an empty label is the operation's, which refuses it", () => {
    expect(routeRequest("GET", "/run/")).toMatchObject({ operation: "GetRun", labels: { id: "" } });
  });

  it("whose path has an escape that is none is unknown", () => {
    expect(routeRequest("GET", "/run/%zz")).toEqual({ kind: "unknown" });
  });

  it("with another method, a slash more or in other letters is unknown", () => {
    for (const [method, path] of [
      ["PUT", "/run"],
      ["GET", "/run/1/"],
      ["GET", "//run"],
      ["GET", "/RUN"],
      ["GET", "run"],
      ["GET", ""],
      ["GET", "/run?x=1"],
    ] as const)
      expect(routeRequest(method, path), `${method} ${path}`).not.toMatchObject({ kind: "operation" });
  });

  it("with a word where others have an id means the word", () => {
    expect(routeRequest("POST", "/runBatch/cancel")).toMatchObject({ operation: "CancelRunBatch" });
  });

  it("of another family of the service says so", () => {
    expect(otherFamilies.length).toBeGreaterThan(0);
    for (const family of otherFamilies)
      expect(routeRequest("POST", `${family}/x`), family).toEqual({ kind: "other-family" });
  });
});
