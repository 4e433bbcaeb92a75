import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallKey, Digest } from "../../kernel/index.ts";
import type { Entry } from "./entry-store.ts";
import { readManifest, sealManifest, writeManifest } from "./manifest.ts";

const place = { uuid: "6f1c", uri: "file:///cache/6f1c", base: "/cache/6f1c" };

const entry: Entry = {
  ...place,
  key: "a".repeat(64) as CallKey,
  taskName: "align",
  callPath: "wf.align[3]",
  runId: "20260101-000000-abc",
  workflow: "wf",
  language: "wdl",
  components: { command: "echo ü", input: { n: "1" } },
  outputs: {
    count: 9007199254740993n,
    ratio: -0,
    text: "one\ntwo",
    nothing: null,
    pairs: {
      kind: "record",
      entries: [
        ["left", 0.1],
        ["right", [true, false]],
      ],
    },
    bam: {
      kind: "file",
      location: "/cache/6f1c/out/bam/a.bam",
      basename: "a.bam",
      sizeBytes: 3,
      sha256: "b".repeat(64) as Digest,
      siblings: [{ kind: "file", location: "/cache/6f1c/out/bam/a.bai", basename: "a.bai" }],
    },
  },
  links: [{ path: "out/dir/d/l", target: "caf\udce9" }],
  emptyFolders: ["out/dir/d/e"],
  files: [{ name: "bam", path: "out/bam/a.bam", sizeBytes: 3, sha256: "b".repeat(64) as Digest, etag: "" }],
  cost: { cpuSeconds: 1.5, wallSeconds: 2, maxRssBytes: null, bytesOut: 3 },
  exitCode: 0,
  createdAt: new Date("2026-01-01T00:00:00Z"),
};
const wire = { arn: "arn:x", taskArn: "arn:y", workDir: "/w", base: place.base };
const written = writeManifest(entry, wire);
const plain = JSON.parse(Buffer.from(written).toString("utf8")) as Record<string, unknown>;

function unsealed(change: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { checksum: _, ...members } = plain;
  return { ...members, ...change };
}

describe("a manifest", () => {
  it("reads as it was written, integers, signs, order and siblings included", () => {
    const { base: _, ...wanted } = entry as Entry & { base: string };
    expect(readManifest(written, place)).toEqual({ kind: "entry", entry: wanted });
  });

  it("with any byte changed is never an entry", () => {
    const byte = fc.record({ at: fc.nat(written.length - 1), by: fc.integer({ min: 1, max: 255 }) });
    fc.assert(
      fc.property(byte, ({ at, by }) => {
        const changed = Uint8Array.from(written);
        changed[at] = (changed[at] ?? 0) ^ by;
        expect(readManifest(changed, place).kind).not.toBe("entry");
      }),
      { numRuns: 500 },
    );
  });

  it("that is cut off or has something added is never an entry", () => {
    for (let end = 0; end < written.length; end += 7)
      expect(readManifest(written.slice(0, end), place).kind).toBe("damaged");
    expect(readManifest(Buffer.concat([written, Buffer.from(" ")]), place).kind).toBe("damaged");
  });

  it("of any other bytes is damaged, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), (bytes) => {
        expect(readManifest(bytes, place).kind).not.toBe("entry");
      }),
      { numRuns: 300 },
    );
  });

  it("with a good checksum and any value for any member answers, and throws nothing", () => {
    const change = fc.record({
      name: fc.constantFrom(...Object.keys(plain).filter((name) => name !== "checksum")),
      value: fc.jsonValue(),
    });
    const output = fc.record({
      name: fc.constant("outputs"),
      value: fc.dictionary(
        fc.string(),
        fc.dictionary(
          fc.constantFrom("int", "float", "record", "file", "directory", "basename", "siblings", "extra"),
          fc.jsonValue(),
        ),
      ),
    });
    fc.assert(
      fc.property(fc.oneof(change, output), ({ name, value }) => {
        const read = readManifest(sealManifest(unsealed({ [name]: value })), place);
        expect(["entry", "damaged", "other-version"]).toContain(read.kind);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["a float that is none", { outputs: { x: { float: "many" } } }],
    ["an integer that is none", { outputs: { x: { int: "1.5" } } }],
    ["a sibling that is none", { outputs: { x: { file: "out/x", basename: "x", siblings: [null] } } }],
    ["a file outside the entry", { files: [{ ...entry.files[0], path: "../../etc/passwd" }] }],
    ["a key that is none", { key: "abc" }],
  ])("with %s is damaged", (_, change) => {
    expect(readManifest(sealManifest(unsealed(change)), place).kind).toBe("damaged");
  });

  it("of another version is distinguished from a damaged one", () => {
    const other = readManifest(sealManifest(unsealed({ version: 99 })), place);
    expect(other).toEqual({ kind: "other-version", version: 99, task: "align" });
  });
});
