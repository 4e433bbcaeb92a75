import { describe, expect, it } from "vitest";
import { differences } from "./differences.ts";
import { lineDifferences } from "./line-differences.ts";

const hex = (digit: string) => digit.repeat(64);

const before = {
  task: { name: "align", family: "command" },
  command: "set -e\nbwa mem -t 2 ref.fa\nsort\n",
  shell: ["/bin/bash"],
  inputs: { "inputs/0/a.txt": `sha256:${hex("a")}`, "inputs/0/b.txt": `sha256:${hex("b")}` },
  env: { LANG: "C" },
  container: { platform: "linux/amd64", configDigest: `sha256:${hex("1")}` },
  outputs: { sam: { type: "file", from: { kind: "path", path: "o.sam" } } },
  exit: [0],
  resources: "ignored",
  engine: "any",
};

describe("differences between the components of two calls", () => {
  it("are none when the components are equal", () => {
    expect(differences(before, structuredClone(before))).toEqual([]);
  });

  it("name inputs that were added, removed and changed", () => {
    const after = {
      ...before,
      inputs: { "inputs/0/a.txt": `sha256:${hex("c")}`, "inputs/1/n.txt": `sha256:${hex("d")}` },
    };
    expect(differences(before, after).map((difference) => difference.words)).toEqual([
      "input inputs/0/a.txt has other content: sha256:aaaaaaaaaaaa… -> sha256:cccccccccccc…",
      "input inputs/0/b.txt was removed (sha256:bbbbbbbbbbbb…)",
      "input inputs/1/n.txt was added (sha256:dddddddddddd…)",
    ]);
  });

  it("show the lines of the command that changed", () => {
    const after = { ...before, command: "set -e\nbwa mem -t 4 ref.fa\nsort\n" };
    expect(differences(before, after)).toEqual([
      {
        component: "command",
        change: "changed",
        words: "the command changed (2 lines differ)",
        lines: ["-bwa mem -t 2 ref.fa", "+bwa mem -t 4 ref.fa"],
      },
    ]);
  });

  it("say that the container image changed", () => {
    const after = { ...before, container: { platform: "linux/amd64", configDigest: `sha256:${hex("2")}` } };
    expect(differences(before, after)[0]?.words).toBe(
      "the container image changed: sha256:111111111111… -> sha256:222222222222…",
    );
  });

  it("come in the order of the key, and components of newer releases last", () => {
    const after = { ...before, engine: "wdl 2", task: { name: "b", family: "command" }, weather: "rain" };
    expect(differences(before, after).map((difference) => difference.component)).toEqual([
      "task",
      "engine",
      "weather",
    ]);
  });
});

describe("line differences", () => {
  it("keep lines that both texts have", () => {
    expect(lineDifferences("a\nb\nc\nd", "a\nx\nc\ny\nd")).toEqual(["-b", "+x", "+y"]);
  });

  it("are cut to what a person reads", () => {
    const many = Array.from({ length: 50 }, (_, i) => `line ${i}`).join("\n");
    const lines = lineDifferences("", many);
    expect(lines).toHaveLength(13);
    expect(lines.at(-1)).toMatch(/^… and \d+ more lines$/);
  });

  it("do not take forever over huge texts", () => {
    const text = (prefix: string) => Array.from({ length: 5_000 }, (_, i) => `${prefix}${i}`).join("\n");
    expect(lineDifferences(text("a"), text("b"))).toHaveLength(13);
  });
});
