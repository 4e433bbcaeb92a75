import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { AppError } from "./errors.ts";
import { asAppError } from "./system-trouble.ts";

const systemError = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: no, ${syscall}`), {
    code,
    syscall,
    ...(path === undefined ? {} : { path }),
  });

it.each([
  ["ENOSPC", "write", "DISK_FULL"],
  ["EDQUOT", "mkdir", "DISK_FULL"],
  ["EMFILE", "open", "MACHINE_TOO_MANY_FILES"],
  ["EIO", "read", "MACHINE_INPUT_OUTPUT_ERROR"],
  ["EACCES", "scandir", "FILE_NOT_READABLE"],
  ["EACCES", "mkdir", "FILE_NOT_WRITABLE"],
  ["EROFS", "rename", "FILE_NOT_WRITABLE"],
  ["ENOMEM", "spawn", "MACHINE_OUT_OF_MEMORY"],
])("%s of %s is %s, whoever let it through", (code, syscall, expected) => {
  const error = asAppError(systemError(code, syscall, "/data/x"));
  expect(error?.code).toBe(expected);
  expect(error?.message).toContain(`${syscall} /data/x`);
  expect(["environment", "not-found"]).toContain(error?.row.kind);
});

it("a real error of the file system is recognised", () => {
  try {
    readFileSync("/proc/self/no-such-file");
  } catch (error) {
    expect(asAppError(error)?.row.kind).toBe("environment");
  }
});

it("texts beyond V8's limit are not reported as a bug", () => {
  let thrown: unknown;
  try {
    "x".repeat(2 ** 30);
  } catch (error) {
    thrown = error;
  }
  expect(asAppError(thrown)?.code).toBe("MACHINE_OUT_OF_MEMORY");
});

it("an AppError stays what it is, and our own mistakes stay mistakes", () => {
  const own = new AppError("DISK_FULL", "writing x");
  expect(asAppError(own)).toBe(own);
  for (const error of [new TypeError("x is undefined"), new Error("invariant broken"), "text", undefined])
    expect(asAppError(error)).toBeUndefined();
});
