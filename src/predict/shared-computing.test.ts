import { expect, it } from "vitest";
import { AppError, type Ask, freshAsk } from "../kernel/index.ts";
import type { Runner } from "../models/index.ts";
import type { Column, Prediction } from "../task/index.ts";
import { SharedComputing } from "./shared-computing.ts";

const columns: readonly Column[] = [{ name: "length", type: "integer" }];

/** A model that waits until it is let go, and remembers what it was asked. */
class HeldModel implements Runner {
  readonly kind = "held";
  readonly toolkit = undefined;
  readonly batches: (readonly string[])[] = [];
  opened = 0;
  fails: AppError | undefined;
  #waiting: (() => void)[] = [];
  #isFree = false;

  async open(): Promise<void> {
    this.opened++;
  }

  async predict(inputs: readonly string[]): Promise<readonly Prediction[]> {
    this.batches.push(inputs);
    if (!this.#isFree) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.fails !== undefined) throw this.fails;
    return inputs.map((input) => ({ kind: "computed", values: [input.length] }));
  }

  free(): void {
    this.#isFree = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  async close(): Promise<void> {}
}

interface Shared {
  readonly model: HeldModel;
  readonly computing: SharedComputing;
  readonly recorded: string[];
}

function shared(equalInputs: "share" | "separate" = "share"): Shared {
  const model = new HeldModel();
  const recorded: string[] = [];
  const computing = new SharedComputing({
    ...{ runner: model, columns, parallel: 1, equalInputs, ask: freshAsk() },
    computed: (inputs) => recorded.push(...inputs),
  });
  return { model, computing, recorded };
}

const records = { records: true };

/** Until the model has been asked for so many batches. */
async function asked({ model }: Shared, batches: number): Promise<void> {
  await expect.poll(() => model.batches.length).toBe(batches);
}

it("computes an input once for all who ask, and what waits together", async () => {
  const all = shared();
  const first = all.computing.compute(["C", "CC"], records, freshAsk());
  await asked(all, 1);
  const others = [["CC", "CCC"], ["CCC", "CCCC"], ["C"]].map((inputs) =>
    all.computing.compute(inputs, records, freshAsk()),
  );
  all.model.free();
  expect(await first).toHaveLength(2);
  expect(await Promise.all(others)).toEqual(
    [[2, 3], [3, 4], [1]].map((lengths) => lengths.map((n) => ({ kind: "computed", values: [n] }))),
  );
  expect(all.model.batches).toEqual([
    ["C", "CC"],
    ["CCC", "CCCC"],
  ]);
  expect(all.model.opened).toBe(1);
});

it("keeps an answer until it is released: who looked it up before it was recorded finds it here", async () => {
  const all = shared();
  all.model.free();
  await all.computing.compute(["C"], records, freshAsk());
  await all.computing.compute(["C"], records, freshAsk());
  expect(all.model.batches).toEqual([["C"]]);
  all.computing.release(["C"]);
  await all.computing.compute(["C"], records, freshAsk());
  expect(all.model.batches).toEqual([["C"], ["C"]]);
});

it("does not release what is still being computed", async () => {
  const all = shared();
  const first = all.computing.compute(["C"], records, freshAsk());
  await asked(all, 1);
  all.computing.release(["C"]);
  const second = all.computing.compute(["C"], records, freshAsk());
  all.model.free();
  await Promise.all([first, second]);
  expect(all.model.batches).toEqual([["C"]]);
});

it("computes for the others when one goes away, and nothing that nobody waits for", async () => {
  const all = shared();
  const held = all.computing.compute(["hold"], records, freshAsk());
  await asked(all, 1);
  const leaving = new AbortController();
  const ask: Ask = { signal: leaving.signal };
  const left = all.computing.compute(["C", "CC"], records, ask);
  const stays = all.computing.compute(["CC"], records, freshAsk());
  leaving.abort(new Error("gone"));
  await expect(left).rejects.toMatchObject({ code: "RUN_INTERRUPTED" });
  all.model.free();
  await Promise.all([held, stays]);
  expect(all.model.batches).toEqual([["hold"], ["CC"]]);
});

it("records what anybody wants recorded, before anybody gets it", async () => {
  const all = shared();
  const held = all.computing.compute(["hold"], { records: false }, freshAsk());
  await asked(all, 1);
  const without = all.computing.compute(["C", "CC"], { records: false }, freshAsk());
  const recording = all.computing.compute(["CC"], records, freshAsk());
  all.model.free();
  await Promise.all([held, without, recording]);
  expect(all.recorded).toEqual(["CC"]);
});

it("lets the next who asks try again after the model broke", async () => {
  const all = shared();
  all.model.free();
  all.model.fails = new AppError("MODEL_SERVER_UNREACHABLE", "it does not answer");
  await expect(all.computing.compute(["C"], records, freshAsk())).rejects.toMatchObject({
    code: "MODEL_SERVER_UNREACHABLE",
  });
  all.model.fails = undefined;
  expect(await all.computing.compute(["C"], records, freshAsk())).toEqual([
    { kind: "computed", values: [1] },
  ]);
});

it("computes equal inputs separately for models whose answers vary", async () => {
  const all = shared("separate");
  all.model.free();
  await all.computing.compute(["C", "C"], records, freshAsk());
  expect(all.model.batches).toEqual([["C", "C"]]);
});
