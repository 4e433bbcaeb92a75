import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Blob64 } from "./blob.ts";

const refused = () => new Error("no base64");

async function decoded(text: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of new Blob64(Buffer.from(text, "latin1")).pieces(refused)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("base64 of a request", () => {
  it("is decoded to the bytes that were sent, and is known to be no longer than it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        expect(await decoded(text)).toEqual(Buffer.from(bytes));
        expect(new Blob64(Buffer.from(text)).mostBytes).toBe(bytes.length);
      }),
    );
  });

  it("of many pieces is whole, also where an escape lies between two of them", async () => {
    const whole = Buffer.alloc(3 * 1024 * 1024, "abc?>~");
    const text = whole.toString("base64");
    expect((await decoded(text)).equals(whole)).toBe(true);
    for (let shift = 0; shift < 8; shift += 4) {
      const escaped = `${"QUJD".repeat(shift / 4)}${text.replaceAll("/", "\\/")}`;
      const expected = Buffer.concat([Buffer.from("ABC".repeat(shift / 4)), whole]);
      expect((await decoded(escaped)).equals(expected)).toBe(true);
    }
    expect((await decoded(`${"A".repeat(1024 * 1024 - 2)}\\u0041A`)).length).toBe((1024 * 1024 * 3) / 4);
  });

  it.each([
    "A",
    "AA",
    "AAA",
    "A===",
    "=AAA",
    "AA=A",
    "AAA*",
    "AAA ",
    "AAAA\n",
    "QQ==QQ==",
    "\\\\AA",
    "\\x41AAA",
  ])("that is none is refused: %s", async (text) => {
    await expect(decoded(text)).rejects.toThrow("no base64");
  });
});
