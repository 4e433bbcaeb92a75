/** What can be wrong with a model and what is asked of it: each trouble has its own message, code and exit code. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";

/** Nobody listens there. */
const gone = "http://127.0.0.1:9";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create({ MEMOIR_ERSILIA_REDIS: "off" });
  await box.inputs("in.csv", ["CCO", "CCC"]);
  await box.write("other.csv", "input,some_score\nCCO,1\n");
  await box.json("run", "--model", "rdkit-descriptors", "-i", "in.csv", "-o", "out.csv");
  await box.json("similar", "rdkit-descriptors", "-i", "in.csv");
  await box.inputs("more.csv", ["CCCC"]);
  await box.json("run", "--model", "rdkit-descriptors", "-i", "more.csv", "-o", "more-out.csv");
});
afterAll(() => box.remove());

async function refused(line: string): Promise<readonly [number | null, string | undefined, string]> {
  const { code, out, err } = await box.run(...line.split(" "));
  expect(out).toBe("");
  return [code, /\[([A-Z]+(?:_[A-Z]+)+)\]/.exec(err)?.[1], err];
}

describe("what is asked of a model is refused", () => {
  it.each([
    ["a wrong model", "run --model eos0xyz -i in.csv -o x.csv", 3, "MODEL_NOT_FOUND", "eos0xyz"],
    ["a folder that is none", "run --model a/b -i in.csv -o x.csv", 3, "FILE_NOT_FOUND", "a/b"],
    [
      "columns of another model",
      "predictions import eos3b5e other.csv",
      3,
      "PREDICT_INPUT_COLUMNS_UNCLEAR",
      "mol_weight",
    ],
    ["a server that has gone", "serve GONE", 4, "MODEL_SERVER_UNREACHABLE", "GONE"],
    [
      "a server that runs already, isolated",
      "run --isolate --model eos3b5e --runner-url GONE -i in.csv -o x.csv",
      4,
      "EXEC_ISOLATION_UNAVAILABLE",
      "its server runs already",
    ],
    [
      "a similarity out of range",
      "similar eos3b5e -i in.csv --similarity 1.01",
      2,
      "CLI_USAGE",
      "--similarity must be more than 0",
    ],
    [
      "a similarity out of range, of a run",
      "run --model eos3b5e -i in.csv -o x.csv --nearest -1",
      2,
      "CLI_USAGE",
      "--nearest must be more than 0",
    ],
    [
      "an index older than the store",
      "similar rdkit-descriptors -i in.csv --index current",
      4,
      "SIMILAR_INDEX_OLD",
      "it was made from 2 rows, and there are 3",
    ],
  ])("for %s", async (_, line, code, name, words) => {
    const [ended, found, err] = await refused(line.replaceAll("GONE", gone));
    expect([ended, found]).toEqual([code, name]);
    expect(err).toContain(words.replaceAll("GONE", gone));
  });

  it("with exit code 0 for what a cache has, although its server has gone and is to be isolated", async () => {
    await box.json(
      "run",
      "--model",
      "rdkit-descriptors",
      "-i",
      "in.csv",
      "-o",
      "stored.csv",
      "--isolate",
      "--runner-url",
      gone,
    );
    expect(await box.rows("stored.csv")).toHaveLength(2);
  });
});

describeWith([podmanRequirement], "an image of a model", () => {
  it("that is missing is named", async () => {
    const [code, name, err] = await refused("fetch --image localhost/nobody/eos0img:1");
    expect([code, name]).toEqual([4, "MODEL_IMAGE_MISSING"]);
    expect(err).toContain("localhost/nobody/eos0img:1");
  });
});
