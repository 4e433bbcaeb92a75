import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashInput } from "./checksum.ts";
import { createKeyCodec, isHashedInput, scopeStart } from "./keys.ts";

const anyInput = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ minLength: 600, maxLength: 2100 }),
  fc.constantFrom(
    "",
    "\ud800",
    "\ufffd",
    "C".repeat(1900),
    "C".repeat(1901),
    "é".repeat(950),
    "é".repeat(951),
  ),
);

describe("a key", () => {
  const codec = createKeyCodec();
  const target = Buffer.alloc(4096);
  const written = (input: string, scope: number): Buffer => {
    codec.scope = scope;
    return Buffer.from(target.subarray(10, codec.encoder.writeKey(input, target, 10)));
  };

  it("is short, says its scope, and gives its input back or says that it cannot", () => {
    fc.assert(
      fc.property(anyInput, fc.integer({ min: 0, max: 0xfffffffe }), (input, scope) => {
        const key = written(input, scope);
        expect(codec.inputHash).toBe(hashInput(input));
        expect(key.length).toBeLessThan(1978);
        expect(Buffer.compare(key, scopeStart(scope))).toBeGreaterThanOrEqual(0);
        expect(Buffer.compare(key, scopeStart(scope + 1))).toBeLessThan(0);
        const read = codec.encoder.readKey(Buffer.concat([Buffer.from("xx"), key]), 2, 2 + key.length);
        expect(typeof read === "string" ? read : Buffer.from(read)).toEqual(
          isHashedInput(input) ? key : input,
        );
        expect(Buffer.from(target.subarray(0, codec.encoder.writeKey(read, target, 0))).equals(key)).toBe(
          true,
        );
      }),
    );
  });

  it("differs for every two inputs", () => {
    fc.assert(
      fc.property(anyInput, anyInput, (a, b) => {
        fc.pre(a !== b);
        expect(written(a, 1).equals(written(b, 1))).toBe(false);
      }),
    );
  });
});
