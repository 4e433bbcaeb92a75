/** Models that offer a worker stay alive from batch to batch, and are started again when they end. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshAsk } from "../../src/kernel/index.ts";
import { createRunner, type Runner, readModelPackage } from "../../src/models/index.ts";
import type { Prediction } from "../../src/task/index.ts";
import { limitMs } from "../limit.mjs";
import { removeFolder } from "../remove-folder.ts";
import { describeWith } from "../servers/requirement.ts";

const python = { name: "Python 3", programs: ["bash", "python3"], debianPackages: ["python3"] };

const worker = `
import json, os, sys, time
folder = sys.argv[1]
with open(os.path.join(folder, "starts"), "a") as starts:
    starts.write("%d\\n" % os.getpid())
print("a library says hello")
print(json.dumps({"protocol": "memoir-lines", "version": 1}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    inputs = request["inputs"]
    if "DIE" in inputs:
        print("out of memory", file=sys.stderr)
        os._exit(3)
    if "HANG" in inputs:
        time.sleep(3600)
    if "BAD" in inputs:
        answer = {"id": request["id"], "error": "a bad molecule"}
    elif "LATE" in inputs:
        answer = {"id": request["id"] - 1, "columns": ["length"], "rows": [[0] for _ in inputs]}
    elif "SHORT" in inputs:
        answer = {"id": request["id"], "columns": ["length"], "rows": []}
    else:
        rows = [None if each == "NONE" else [len(each)] for each in inputs]
        answer = {"id": request["id"], "columns": ["length"], "rows": rows}
    print("a library prints")
    print(json.dumps(answer), flush=True)
`;

let temp: string;
let folder: string;
let runner: Runner;

async function open(options: { readonly timeoutMs?: number; readonly workers?: number } = {}): Promise<void> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: tmpdir() };
  runner = createRunner(await readModelPackage(folder), { env, tempDir: join(temp, "work"), ...options });
  await runner.open(freshAsk());
}

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "memoir-warm-"));
  mkdirSync(join(temp, "work"));
  folder = join(temp, "model");
  const framework = join(folder, "model", "framework");
  mkdirSync(join(framework, "columns"), { recursive: true });
  mkdirSync(join(framework, "examples"));
  writeFileSync(join(folder, "metadata.yml"), "Identifier: eos0wrm\nSlug: warm\nRelease: v1\n");
  writeFileSync(
    join(framework, "columns", "run_columns.csv"),
    "name,type,direction,description\nlength,integer,,\n",
  );
  writeFileSync(join(framework, "examples", "run_input.csv"), "input\nCCO\n");
  writeFileSync(join(framework, "run.sh"), "echo the worker is to be used >&2; exit 1\n");
  writeFileSync(join(framework, "worker.bash"), 'exec python3 "$1/worker.py" "$1"\n');
  writeFileSync(join(framework, "worker.py"), worker);
});
afterEach(async () => {
  await runner.close();
  expect(readdirSync(join(temp, "work")), "what a closed runner leaves behind").toEqual([]);
  expect(
    starts().filter((pid) => existsSync(`/proc/${pid}`)),
    "workers that outlive it",
  ).toEqual([]);
  removeFolder(temp);
});

function starts(): readonly string[] {
  const file = join(folder, "model", "framework", "starts");
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
}

const said = (predictions: readonly Prediction[]) =>
  predictions.map((prediction) =>
    prediction.kind === "computed" ? prediction.values[0] : prediction.reason,
  );

describeWith([python], "a model with a worker", () => {
  it("is started once for many batches, and only when something is computed", async () => {
    await open();
    expect(starts()).toEqual([]);
    expect(said(await runner.predict(["C", "CC", "C"], freshAsk()))).toEqual([1, 2, 1]);
    expect(said(await runner.predict(['a "quoted", text', "naïve"], freshAsk()))).toEqual([16, 5]);
    expect(starts()).toHaveLength(1);
    expect(runner.kind).toBe("worker");
  });

  it("has one process for each batch at the same time", async () => {
    await open({ workers: 2 });
    const inputs = Array.from({ length: 1_000 }, (_, i) => "C".repeat(1 + (i % 7)));
    expect(said(await runner.predict(inputs, freshAsk()))).toEqual(inputs.map(({ length }) => length));
    expect(starts()).toHaveLength(2);
  });

  it("answers errors for batches and stays alive; the rows that cause them are found", async () => {
    await open();
    const answers = said(await runner.predict(["C", "BAD", "CC", "NONE"], freshAsk()));
    expect(answers).toEqual([
      1,
      expect.stringContaining("a bad molecule"),
      2,
      "the model gave no row for this input",
    ]);
    expect(starts()).toHaveLength(1);
  });

  it("is started again after it ended, and the row that ended it is the one that fails", async () => {
    await open();
    const answers = said(await runner.predict(["C", "DIE", "CC"], freshAsk()));
    expect(answers).toEqual([1, expect.stringContaining("exit code 3; it said: out of memory"), 2]);
    expect(said(await runner.predict(["CCC"], freshAsk()))).toEqual([3]);
  });

  it("is ended when it takes too long", async () => {
    await open({ timeoutMs: limitMs / 60 });
    expect(said(await runner.predict(["C"], freshAsk()))).toEqual([1]);
    expect(said(await runner.predict(["HANG"], freshAsk()))).toEqual([
      expect.stringContaining("no answer within"),
    ]);
    expect(said(await runner.predict(["CC"], freshAsk()))).toEqual([2]);
  });

  it("is ended when the run is cancelled", async () => {
    await open();
    await runner.predict(["C"], freshAsk());
    const stop = new AbortController();
    const asked = runner.predict(["HANG"], { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toMatchObject({ code: "RUN_INTERRUPTED" });
  });

  it("is not believed when it answers something else than was asked", async () => {
    await open();
    await runner.predict(["C"], freshAsk());
    expect(said(await runner.predict(["LATE", "SHORT"], freshAsk()))).toEqual([
      expect.stringContaining("it answered request"),
      expect.stringContaining("got 0 rows for 1 inputs"),
    ]);
  });

  it("may be the one of docs/models.md", async () => {
    const page = readFileSync(new URL("../../docs/models.md", import.meta.url), "utf8");
    const [, example = ""] = /```python\n([^`]*memoir-lines[^`]*)```/.exec(page) ?? [];
    // RDKit need not be there: molecules are their texts, and weigh a gram a letter.
    const rdkit = join(folder, "model", "framework", "rdkit");
    mkdirSync(join(rdkit, "Chem"), { recursive: true });
    writeFileSync(join(rdkit, "__init__.py"), "");
    writeFileSync(
      join(rdkit, "Chem", "__init__.py"),
      "def MolFromSmiles(text):\n    return None if text == 'bad' else text\n",
    );
    writeFileSync(join(rdkit, "Chem", "Descriptors.py"), "MolWt = len\n");
    writeFileSync(
      join(folder, "model", "framework", "worker.py"),
      example.replaceAll("mol_weight", "length"),
    );
    await open();
    expect(said(await runner.predict(["CCO", "bad", "C"], freshAsk()))).toEqual([
      3,
      "the model gave no row for this input",
      1,
    ]);
    expect(said(await runner.predict(["CC"], freshAsk()))).toEqual([2]);
  });

  it("that ends before it is ready is broken, in its own words", async () => {
    await open();
    writeFileSync(join(folder, "model", "framework", "worker.py"), "raise SystemExit('no weights')\n");
    await expect(runner.predict(["C"], freshAsk())).rejects.toMatchObject({
      ...{ code: "PREDICT_RUNNER_BROKE", message: expect.stringContaining("no weights") },
    });
  });
});
