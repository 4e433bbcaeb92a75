import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { fileLocation, hostPathOf, nameOfLocation, resolveLocation, splitName } from "./location.ts";
import { applyPattern } from "./secondary-files.ts";

describe("locations", () => {
  it.each([
    ["x.txt", "location", "file:///base/x.txt"],
    ["a%20b%23.txt", "location", "file:///base/a%20b%23.txt"],
    ["a%20b.txt", "path", "file:///base/a%2520b.txt"],
    ["a#b?.txt", "path", "file:///base/a%23b%3F.txt"],
    ["A:Gln2Cys", "location", "file:///base/A:Gln2Cys"],
    ["../up", "location", "file:///up"],
    ["/abs/./x", "path", "file:///abs/x"],
    ["file:///q/a b", "location", "file:///q/a%20b"],
    ["s3://bucket/key", "location", "s3://bucket/key"],
    ["100%", "location", "file:///base/100%25"],
  ] as const)("%s as a %s", (reference, form, expected) => {
    expect(resolveLocation(reference, "/base", form)).toBe(expected);
  });

  it("references of a document on the web stay on the web", () => {
    expect(resolveLocation("d/x.txt", "https://host/a/wf.cwl", "location")).toBe("https://host/a/d/x.txt");
  });

  it.each([
    "/a/b-1_2.txt",
    "/a/../b",
    "/a/.",
    "/a/..b/.c",
    "/a//b",
    "/a/b/",
    "/",
    "/a b",
    "/a%b",
    "/ü",
    "/a~b",
  ])("%s is encoded as in URLs, and found again", (path) => {
    const { href } = pathToFileURL(path);
    expect(fileLocation(path)).toBe(href);
    expect(hostPathOf(href)).toBe(fileURLToPath(href));
  });

  it("names and paths are decoded", () => {
    expect(nameOfLocation("file:///a/b%20%23c.txt")).toBe("b #c.txt");
    expect(nameOfLocation("https://host/a/b%20c.txt?x=1#y")).toBe("b c.txt");
    expect(hostPathOf("file:///a/b%20c")).toBe("/a/b c");
    expect(hostPathOf("file:///a/%zz")).toBeUndefined();
    expect(hostPathOf("https://host/a")).toBeUndefined();
  });
});

it.each([
  ["a.tar.gz", "a.tar", ".gz"],
  [".bashrc", ".bashrc", ""],
  ["..x.y", "..x", ".y"],
  ["plain", "plain", ""],
  ["end.", "end", "."],
])("%s has the root %s and the ending %s", (name, nameroot, nameext) => {
  expect(splitName(name)).toEqual({ nameroot, nameext });
});

it.each([
  ["a.b.bam", ".bai", "a.b.bam.bai"],
  ["a.b.bam", "^.bai", "a.b.bai"],
  ["a.b.bam", "^^.bai", "a.bai"],
  ["a.bam", "^^^.bai", "a.bai"],
])("the pattern of %s and %s names %s", (name, pattern, expected) => {
  expect(applyPattern(name, pattern)).toBe(expected);
});
