import { describe, expect, it } from "vitest";
import { relocated } from "./export-run.ts";

describe("locations of exported outputs", () => {
  const json = `{"a": "/run/out/a/x y#1.txt", "b": {"location": "file:///run/out/b/x%20y%231%2525.txt"}, "n": 1.0}`;

  it("on S3 are the keys of the objects", () => {
    expect(relocated(json, "/run/out", "s3://bucket/o/out")).toBe(
      `{"a": "s3://bucket/o/out/a/x y#1.txt", "b": {"location": "s3://bucket/o/out/b/x y#1%25.txt"}, "n": 1.0}`,
    );
  });

  it("in a folder stay addresses of files", () => {
    expect(relocated(json, "/run/out", "file:///o/out")).toContain(
      `"location": "file:///o/out/b/x%20y%231%2525.txt"`,
    );
  });
});
