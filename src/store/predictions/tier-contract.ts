/**
 * What every prediction tier promises, as a suite that each tier's test runs. A new tier runs this first and is
 * written second.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError, type Ask, freshAsk, isAppError, type ModelId } from "../../kernel/index.ts";
import type { Cell, Column, PredictionRow, PredictionScope } from "../../task/index.ts";
import { createMemoryTier } from "./memory-tier.ts";
import { columnsDigest, scopeIdentity } from "./scope.ts";
import type { PredictionTier } from "./tier.ts";

/** One place where rows live, fresh and empty, under one or several tier objects. */
export interface TierPlace {
  /** A new tier object over this place, not yet opened. Tiers that persist see what earlier ones stored. */
  connect(): PredictionTier;
  /** Whether rows outlive `close` and are seen by other tier objects over the same place. */
  readonly persistent: boolean;
  dispose(): Promise<void>;
}

/** Parts of the contract that a tier may be excused from, with the reason written where it is skipped. */
export type ContractPart =
  | "huge-input"
  | "lone-surrogates"
  | "concurrent-writers"
  | "non-finite"
  | "minus-zero";

export interface ContractOptions {
  readonly name: string;
  make(): Promise<TierPlace>;
  /** Part to reason. The reason is shown in the skipped test's title. */
  readonly skip?: Partial<Readonly<Record<ContractPart, string>>>;
}

const columns: readonly Column[] = [
  { name: "weight", type: "float" },
  { name: "rings", type: "integer" },
  { name: "label", type: "string" },
];

export function predictionTierContract(options: ContractOptions): void {
  describe(`${options.name} keeps the contract of prediction tiers`, () => {
    let place: TierPlace;
    let opened: PredictionTier[] = [];
    let tier: PredictionTier;
    const ask: Ask = freshAsk();

    async function connect(): Promise<PredictionTier> {
      const fresh = place.connect();
      opened.push(fresh);
      await fresh.open(ask);
      return fresh;
    }
    beforeEach(async () => {
      place = await options.make();
      opened = [];
      tier = await connect();
    });
    afterEach(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await place.dispose();
    });
    const part = (which: ContractPart, title: string, test: () => Promise<void>) => {
      const reason = options.skip?.[which];
      if (reason === undefined) it(title, test);
      else it.skip(`${title} [skipped: ${reason}]`, test);
    };
    const roundTrip = async (scope: PredictionScope, rows: readonly PredictionRow[]) => {
      await tier.putMany(scope, rows, ask);
      const answers = await tier.getMany(
        scope,
        rows.map((row) => row.input),
        ask,
      );
      expect(answers.map(inputAndValues)).toEqual(rows.map(inputAndValues));
      expect(sortedRows(await collect(tier, scope, ask))).toEqual(sortedRows(rows));
    };

    it("gives rows back exactly as they were put, with their types", () =>
      roundTrip(scopeOf(), [
        row("CCO", 46.069, 0, "ethanol"),
        row("CCC", 44.096999999999994, 0, "propane"),
        row("tiny", Number.MIN_VALUE, -1, "x"),
        row("huge", Number.MAX_VALUE, 1, "x"),
        row("whole", 46, 46, "46"),
        row("third", 1 / 3, -7, "0.1"),
        row("scientific", 1.5e-7, 1e15, "1e5"),
        row("negative", -1.37102176232333, -12345, "-0"),
      ]));

    it("distinguishes null, the empty string and words that look like null", () =>
      roundTrip(scopeOf(), [
        row("all null", null, null, null),
        row("empty text", 1, 2, ""),
        row("null number", null, 2, "x"),
        row("null integer", 1, null, "x"),
        row("null text", 1, 2, null),
        ...["None", "null", "NULL", "NaN", "nan", "\\N", "undefined", " "].map((word) =>
          row(`word ${word}`, 1, 2, word),
        ),
      ]));

    it("keeps texts with commas, quotes, line breaks, NUL and every script", () =>
      roundTrip(
        scopeOf(),
        [
          "a,b",
          'say "x"',
          "'",
          "line\nbreak",
          "cr\r\nlf",
          "tab\t",
          "nul\u0000nul",
          "é ü ß",
          "分子",
          "🧪💊",
          "[\\]{}",
        ]
          .flatMap((text) => [row(text, 1, 2, "x"), row(`input of ${text}`, 1, 2, text)])
          .concat(row(" leading and trailing ", 1, 2, " leading and trailing ")),
      ));

    it("keeps integers up to 2^53 - 1 exactly", () =>
      roundTrip(scopeOf(), [
        row("max", 1, Number.MAX_SAFE_INTEGER, "x"),
        row("min", 1, Number.MIN_SAFE_INTEGER, "x"),
        ...[
          127,
          128,
          -128,
          -129,
          255,
          32767,
          32768,
          2 ** 31 - 1,
          2 ** 31,
          -(2 ** 31) - 1,
          2 ** 32,
          2 ** 40,
        ].map((value) => row(`n${value}`, value, value, String(value))),
      ]));

    part("non-finite", "keeps NaN and both infinities of float columns", () =>
      roundTrip(scopeOf(), [
        row("nan", Number.NaN, 1, "x"),
        row("up", Number.POSITIVE_INFINITY, 1, "x"),
        row("down", Number.NEGATIVE_INFINITY, 1, "x"),
      ]),
    );

    part("minus-zero", "distinguishes -0 from 0 in float columns", () =>
      roundTrip(scopeOf(), [row("minus", -0, 0, "x"), row("plus", 0, 0, "x")]),
    );

    it("keeps rows of one column, of many columns and of whole fingerprints", async () => {
      const one = scopeOf({ columns: [{ name: "mol_weight", type: "float" }] });
      await roundTrip(one, [{ input: "CCO", values: [46.069] }]);
      const wide: Column[] = Array.from({ length: 300 }, (_, i) => ({ name: `bit_${i}`, type: "integer" }));
      const values = wide.map((_, i) => (i % 7 === 0 ? 1 : 0));
      await roundTrip(scopeOf({ columns: wide }), [
        { input: "CCO", values },
        { input: "CCC", values: values.toReversed() },
      ]);
    });

    it("takes the empty input and inputs that differ only in spaces or case as separate inputs", () =>
      roundTrip(
        scopeOf(),
        ["", " ", "  ", "CCO", " CCO", "CCO ", "cco"].map((input, at) => row(input, at, at, `v${at}`)),
      ));

    part(
      "huge-input",
      "keeps inputs from the longest key up to a megabyte, and distinguishes their endings",
      () => {
        const long = [500, 1900, 1978, 1979, 5000, 1_000_000].flatMap((length) => [
          "C".repeat(length),
          `${"C".repeat(length - 1)}O`,
        ]);
        return roundTrip(
          scopeOf(),
          long.map((input, at) => row(input, at, at, `v${at}`)),
        );
      },
    );

    part("lone-surrogates", "never answers a malformed text with the row of another one", async () => {
      const scope = scopeOf();
      await tier.putMany(scope, [row("\ufffd", 1, 1, "replacement")], ask);
      expect(await tier.getMany(scope, ["\ud800", "\udc00"], ask)).toEqual([undefined, undefined]);
      await tier.putMany(scope, [row("\ud800", 2, 2, "high")], ask);
      const [replacement, high, low] = await tier.getMany(scope, ["\ufffd", "\ud800", "\udc00"], ask);
      expect(replacement?.values).toEqual([1, 1, "replacement"]);
      expect([undefined, "high"]).toContain(high?.values[2]);
      expect(low).toBeUndefined();
    });

    it("answers in the order of the inputs, duplicates included, and leaves holes where it has nothing", async () => {
      const scope = scopeOf();
      await tier.putMany(scope, [row("CCO", 1, 1, "a"), row("CCC", 2, 2, "b")], ask);
      const answers = await tier.getMany(scope, ["CCC", "OCC", "CCO", "CCC", "C(O)C", "CCO"], ask);
      expect(answers.map((answer) => answer?.input)).toEqual([
        "CCC",
        undefined,
        "CCO",
        "CCC",
        undefined,
        "CCO",
      ]);
      expect(await tier.getMany(scope, [], ask)).toEqual([]);
    });

    it("never answers with rows of another model, release or set of columns", async () => {
      const home = scopeOf();
      const others = [
        scopeOf({ modelId: "eos9zzz" as ModelId }),
        scopeOf({ release: "v2" }),
        scopeOf({ release: "v1/x" }),
        scopeOf({ columns: columns.toReversed() }),
        scopeOf({ columns: columns.map((column) => ({ ...column, name: `${column.name}2` })) }),
        scopeOf({ columns: columns.map((column) => ({ ...column, type: "string" as const })) }),
      ];
      await tier.putMany(home, [row("CCO", 1, 1, "home")], ask);
      for (const other of others) {
        expect(await tier.getMany(other, ["CCO"], ask)).toEqual([undefined]);
        expect(await collect(tier, other, ask)).toEqual([]);
        expect(await tier.count(other, ask)).toBe(0);
      }
      const second = scopeOf({ release: "v2" });
      await tier.putMany(second, [row("CCO", 2, 2, "second"), row("CCC", 3, 3, "second")], ask);
      expect((await tier.getMany(home, ["CCO", "CCC"], ask)).map((answer) => answer?.values)).toEqual([
        [1, 1, "home"],
        undefined,
      ]);
      expect((await tier.getMany(second, ["CCO"], ask)).map((answer) => answer?.values)).toEqual([
        [2, 2, "second"],
      ]);
      expect([await tier.count(home, ask), await tier.count(second, ask)]).toEqual([1, 2]);
    });

    it("takes columns that differ only in their description as the same columns", async () => {
      await tier.putMany(scopeOf(), [row("CCO", 1, 1, "a")], ask);
      const described = scopeOf({ columns: columns.map((column) => ({ ...column, description: "words" })) });
      expect(columnsDigest(described.columns)).toBe(columnsDigest(columns));
      expect((await tier.getMany(described, ["CCO"], ask))[0]?.values).toEqual([1, 1, "a"]);
    });

    it("changes nothing when equal rows are put again, and says so", async () => {
      const scope = scopeOf();
      const rows = manyRows(50);
      expect(await tier.putMany(scope, rows, ask)).toEqual({ stored: 50, alreadyThere: 0 });
      expect(await tier.putMany(scope, rows, ask)).toEqual({ stored: 0, alreadyThere: 50 });
      expect(await tier.putMany(scope, [...rows.slice(40), row("new", 1, 1, "n")], ask)).toEqual({
        stored: 1,
        alreadyThere: 10,
      });
      expect(await tier.count(scope, ask)).toBe(51);
      expect(await tier.putMany(scope, [], ask)).toEqual({ stored: 0, alreadyThere: 0 });
    });

    it("takes equal inputs inside one call as one row, and the newest value of an input as its value", async () => {
      const scope = scopeOf();
      const twice = [row("CCO", 1, 1, "a"), row("CCC", 2, 2, "b"), row("CCO", 1, 1, "a")];
      expect((await tier.putMany(scope, twice, ask)).stored).toBe(2);
      expect(await tier.count(scope, ask)).toBe(2);
      await tier.putMany(scope, [row("CCO", 9, 9, "newer")], ask);
      expect((await tier.getMany(scope, ["CCO"], ask))[0]?.values).toEqual([9, 9, "newer"]);
      expect(await tier.count(scope, ask)).toBe(2);
    });

    it("refuses a row with more or fewer values than there are columns", async () => {
      const scope = scopeOf();
      await expect(tier.putMany(scope, [{ input: "CCO", values: [1, 2] }], ask)).rejects.toThrow(/invariant/);
      await expect(tier.putMany(scope, [{ input: "CCO", values: [1, 2, "x", 4] }], ask)).rejects.toThrow(
        /invariant/,
      );
      expect(await tier.count(scope, ask)).toBe(0);
    });

    it("keeps where a value came from", async () => {
      const scope = scopeOf();
      const sources = [
        { computedAt: "2026-11-21T10:20:30.456Z", runner: "builtin", toolkit: "rdkit-wasm 2026.9.1" },
        { computedAt: "2026-11-21T10:20:31.000Z", runner: "script" },
        { runner: "import" },
        { computedAt: "2020-01-01T00:00:00.000Z" },
      ];
      const rows = sources.map((provenance, at) => ({ ...row(`i${at}`, at, at, "x"), provenance }));
      await tier.putMany(scope, rows, ask);
      const answers = await tier.getMany(
        scope,
        rows.map((each) => each.input),
        ask,
      );
      expect(answers.map((answer) => answer?.provenance)).toEqual(sources);
    });

    it("finds rows by canonical form where it can", async () => {
      if (!tier.can.canonicalIndex) {
        expect(tier.getManyCanonical).toBeUndefined();
        return;
      }
      const scope = scopeOf();
      await tier.putMany(
        scope,
        [
          { ...row("OCC", 46.069, 0, "ethanol"), canonical: "CCO" },
          { ...row("C1CC1", 42.08, 1, "ring"), canonical: "C1CC1" },
          row("no form", 1, 1, "x"),
        ],
        ask,
      );
      const answers = await tier.getManyCanonical?.(scope, ["CCO", "CCC", "C1CC1", "CCO"], ask);
      expect(answers?.map((answer) => answer?.values[2])).toEqual(["ethanol", undefined, "ring", "ethanol"]);
      expect(answers?.[0]?.input).toBe("OCC");
      const elsewhere = await tier.getManyCanonical?.(scopeOf({ release: "v2" }), ["CCO"], ask);
      expect(elsewhere).toEqual([undefined]);
    });

    it("scans every row once, in batches", async () => {
      const scope = scopeOf();
      const rows = manyRows(1500);
      await tier.putMany(scope, rows.slice(0, 700), ask);
      await tier.putMany(scope, rows.slice(650), ask);
      await tier.putMany(scopeOf({ release: "v2" }), manyRows(10), ask);
      expect(sortedRows(await collect(tier, scope, ask))).toEqual(sortedRows(rows));
      expect(await tier.count(scope, ask)).toBe(1500);
    });

    it("samples without replacement, equally for an equal seed, and as every other tier does", async () => {
      const scope = scopeOf();
      const rows = manyRows(400);
      await tier.putMany(scope, rows, ask);
      const memory = createMemoryTier();
      await memory.putMany(scope, rows.toReversed(), ask);
      const request = { count: 25, seed: "seven" };
      const sample = await tier.sample(scope, request, ask);
      expect(new Set(sample.map((each) => each.input)).size).toBe(25);
      expect((await tier.sample(scope, request, ask)).map(inputAndValues)).toEqual(
        sample.map(inputAndValues),
      );
      expect((await memory.sample(scope, request, ask)).map(inputAndValues)).toEqual(
        sample.map(inputAndValues),
      );
      const other = await tier.sample(scope, { count: 25, seed: "eight" }, ask);
      expect(other.map((each) => each.input)).not.toEqual(sample.map((each) => each.input));
      const all = await tier.sample(scope, { count: 1000, seed: "seven" }, ask);
      expect(sortedRows(all)).toEqual(sortedRows(rows));
      expect(all.slice(0, 25).map(inputAndValues)).toEqual(sample.map(inputAndValues));
      expect(await tier.sample(scope, { count: 0, seed: "seven" }, ask)).toEqual([]);
      expect(await tier.sample(scopeOf({ release: "v2" }), request, ask)).toEqual([]);
    });

    it("drops every row of one scope, says how many, and leaves the others", async () => {
      const scope = scopeOf();
      const other = scopeOf({ release: "v2" });
      await tier.putMany(scope, manyRows(30), ask);
      await tier.putMany(other, manyRows(5), ask);
      expect(await tier.drop(scope, ask)).toBe(30);
      expect(await tier.drop(scope, ask)).toBe(0);
      expect([await tier.count(scope, ask), await tier.count(other, ask)]).toEqual([0, 5]);
      expect(await tier.getMany(scope, ["input 1"], ask)).toEqual([undefined]);
      if (tier.can.canonicalIndex)
        expect(await tier.getManyCanonical?.(scope, ["form 1"], ask)).toEqual([undefined]);
      expect((await tier.putMany(scope, manyRows(3), ask)).stored).toBe(3);
      expect(await tier.count(scope, ask)).toBe(3);
    });

    it("lists what it holds of every model, release and set of columns, and drops what was listed", async () => {
      const scope = scopeOf();
      const older = scopeOf({ release: "v0 beta/1" });
      const renamed = scopeOf({ columns: [{ name: "mass", type: "float" }] });
      const other = scopeOf({ modelId: "eos9zzz" as ModelId });
      expect(await tier.listScopes(ask)).toEqual([]);
      await tier.putMany(scope, manyRows(4), ask);
      await tier.putMany(older, manyRows(3), ask);
      await tier.putMany(renamed, [row("a", 1), row("b", 2)], ask);
      await tier.putMany(other, manyRows(1), ask);
      const summary = (of: PredictionScope, rows: number) => ({
        modelId: of.modelId as string,
        release: of.release,
        columns: columnsDigest(of.columns),
        rows,
      });
      const listed = await tier.listScopes(ask);
      expect(new Set(listed.map((each) => JSON.stringify(each)))).toEqual(
        new Set(
          [summary(scope, 4), summary(older, 3), summary(renamed, 2), summary(other, 1)].map((each) =>
            JSON.stringify(each),
          ),
        ),
      );
      expect(await tier.dropListed(summary(older, 3), ask)).toBe(3);
      expect(await tier.dropListed(summary(renamed, 2), ask)).toBe(2);
      expect(await tier.dropListed(summary(renamed, 2), ask)).toBe(0);
      const counts = [scope, older, renamed, other].map((each) => tier.count(each, ask));
      expect(await Promise.all(counts)).toEqual([4, 0, 0, 1]);
      expect(await tier.listScopes(ask)).toHaveLength(2);
    });

    it("finds everything again after it was closed and opened", async () => {
      if (!place.persistent) return;
      const scope = scopeOf();
      await tier.putMany(scope, manyRows(20), ask);
      await tier.close();
      opened = opened.filter((each) => each !== tier);
      tier = await connect();
      expect(sortedRows(await collect(tier, scope, ask))).toEqual(sortedRows(manyRows(20)));
      expect((await tier.putMany(scope, manyRows(21), ask)).stored).toBe(1);
    });

    part("concurrent-writers", "loses nothing when several writers put at the same time", async () => {
      const scope = scopeOf();
      const writers = place.persistent ? [tier, await connect(), await connect()] : [tier, tier, tier];
      const rows = manyRows(300);
      await Promise.all(
        writers.flatMap((writer, at) =>
          [0, 1, 2].map((turn) =>
            writer.putMany(scope, rows.slice(at * 50 + turn * 50, at * 50 + turn * 50 + 80), ask),
          ),
        ),
      );
      const written = rows.slice(0, 280);
      for (const reader of new Set(writers)) {
        expect(sortedRows(await collect(reader, scope, ask))).toEqual(sortedRows(written));
        expect(await reader.count(scope, ask)).toBe(280);
      }
    });

    it("stops when it is asked to, and works on afterwards", async () => {
      const scope = scopeOf();
      await tier.putMany(scope, manyRows(10), ask);
      const stop = new AbortController();
      stop.abort(new AppError("RUN_INTERRUPTED", "interrupted by a test"));
      const stopped: Ask = { signal: stop.signal };
      const attempts = [
        () => tier.getMany(scope, ["input 1"], stopped),
        () => tier.putMany(scope, manyRows(20), stopped),
        () => collect(tier, scope, stopped),
        () => tier.sample(scope, { count: 2, seed: "s" }, stopped),
      ];
      for (const attempt of attempts) {
        const error: unknown = await attempt().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(isAppError(error, "RUN_INTERRUPTED")).toBe(true);
      }
      expect(await tier.count(scope, ask)).toBe(10);
    });

    it("stops in the middle of a scan when it is asked to", async () => {
      const scope = scopeOf();
      await tier.putMany(scope, manyRows(1200), ask);
      const stop = new AbortController();
      const reading = async () => {
        for await (const _ of tier.scan(scope, { signal: stop.signal })) stop.abort();
      };
      // A tier may deliver everything in one batch; then there is no middle, and the scan just ends.
      const error: unknown = await reading().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error === undefined || isAppError(error, "RUN_INTERRUPTED")).toBe(true);
      expect(await tier.count(scope, ask)).toBe(1200);
    });
  });
}

/** A scope of the contract's three columns: float, integer, string. */
export function scopeOf(changes: Partial<PredictionScope> = {}): PredictionScope {
  const scope = { modelId: "eos1abc" as ModelId, release: "v1", columns, ...changes };
  // Reading the identity here makes a scope that cannot have one fail in the test that made it.
  scopeIdentity(scope);
  return scope;
}

export function row(input: string, ...values: Cell[]): PredictionRow {
  return { input, values };
}

export function manyRows(count: number): readonly PredictionRow[] {
  return Array.from({ length: count }, (_, at) => ({
    ...row(`input ${at}`, at / 7, at, at % 10 === 0 ? null : `label ${at}`),
    canonical: `form ${at}`,
  }));
}

/** Input and values only: provenance and canonical form have their own tests. */
export function inputAndValues(each: PredictionRow | undefined): PredictionRow | undefined {
  return each === undefined ? undefined : { input: each.input, values: each.values };
}

export async function collect(
  tier: PredictionTier,
  scope: PredictionScope,
  ask: Ask,
): Promise<PredictionRow[]> {
  const rows: PredictionRow[] = [];
  for await (const batch of tier.scan(scope, ask)) rows.push(...batch);
  return rows;
}

export function sortedRows(rows: readonly PredictionRow[]): (PredictionRow | undefined)[] {
  return rows.toSorted((x, y) => (x.input < y.input ? -1 : x.input > y.input ? 1 : 0)).map(inputAndValues);
}
