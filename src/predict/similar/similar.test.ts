import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { createFingerprinter, exampleInputs, type Fingerprinter } from "../../models/index.ts";
import { FingerprintIndex, type IndexedMolecule } from "./fingerprint-index.ts";

const ask = freshAsk();
const facts = {
  ...{ model: "eos3b5e", release: "v1", columns: "c", tier: "t", fingerprints: "f", rows: 0, unreadable: [] },
  builtAt: "2026-01-01T00:00:00.000Z",
};
let folder: string;
let toolkit: Fingerprinter;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "memoir-similar-"));
  toolkit = await createFingerprinter({}, ask);
});
afterAll(async () => {
  await toolkit.close();
  rmSync(folder, { recursive: true, force: true });
});

const bitsOf = (bytes: Uint8Array) =>
  [...bytes].reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);

/** The definition, without any short cut. */
function tanimoto(a: Uint8Array, b: Uint8Array): number {
  const shared = bitsOf(a.map((byte, at) => byte & (b[at] ?? 0)));
  const all = bitsOf(a) + bitsOf(b) - shared;
  return all === 0 ? 0 : shared / all;
}

async function molecules(count: number): Promise<readonly IndexedMolecule[]> {
  const inputs = exampleInputs(undefined, { count, mode: "random", seed: "similar" });
  const prints = await toolkit.fingerprints(inputs, ask);
  return inputs.flatMap((input, at) => {
    const fingerprint = prints[at];
    return fingerprint === undefined ? [] : [{ input, fingerprint }];
  });
}

describe("a search for similar molecules", () => {
  it("finds exactly what comparing with every molecule finds, for every limit and number", async () => {
    const all = await molecules(1_200);
    const index = FingerprintIndex.of(facts, all);
    for (const [at, query] of all.slice(0, 40).entries()) {
      const similarity = [0, 0.2, 0.35, 0.7, 1][at % 5] ?? 0;
      const count = [1, 5, 20][at % 3] ?? 1;
      const expected = all
        .map(({ input, fingerprint }) => ({ input, similarity: tanimoto(query.fingerprint, fingerprint) }))
        .filter((each) => each.similarity >= similarity)
        .sort((a, b) => b.similarity - a.similarity || (a.input < b.input ? -1 : 1))
        .slice(0, count);
      expect(index.nearest(query.fingerprint, { count, similarity })).toEqual(expected);
    }
  });

  it("finds nothing among no molecules, and no neighbours of a molecule without bits", () => {
    expect(
      FingerprintIndex.of(facts, []).nearest(new Uint8Array(128).fill(1), { count: 5, similarity: 0 }),
    ).toEqual([]);
    const index = FingerprintIndex.of(facts, [{ input: "C", fingerprint: new Uint8Array(128).fill(255) }]);
    expect(index.nearest(new Uint8Array(128), { count: 5, similarity: 0.1 })).toEqual([]);
    expect(index.nearest(new Uint8Array(128).fill(255), { count: 5, similarity: 1 })).toEqual([
      { input: "C", similarity: 1 },
    ]);
  });

  it("knows fingerprints of the toolkit, and no others than molecules", async () => {
    const [ethanol, again, not, empty] = await toolkit.fingerprints(["CCO", "OCC", "notsmiles", ""], ask);
    expect(ethanol).toEqual(again);
    expect(bitsOf(ethanol ?? new Uint8Array())).toBeGreaterThan(2);
    expect([not, empty]).toEqual([undefined, undefined]);
    expect(toolkit.kind).toMatch(/^morgan-2-1024 rdkit-wasm \d/);
  });
});

describe("the file of an index", () => {
  it("brings back the same index", async () => {
    const all = [...(await molecules(60)), { input: "ünïcode 🧪", fingerprint: new Uint8Array(128).fill(7) }];
    const index = FingerprintIndex.of({ ...facts, rows: 61 }, all);
    const path = join(folder, "a", "b.index");
    await index.write(path);
    const back = await FingerprintIndex.read(path);
    expect([back?.facts, back?.size]).toEqual([index.facts, 61]);
    const query = all[3]?.fingerprint ?? new Uint8Array(128);
    const wanted = { count: 61, similarity: 0 };
    expect(back?.nearest(query, wanted)).toEqual(index.nearest(query, wanted));
  });

  it.each([1, 7, 1000])(
    "is read in pieces of %i bytes, since it may be larger than what is read at once",
    async (bytes) => {
      const index = FingerprintIndex.of({ ...facts, unreadable: ["x".repeat(3_000)] }, await molecules(40));
      const path = join(folder, "pieces.index");
      await index.write(path);
      const back = await FingerprintIndex.read(path, bytes);
      expect([back?.facts, back?.size]).toEqual([index.facts, index.size]);
      for (let row = 0; row < index.size; row++)
        expect([back?.inputAt(row), back?.fingerprintAt(row)]).toEqual([
          index.inputAt(row),
          index.fingerprintAt(row),
        ]);
    },
  );

  it("is used however many texts of the store are not molecules", async () => {
    const unreadable = Array.from({ length: 5_000 }, (_, at) => `not a molecule, number ${at}`);
    const path = join(folder, "many.index");
    await FingerprintIndex.of({ ...facts, unreadable }, await molecules(2)).write(path);
    const back = await FingerprintIndex.read(path);
    expect([back?.size, back?.facts.unreadable]).toEqual([2, unreadable]);
  });

  it("takes away what a killed program left next to it long ago, and nothing else", async () => {
    const path = join(folder, "killed", "b.index");
    mkdirSync(join(folder, "killed"));
    const names = ["b.index.7.new", "b.index.8.new", "c.index.7.new", "b.index.txt"];
    for (const name of names) writeFileSync(join(folder, "killed", name), "part");
    for (const name of names.filter((each) => !each.includes("8")))
      utimesSync(join(folder, "killed", name), 1, 1);
    await FingerprintIndex.of(facts, await molecules(2)).write(path);
    expect(readdirSync(join(folder, "killed")).toSorted()).toEqual([
      "b.index",
      "b.index.8.new",
      "b.index.txt",
      "c.index.7.new",
    ]);
  });

  it("counts as none where it is not there, torn, changed, or somebody else's", async () => {
    const path = join(folder, "torn.index");
    expect(await FingerprintIndex.read(path)).toBeUndefined();
    await FingerprintIndex.of(facts, await molecules(20)).write(path);
    const whole = readFileSync(path);
    for (const bytes of [
      whole.subarray(0, -1),
      whole.subarray(0, 40),
      Buffer.concat([whole, Buffer.from("x")]),
      Buffer.from(whole.map((byte, at) => (at === whole.length - 500 ? byte ^ 1 : byte))),
      Buffer.from('{"format":99}\n'),
      ...[-1, 0.5, 1e9].map((count) => Buffer.from(`{"format":1,"molecules":${count}}\n`)),
      Buffer.from(""),
    ]) {
      writeFileSync(path, bytes);
      expect(await FingerprintIndex.read(path)).toBeUndefined();
    }
  });
});
