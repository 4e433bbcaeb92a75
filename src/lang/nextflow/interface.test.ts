import { expect, test } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { SourceTree } from "../core/index.ts";
import { loadScripts } from "./check/load.ts";
import { timeLimit } from "./eval/time-limit.ts";
import { interfaceOf } from "./interface.ts";

const main = "params.reads = 'x'\nparams.n = 3\nprocess P { script: 'true' }\nworkflow { P() }";
const tree: SourceTree = {
  name: "documents",
  read: async (uri) => (uri === "main.nf" ? { name: uri, text: main } : undefined),
  resolve: (reference) => reference,
  hostPathOf: () => undefined,
  list: async () => ["main.nf"],
  listFolder: async () => undefined,
};

async function parameters(schema: string | undefined) {
  const found = interfaceOf(await loadScripts(tree, "main.nf", timeLimit(), freshAsk()), {
    name: "p",
    schema,
    version: "25.10.4",
  });
  return found.parameters.map(({ name, type, required, defaultText }) => [name, type, required, defaultText]);
}

test("parameters are those that scripts set", async () => {
  expect(await parameters(undefined)).toEqual([
    ["reads", "String", false, "'x'"],
    ["n", "Integer", false, "3"],
  ]);
});

test("a schema says more of them, and hides what is not for everybody", async () => {
  const schema = JSON.stringify({
    $defs: {
      io: {
        properties: { input: { type: "string" }, n: { type: "integer", default: 4 }, x: { hidden: true } },
        required: ["input"],
      },
    },
    allOf: [{ $ref: "#/$defs/io" }],
  });
  expect(await parameters(schema)).toEqual([
    ["input", "string", true, undefined],
    ["n", "integer", false, "4"],
    ["reads", "String", false, "'x'"],
  ]);
  expect(await parameters("no JSON")).toHaveLength(2);
});
