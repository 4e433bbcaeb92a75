import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshAsk, isAppError } from "../kernel/index.ts";
import { createMemoryTier, type PredictionTier } from "../store/predictions/index.ts";
import { importPredictions } from "./import.ts";
import { scriptedModel } from "./scripted-runner.ts";

let folder = "";
let tier: PredictionTier;
const model = scriptedModel({
  columns: [
    { name: "size", type: "integer" },
    { name: "label", type: "string" },
  ],
});
const scope = { modelId: model.id, release: model.release, columns: model.columns };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-import-"));
  tier = createMemoryTier();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function take(content: string, name = "in.csv") {
  const path = join(folder, name);
  await writeFile(path, content);
  return await importPredictions({ path, model, tier }, freshAsk());
}
const problem = (content: string, name?: string) =>
  take(content, name).then(
    () => "no error",
    (error: unknown) =>
      isAppError(error) ? `${error.code}: ${error.message.replaceAll(folder, "<dir>")}` : String(error),
  );

it("finds columns by name in any order, types the values, and says that they were imported", async () => {
  const report = await take('label,key,size,input\n"a, ""b""\nc",k,3,CCO\n,k,4,CCC\n');
  expect(report).toEqual({ read: 2, stored: 2, alreadyThere: 0, skipped: 0 });
  const rows = await tier.getMany(scope, ["CCO", "CCC"], freshAsk());
  expect(rows[0]).toEqual({ input: "CCO", values: [3, 'a, "b"\nc'], provenance: { runner: "import" } });
  expect(rows[1]?.values).toEqual([4, null]);
});

it("leaves out rows without any value: failures and misses are no answers", async () => {
  const report = await take("input,size,label\nA,,\nB,None,\nC,\\N,\nD,5,\n,6,x\n");
  expect(report).toEqual({ read: 5, stored: 1, alreadyThere: 0, skipped: 4 });
});

it("changes nothing when it is done again", async () => {
  const text = "input,size,label\nA,1,x\n";
  await take(text);
  expect(await take(text)).toEqual({ read: 1, stored: 0, alreadyThere: 1, skipped: 0 });
});

it("reads TSV", async () => {
  expect((await take("smiles\tsize\tlabel\nA\t1\tx\n", "in.tsv")).stored).toBe(1);
});

it.each([
  ["", "PREDICT_INPUT_EMPTY: cannot import predictions from <dir>/in.csv: the file is empty"],
  [
    "input,size\nA,1\n",
    "PREDICT_INPUT_COLUMNS_UNCLEAR: cannot import predictions from <dir>/in.csv: it has no column label; got input, size",
  ],
  [
    "size,label\n1,x\n",
    "PREDICT_INPUT_COLUMNS_UNCLEAR: cannot import predictions from <dir>/in.csv: it has no column input; got size, label",
  ],
  [
    "input,size,label\nA,1,x\nB,many,x\n",
    'PREDICT_INPUT_MALFORMED: cannot read <dir>/in.csv, line 3: the column size holds "many", expected a whole number',
  ],
  [
    "input,size,label\nA,1.5,x\n",
    'PREDICT_INPUT_MALFORMED: cannot read <dir>/in.csv, line 2: the column size holds "1.5", expected a whole number',
  ],
  [
    "input,size,label\nA,1\n",
    "PREDICT_INPUT_MALFORMED: cannot read <dir>/in.csv, line 2: got 2 cells, expected 3",
  ],
])("refuses %j and says where and why", async (content, words) => {
  expect(await problem(content)).toBe(words);
});

it("refuses JSON by name", async () => {
  expect(await problem("[]", "in.json")).toMatch(/^PREDICT_FORMAT_UNKNOWN: .* expected \.csv or \.tsv$/);
});
