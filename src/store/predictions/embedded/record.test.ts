import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cell, PredictionRow } from "../../../task/index.ts";
import { hashInput } from "./checksum.ts";
import { RecordReader, RecordWriter } from "./record.ts";

const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.constant(null),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ud800", "", -0, 0, 1),
);
const values: fc.Arbitrary<Cell[]> = fc.oneof(
  fc.array(cell, { maxLength: 12 }),
  fc.array(fc.double(), { maxLength: 12 }),
  fc.array(fc.constantFrom(0, 1), { maxLength: 70 }),
  fc.array(fc.integer({ min: -128, max: 127 }), { maxLength: 20 }),
  fc.array(fc.integer({ min: -32768, max: 32767 }), { maxLength: 20 }),
  fc.array(fc.integer(), { maxLength: 20 }),
);
const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("\ud800", "", "CCO"));
const anyRow = fc.record({
  row: fc.record({ input: text, values, canonical: fc.option(text, { nil: undefined }) }),
  storedAtSeconds: fc.integer({ min: 0, max: 0xffffffff }),
  provenanceNumber: fc.integer({ min: 0, max: 0xffff }),
  computedAtMs: fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined }),
  keepsInput: fc.boolean(),
});

type Case = typeof anyRow extends fc.Arbitrary<infer T> ? T : never;

function plain(row: Case["row"]): PredictionRow {
  const { input, canonical } = row;
  return canonical === undefined ? { input, values: row.values } : { input, values: row.values, canonical };
}

function encode(writer: RecordWriter, each: Case): Buffer {
  const bytes = writer.encode(plain(each.row), { ...each, inputHash: hashInput(each.row.input) });
  return Buffer.from(bytes);
}

describe("a record", () => {
  const writer = new RecordWriter();
  const reader = new RecordReader();

  it("gives back what was encoded", () => {
    fc.assert(
      fc.property(anyRow, (each) => {
        const bytes = encode(writer, each);
        const { row } = each;
        if (each.keepsInput) expect(reader.peekInput(bytes, bytes.length, row.values.length)).toBe(row.input);
        expect(reader.read(bytes, bytes.length, hashInput(row.input), row.values.length)).toStrictEqual(
          row.values,
        );
        expect(reader.storedAtSeconds).toBe(each.storedAtSeconds);
        expect(reader.provenanceNumber).toBe(each.provenanceNumber);
        expect(reader.computedAtMs).toBe(each.computedAtMs);
        expect(reader.canonical).toBe(row.canonical);
        expect(reader.input).toBe(each.keepsInput ? row.input : undefined);
      }),
    );
  });

  it("is nothing when any bit of it is flipped", () => {
    fc.assert(
      fc.property(anyRow, fc.nat(), fc.integer({ min: 0, max: 7 }), (each, where, bit) => {
        const bytes = encode(writer, each);
        const at = where % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        expect(
          reader.read(bytes, bytes.length, hashInput(each.row.input), each.row.values.length),
        ).toBeUndefined();
        reader.peekInput(bytes, bytes.length, each.row.values.length);
      }),
    );
  });

  it("is nothing when it is cut short, or followed by something else", () => {
    fc.assert(
      fc.property(anyRow, fc.nat(), (each, cut) => {
        const bytes = encode(writer, each);
        const inputHash = hashInput(each.row.input);
        const columns = each.row.values.length;
        expect(reader.read(bytes, cut % bytes.length, inputHash, columns)).toBeUndefined();
        const longer = Buffer.concat([bytes, Buffer.from([0])]);
        expect(reader.read(longer, longer.length, inputHash, columns)).toBeUndefined();
        reader.peekInput(bytes, cut % bytes.length, columns);
      }),
    );
  });

  it("is nothing for another input or another number of columns", () => {
    fc.assert(
      fc.property(anyRow, text, (each, other) => {
        fc.pre(other !== each.row.input);
        const bytes = encode(writer, each);
        const columns = each.row.values.length;
        expect(reader.read(bytes, bytes.length, hashInput(other), columns)).toBeUndefined();
        expect(reader.read(bytes, bytes.length, hashInput(each.row.input), columns + 1)).toBeUndefined();
      }),
    );
  });

  it("is nothing when it is not ours at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 8 }), (noise, columns) => {
        expect(reader.read(noise, noise.length, hashInput("CCO"), columns)).toBeUndefined();
        reader.peekInput(noise, noise.length, columns);
      }),
    );
  });

  it("packs a fingerprint of 2,048 bits into 272 bytes, and one float into 24", () => {
    const bits: PredictionRow = { input: "CCO", values: Array.from({ length: 2048 }, (_, i) => i % 2) };
    const notes = {
      inputHash: hashInput("CCO"),
      storedAtSeconds: 1,
      provenanceNumber: 1,
      computedAtMs: undefined,
      keepsInput: false,
    };
    expect(writer.encode(bits, notes).length).toBe(272);
    expect(writer.encode({ input: "CCO", values: [46.069] }, notes).length).toBe(24);
  });
});
