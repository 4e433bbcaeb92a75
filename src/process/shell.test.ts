import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellCommand, shellQuote } from "./shell.ts";

const words = ["plain", "", "two words", "it's", '"$HOME"', "a\nb", "`x`", "\\", "*", "é", "-n", "~", "!1"];

test("a shell reads back exactly the words that were quoted", () => {
  for (const shell of ["/bin/sh", "/bin/bash"]) {
    const printed = execFileSync(shell, [
      "-c",
      `for w in ${shellCommand(words)}; do printf '%s\\0' "$w"; done`,
    ]);
    expect(printed.toString().split("\0").slice(0, -1)).toEqual(words);
  }
});

test("plain words stay readable", () => {
  expect(shellQuote("/data/in.csv")).toBe("/data/in.csv");
  expect(shellQuote("~")).toBe("'~'");
});
