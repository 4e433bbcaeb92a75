import { describe, expect, it } from "vitest";
import { imageText, isLoopback, parseImageName } from "./image-name.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("parseImageName", () => {
  it.each([
    ["debian", "docker.io/library/debian:latest"],
    ["debian:12", "docker.io/library/debian:12"],
    ["docker://ubuntu:24.04", "docker.io/library/ubuntu:24.04"],
    ["biocontainers/bwa:0.7", "docker.io/biocontainers/bwa:0.7"],
    ["index.docker.io/debian", "docker.io/library/debian:latest"],
    ["quay.io/biocontainers/bwa:0.7.17--h84994c4_5", "quay.io/biocontainers/bwa:0.7.17--h84994c4_5"],
    ["localhost/x:1", "localhost/x:1"],
    ["localhost:5000/a/b", "localhost:5000/a/b:latest"],
    ["[::1]:5000/a:1", "[::1]:5000/a:1"],
    [`gcr.io/p/x@${digest}`, `gcr.io/p/x@${digest}`],
    [`gcr.io/p/x:1@${digest}`, `gcr.io/p/x:1@${digest}`],
    ["registry.example.org/deep/er/name", "registry.example.org/deep/er/name:latest"],
    ["my_org/my__tool", "docker.io/my_org/my__tool:latest"],
  ])("reads %s as %s", (text, full) => {
    const name = parseImageName(text);
    expect(name === undefined ? undefined : imageText(name)).toBe(full);
  });

  it.each([
    "",
    "Not An Image",
    "UPPER/case",
    "a//b",
    "x:",
    "x@sha256:12",
    "-x",
    digest,
    "a".repeat(64),
    "quay.io/",
    "http://x/y",
  ])("does not take %j for an image name", (text) => {
    expect(parseImageName(text)).toBeUndefined();
  });
});

it("knows local registries", () => {
  for (const host of ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5000"])
    expect(isLoopback(host)).toBe(true);
  for (const host of ["docker.io", "localhost.evil.org", "10.0.0.1:5000", "127.0.0.1.org"])
    expect(isLoopback(host)).toBe(false);
});
