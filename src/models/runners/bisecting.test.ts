import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError, type ErrorCode, freshAsk, isAppError } from "../../kernel/index.ts";
import type { Prediction } from "../../task/index.ts";
import type { Runner } from "../model.ts";
import { bisecting } from "./bisecting.ts";

/** Answers the length of the input; a batch with an input of `bad` fails as a whole. Counts its calls. */
function lengthRunner(bad: (input: string) => boolean, code: ErrorCode = "MODEL_RUN_FAILED") {
  const calls: (readonly string[])[] = [];
  const runner: Runner = {
    kind: "test",
    toolkit: "none 1",
    open: async () => {},
    predict: async (inputs) => {
      calls.push(inputs);
      const culprit = inputs.find(bad);
      if (culprit !== undefined) throw new AppError(code, `cannot handle ${culprit}`);
      return inputs.map((input): Prediction => ({ kind: "computed", values: [input.length] }));
    },
    close: async () => {},
  };
  return { runner, calls };
}

const known = { knownInput: "known" };
const isBad = (input: string) => input.startsWith("bad");

describe("a batch with bad rows", () => {
  test("marks exactly the bad rows, wherever they stand", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("bad", "C", "CC", "bad2", " "), { maxLength: 40 }),
        async (inputs) => {
          const answers = await bisecting(lengthRunner(isBad).runner, known).predict(inputs, freshAsk());
          expect(
            answers.map((answer) => (answer.kind === "computed" ? answer.values[0] : answer.kind)),
          ).toEqual(inputs.map((input) => (isBad(input) || input.trim() === "" ? "failed" : input.length)));
        },
      ),
    );
  });

  test("gives each failed row its own reason", async () => {
    const { runner } = lengthRunner(isBad);
    const answers = await bisecting(runner, known).predict(["C", "bad", "C", "bad2"], freshAsk());
    expect(answers[1]).toEqual({ kind: "failed", reason: "cannot handle bad" });
    expect(answers[3]).toEqual({ kind: "failed", reason: "cannot handle bad2" });
  });

  test.each([0, 700, 1023])(
    "finds one culprit among 1024 (row %i) without trying halves that must fail",
    async (at) => {
      const { runner, calls } = lengthRunner(isBad);
      const inputs = Array.from({ length: 1024 }, (_, i) => (i === at ? "bad" : `C${i}`));
      await bisecting(runner, known).predict(inputs, freshAsk());
      // The example, the batch, one or two halves for each halving.
      expect(calls.length).toBeLessThanOrEqual(2 + 10 + (at === 0 ? 10 : at === 700 ? 6 : 1));
    },
  );

  test("that fails by its size is cut until its parts are small enough", async () => {
    const inner = lengthRunner(() => false).runner;
    const small: Runner = {
      ...inner,
      predict: async (inputs, ask) => {
        if (inputs.length > 10) throw new AppError("MODEL_RUN_FAILED", "out of memory");
        return inner.predict(inputs, ask);
      },
    };
    const inputs = Array.from({ length: 100 }, (_, i) => `C${i}`);
    const answers = await bisecting(small, known).predict(inputs, freshAsk());
    expect(answers.filter((answer) => answer.kind === "computed")).toHaveLength(100);
  });

  test("survives many bad rows in a row, when the model's example still works", async () => {
    const { runner } = lengthRunner(isBad);
    const inputs = [...Array.from({ length: 60 }, () => "bad"), "C"];
    const answers = await bisecting(runner, known).predict(inputs, freshAsk());
    expect(answers.filter((answer) => answer.kind === "failed")).toHaveLength(60);
    expect(answers.at(-1)).toEqual({ kind: "computed", values: [1] });
  });

  test("a runner that answers too few rows is bisected too, and never trusted by position", async () => {
    const inner = lengthRunner(() => false).runner;
    const lossy: Runner = {
      ...inner,
      predict: async (inputs, ask) =>
        (await inner.predict(inputs, ask)).filter((_, i) => !isBad(inputs[i] ?? "")),
    };
    const answers = await bisecting(lossy, known).predict(["CCC", "bad", "C"], freshAsk());
    expect(answers.map((answer) => answer.kind)).toEqual(["computed", "failed", "computed"]);
    expect(answers[2]).toEqual({ kind: "computed", values: [1] });
  });
});

describe("blank inputs", () => {
  test("never reach the model", async () => {
    const { runner, calls } = lengthRunner(isBad);
    const answers = await bisecting(runner, known).predict(["", "C", " \t"], freshAsk());
    expect(calls).toEqual([["C"]]);
    expect(answers[0]).toEqual({ kind: "failed", reason: "the input is empty" });
  });

  test("alone start nothing", async () => {
    const { runner, calls } = lengthRunner(isBad);
    await bisecting(runner, known).predict(["", " "], freshAsk());
    expect(calls).toEqual([]);
  });
});

describe("a dead runner", () => {
  const inputs = Array.from({ length: 10_000 }, (_, i) => `C${i}`);
  const failure = (runner: Runner, knownInput: string | undefined) =>
    bisecting(runner, { knownInput })
      .predict(inputs, freshAsk())
      .catch((error: unknown) => error);

  test("is recognised after the model's example fails as well", async () => {
    const { runner, calls } = lengthRunner(() => true);
    const error = await failure(runner, "known");
    expect(isAppError(error, "PREDICT_RUNNER_BROKE")).toBe(true);
    expect(String(error)).toContain("its own example");
    expect(calls.length).toBe(2);
  });

  test("is recognised without an example after a few single rows", async () => {
    const { runner, calls } = lengthRunner(() => true);
    expect(isAppError(await failure(runner, undefined), "PREDICT_RUNNER_BROKE")).toBe(true);
    expect(calls.length).toBeLessThan(40);
  });

  test("is recognised when it dies after it has worked", async () => {
    let dead = false;
    const { runner, calls } = lengthRunner(() => dead);
    const watched = bisecting(runner, known);
    await watched.predict(inputs.slice(0, 10), freshAsk());
    dead = true;
    const error = await watched.predict(inputs, freshAsk()).catch((thrown: unknown) => thrown);
    expect(isAppError(error, "PREDICT_RUNNER_BROKE")).toBe(true);
    expect(calls.length).toBeLessThan(40);
  });

  test.each(["MODEL_SERVER_UNREACHABLE", "MODEL_LFS_POINTER", "RUN_INTERRUPTED"] as const)(
    "what is not about rows (%s) is passed on at once",
    async (code) => {
      const { runner, calls } = lengthRunner(() => true, code);
      expect(isAppError(await failure(runner, "known"), code)).toBe(true);
      expect(calls.length).toBe(1);
    },
  );
});
