import { expect, it } from "vitest";
import { AppError, catalogue, type ErrorCode } from "../kernel/index.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { errorData, renderError } from "./render-error.ts";
import { createScreen } from "./screen.ts";

const { paint } = createScreen({ stdout: process.stdout, stderr: process.stderr, env: { NO_COLOR: "1" } });

it("an error is shown with its code and what to do next", () => {
  const error = new AppError("FILE_NOT_FOUND", "cannot read the inputs: no file in.csv");
  expect(renderError(error, paint, "short")).toBe(
    "error: cannot read the inputs: no file in.csv [FILE_NOT_FOUND]\n  Check the path; relative paths start at the current folder.",
  );
  expect(errorData(error)).toMatchObject({ error: { code: "FILE_NOT_FOUND", retry: "never" } });
});

it("an error with several lines has its code in the first", () => {
  const error = new AppError(
    "WORKFLOW_INPUTS_INVALID",
    "checking the inputs: one error\nin.json:1:2: no\n  ^^",
  );
  expect(renderError(error, paint, "short").split("\n").slice(0, 3)).toEqual([
    "error: checking the inputs: one error [WORKFLOW_INPUTS_INVALID]",
    "in.json:1:2: no",
    "  ^^",
  ]);
});

it("causes are shown only for debugging", () => {
  const error = new AppError("FILE_NOT_FOUND", "no file", { cause: new Error("deep down") });
  expect(renderError(error, paint, "short")).not.toContain("deep down");
  expect(renderError(error, paint, "with-stack")).toContain("caused by Error: deep down");
});

it("anything else is a bug, with its stack, and exit code 70", () => {
  const text = renderError(new TypeError("x is not a function"), paint, "short");
  expect(text).toContain("bug: x is not a function");
  expect(text).toContain("render-error.test");
  expect(exitCodeOf(new TypeError("x"))).toBe(70);
});

it("secrets in URLs and control characters never reach the terminal", () => {
  const text = renderError(
    new AppError("FILE_NOT_FOUND", "redis://me:geheim@host \u001b[2J"),
    paint,
    "short",
  );
  expect(text).not.toContain("geheim");
  expect(text).not.toContain("\u001b");
});

it("every kind of error has one of the documented exit codes", () => {
  const codes = new Set(
    (Object.keys(catalogue) as ErrorCode[]).map((code) => exitCodeOf(new AppError(code, "x"))),
  );
  expect([...codes].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 75, 130]);
});
