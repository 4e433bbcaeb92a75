import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOfText, isIllFormed, nameOfBytes, onDisk, shownName } from "./file-names.ts";

describe("names of files", () => {
  it("keep every byte, and two names never have one text", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 12 }), (a, b) => {
        const [x, y] = [nameOfBytes(a), nameOfBytes(b)];
        expect([...bytesOfText(x)]).toEqual([...a]);
        expect(x === y).toBe(Buffer.from(a).equals(Buffer.from(b)));
      }),
      { numRuns: 2000 },
    );
  });

  it("that are UTF-8 are the texts that they are", () => {
    for (const text of ["a.txt", "café", "𝄞 x", "", "\ufffd", "a\ufffdb"]) {
      expect(nameOfBytes(Buffer.from(text))).toBe(text);
      expect(onDisk(text)).toBe(text);
      expect(bytesOfText(text)).toEqual(Buffer.from(text));
    }
  });

  it("that are not UTF-8 survive JSON and are shown by their bytes", () => {
    const name = nameOfBytes(Buffer.from("caf\xe9.txt", "latin1"));
    expect(name).toBe("caf\udce9.txt");
    expect(isIllFormed(name)).toBe(true);
    expect(JSON.parse(JSON.stringify(name))).toBe(name);
    expect(shownName(name)).toBe("caf\\xe9.txt");
    expect(onDisk(`/d/${name}`)).toEqual(Buffer.from("/d/caf\xe9.txt", "latin1"));
  });

  it("encoded surrogates and overlong forms are bytes, not characters", () => {
    for (const bytes of [
      [0xed, 0xb3, 0xa9],
      [0xc0, 0xaf],
      [0xe0, 0x80, 0xaf],
      [0xf5, 0x80, 0x80, 0x80],
      [0xf0, 0x9d, 0x84],
    ]) {
      const name = nameOfBytes(Buffer.from(bytes));
      expect(name).toHaveLength(bytes.length);
      expect([...bytesOfText(name)]).toEqual(bytes);
    }
  });
});
