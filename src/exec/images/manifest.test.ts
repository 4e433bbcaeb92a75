import { describe, expect, it } from "vitest";
import { chooseEntry, configPlatform, parseManifest } from "./manifest.ts";
import { platformFit, platformOf } from "./platform.ts";
import { parseChallenge } from "./registry-client.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const entry = (letter: string, platform: object) => ({ digest: digest(letter), platform });

describe("parseManifest", () => {
  it("reads images and indexes by their members, whatever their media type says", () => {
    expect(
      parseManifest(JSON.stringify({ schemaVersion: 2, config: { digest: digest("c") }, layers: [] })),
    ).toEqual({
      kind: "image",
      configDigest: digest("c"),
    });
    const index = { manifests: [entry("a", { os: "linux", architecture: "arm64", variant: "v8" })] };
    expect(parseManifest(JSON.stringify(index))).toEqual({
      kind: "index",
      entries: [{ digest: digest("a"), platform: "linux/arm64" }],
    });
  });

  it("leaves out entries that are not images", () => {
    const manifests = [
      entry("a", { os: "unknown", architecture: "unknown" }),
      { digest: "md5:1", platform: { os: "linux", architecture: "amd64" } },
      { digest: digest("b") },
    ];
    expect(parseManifest(JSON.stringify({ manifests }))).toEqual({ kind: "index", entries: [] });
  });

  it("recognises what it cannot use", () => {
    expect(parseManifest('{"schemaVersion":1}')).toEqual({ kind: "old" });
    for (const text of ["", "[]", "{}", '{"config":{"digest":"../../x"}}'])
      expect(parseManifest(text)).toEqual({ kind: "unknown" });
  });
});

describe("choosing a platform", () => {
  const entries = ["linux/arm/v6", "linux/arm/v7", "linux/amd64", "linux/arm64", "windows/amd64"].map(
    (platform, i) => ({ platform, digest: digest(String(i)) }),
  );

  it.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/arm64", "linux/arm64"],
    ["linux/arm/v7", "linux/arm/v7"],
    ["linux/arm/v6", "linux/arm/v6"],
    ["linux/arm/v8", "linux/arm/v6"],
    ["linux/s390x", undefined],
  ])("takes for %s %s", (wanted, got) => {
    expect(chooseEntry(entries, wanted)?.platform).toBe(got);
  });

  it("speaks one language for architectures", () => {
    expect(platformOf("linux", "x86_64")).toBe("linux/amd64");
    expect(platformOf("linux", "aarch64", "v8")).toBe("linux/arm64");
    expect(platformFit("linux/amd64", "linux/amd64/v2")).toBe(2);
  });
});

it("reads the platform in a config, and none in anything else", () => {
  expect(configPlatform('{"architecture":"amd64","os":"linux"}')).toBe("linux/amd64");
  expect(configPlatform('{"mediaType":"chart"}')).toBeUndefined();
});

it("reads a challenge with any order, case and quoting", () => {
  expect(
    parseChallenge('Bearer Realm="https://a/t?x=\\"1\\"",scope="repository:a/b:pull,push",service="s"'),
  ).toEqual({
    realm: 'https://a/t?x="1"',
    scope: "repository:a/b:pull,push",
    service: "s",
  });
});
