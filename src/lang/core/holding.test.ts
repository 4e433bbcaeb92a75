import { expect, it } from "vitest";
import { type Holding, mayHoldPaths } from "./holding.ts";

const record = (holds: Holding): Holding => ({
  kind: "record",
  fields: new Map([
    ["n", { type: "Int", holds: { kind: "number" } }],
    ["other", { type: "?", holds }],
  ]),
});

it.each<[string, Holding, boolean]>([
  ["a text", { kind: "text" }, false],
  ["a file", { kind: "file" }, true],
  ["what types do not say", { kind: "anything" }, true],
  ["a list of numbers", { kind: "list", items: { kind: "number" } }, false],
  ["a list of folders", { kind: "list", items: { kind: "directory" } }, true],
  ["a map to files", { kind: "group", members: [{ kind: "text" }, { kind: "file" }] }, true],
  ["a text or null", { kind: "either", members: [{ kind: "text" }, { kind: "null" }] }, false],
  ["a record of texts", record({ kind: "text" }), false],
  ["a record with a list of files", record({ kind: "list", items: { kind: "file" } }), true],
])("%s may name files: decided by its type", (_, holding, paths) => {
  expect(mayHoldPaths(holding)).toBe(paths);
});
