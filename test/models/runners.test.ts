/** Runners with real programs and a real server: the fixture models below test/fixtures/models. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { freshAsk, isAppError } from "../../src/kernel/index.ts";
import {
  batchesAtOnce,
  createRunner,
  findModel,
  type Model,
  type Runner,
  readModelPackage,
} from "../../src/models/index.ts";
import type { Prediction } from "../../src/task/index.ts";
import { limitMs } from "../limit.mjs";
import { removeFolder } from "../remove-folder.ts";
import {
  type ErsiliaPackOptions,
  type ErsiliaPackServer,
  startErsiliaPack,
} from "../servers/ersilia-pack.ts";
import { describeWith } from "../servers/requirement.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures", "models");
const env = { PATH: process.env["PATH"] ?? "", HOME: tmpdir() };
const bashAndAwk = { name: "bash and awk", programs: ["bash", "awk"], debianPackages: ["bash", "gawk"] };
/** A model that says nothing for so long is killed. */
const hangMs = limitMs / 60;
const python = { name: "Python 3", programs: ["python3"], debianPackages: ["python3"] };

let temp: string;
const open: Runner[] = [];

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "memoir-runner-test-"));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((runner) => runner.close()));
  expect(readdirSync(temp), "what a closed runner leaves behind").toEqual([]);
  removeFolder(temp);
});

function runnerOf(model: Model, options: { workers?: number; timeoutMs?: number } = {}): Runner {
  const runner = createRunner(model, { env, tempDir: temp, ...options });
  open.push(runner);
  return runner;
}

async function script(name: string, options: { workers?: number; timeoutMs?: number } = {}): Promise<Runner> {
  const runner = runnerOf(await readModelPackage(join(fixtures, name)), options);
  await runner.open(freshAsk());
  return runner;
}

const values = (predictions: readonly Prediction[]) =>
  predictions.map((prediction) => (prediction.kind === "computed" ? prediction.values : "failed"));

describeWith([bashAndAwk], "a script model", () => {
  test("answers one row per input, in order, duplicates included", async () => {
    const runner = await script("letters");
    expect(values(await runner.predict(["CCO", "CCC", "CCO", "O"], freshAsk()))).toEqual([
      [3, 2 / 3],
      [3, 1],
      [3, 2 / 3],
      [1, 0],
    ]);
  });

  test("may write its columns in any order, with quotes, commas and CRLF", async () => {
    const runner = await script("texts");
    expect(values(await runner.predict(["CCO", "N"], freshAsk()))).toEqual([
      ['a, "b" and CCO', 3],
      ['a, "b" and N', 1],
    ]);
  });

  test("that dies on some inputs fails for those only, with its own words", async () => {
    const runner = await script("fragile");
    const inputs = Array.from({ length: 40 }, (_, i) =>
      i === 7 || i === 31 ? `BOOM${i}` : "C".repeat(i + 1),
    );
    const answers = await runner.predict(inputs, freshAsk());
    expect(values(answers)).toEqual(
      inputs.map((input) => (input.startsWith("BOOM") ? "failed" : [input.length])),
    );
    expect(answers[7]).toMatchObject({ reason: expect.stringContaining("cannot handle BOOM") });
  });

  test("splits a large batch over several processes and keeps the order", async () => {
    const runner = await script("letters", { workers: 2 });
    const inputs = Array.from({ length: 1_001 }, (_, i) => "C".repeat(1 + (i % 90)));
    expect(values(await runner.predict(inputs, freshAsk()))).toEqual(
      inputs.map((input) => [input.length, 1]),
    );
  });

  test("that hangs on an input is killed with all its children, and the other rows are kept", async () => {
    const runner = await script("slow", { timeoutMs: hangMs });
    const answers = await runner.predict(["C", "SLOW", "CCC"], freshAsk());
    expect(values(answers)).toEqual([[1], "failed", [3]]);
    expect(answers[1]).toMatchObject({ reason: expect.stringContaining(`timed out after ${hangMs} ms`) });
  });

  test("stops at once when the user interrupts", async () => {
    const runner = await script("slow");
    const controller = new AbortController();
    const running = runner.predict(["SLOW"], { signal: controller.signal });
    controller.abort();
    expect(isAppError(await running.catch((error: unknown) => error), "RUN_INTERRUPTED")).toBe(true);
  });

  test("with a Git-LFS pointer instead of its checkpoint is refused by name, size and remedy", async () => {
    const error = await script("pointer").catch((thrown: unknown) => thrown);
    expect(isAppError(error, "MODEL_LFS_POINTER")).toBe(true);
    expect(String(error)).toContain("model/checkpoints/weights.bin (12.3 MB)");
    expect(String(error)).toContain("git lfs pull");
  });
});

describeWith([bashAndAwk], "a script model that needs the memory of the machine", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "memoir-large-model-"));
    cpSync(join(fixtures, "letters"), folder, { recursive: true });
  });
  afterEach(() => removeFolder(folder));

  /** Ends as a program without memory does (with `code`) while another process of the model runs, or always. */
  const opened = async (code: number, always = "") => {
    const framework = join(folder, "model", "framework");
    cpSync(join(framework, "run.sh"), join(framework, "letters.sh"));
    writeFileSync(
      join(framework, "run.sh"),
      `if ! mkdir "$1/held" 2>/dev/null; then echo >> "$1/clashes"; exit ${code}; fi
trap 'rmdir "$1/held"' EXIT
${always || 'while ! [ -e "$1/clashes" ]; do sleep 0.05; done'}
bash "$1/letters.sh" "$@"`,
    );
    const runner = runnerOf(await readModelPackage(folder));
    await runner.open(freshAsk());
    return { runner, clashes: () => readFileSync(join(framework, "clashes"), "utf8").length };
  };
  const inputs = ["C", "CC", "CCC", "CCCC"];
  const at = <T>(runner: Runner, each: readonly T[], as: (item: T) => string[]) =>
    Promise.all(each.map((item) => runner.predict(as(item), freshAsk())));

  test.each([1, 137])(
    "is run one at a time once several at the same time failed (exit code %i)",
    async (code) => {
      const { runner, clashes } = await opened(code);
      const first = await at(runner, inputs.slice(0, 2), (input) => [input]);
      expect(first.map(values)).toEqual([[[1, 1]], [[2, 1]]]);
      expect(clashes()).toBe(1);
      const more = await at(runner, inputs, (input) => [input]);
      expect(more.flatMap(values)).toEqual(inputs.map(({ length }) => [length, 1]));
      expect(clashes(), "ran one at a time").toBe(1);
    },
  );

  test("is run one at a time where its files are large, and where it offers a worker", async () => {
    const processes = async () => batchesAtOnce(await readModelPackage(folder));
    const several = await processes();
    expect(several).toBeGreaterThanOrEqual(1);
    expect(several).toBeLessThanOrEqual(Math.min(4, availableParallelism()));
    const weights = join(folder, "model", "weights.bin");
    writeFileSync(weights, "");
    truncateSync(weights, 2 ** 40);
    expect(await processes()).toBe(1);
    truncateSync(weights, 0);
    expect(await processes()).toBe(several);
    writeFileSync(join(folder, "model", "framework", "worker.bash"), "cat");
    expect(await processes()).toBe(1);
  });

  test("fails for an input that it fails for alone, too", async () => {
    const { runner } = await opened(1, `grep -q BOOM "$2" && { echo no such atom >&2; exit 1; }`);
    const [fine, bad] = await at(runner, ["CC", "BOOM"], (input) => [input]);
    expect(values(fine ?? [])).toEqual([[2, 1]]);
    expect(bad).toMatchObject([{ kind: "failed", reason: expect.stringContaining("no such atom") }]);
  });
});

describeWith([bashAndAwk], "a broken script model", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "memoir-broken-model-"));
    cpSync(join(fixtures, "letters"), folder, { recursive: true });
  });
  afterEach(() => removeFolder(folder));

  const failureOf = async (script: string) => {
    writeFileSync(join(folder, "model", "framework", "run.sh"), script);
    const runner = runnerOf(await readModelPackage(folder));
    const inputs = Array.from({ length: 500 }, () => "CCO");
    return runner.predict(inputs, freshAsk()).catch((error: unknown) => error);
  };

  test.each([
    ["needs a program that is missing", "memoir-no-such-tool\n", /memoir-no-such-tool/],
    ["writes nothing", "true\n", /wrote no output file/],
    ["writes other columns", 'echo "length,other" > "$3"\n', /missing carbon_share; unknown other/],
    [
      "writes two rows whatever it is asked",
      'printf "length,carbon_share\\n1,1\\n1,1\\n" > "$3"\n',
      /got 2 rows for/,
    ],
  ])("that %s is reported as broken after a few calls", async (_title, text, words) => {
    const started = join(folder, "calls");
    const error = await failureOf(`echo x >> ${started}\n${text}`);
    expect(isAppError(error, "PREDICT_RUNNER_BROKE"), String(error)).toBe(true);
    expect(String(error)).toMatch(words);
    expect(readFileSync(started, "utf8").length / 2).toBeLessThan(40);
  });
});

describeWith([bashAndAwk, python], "a model in Python", () => {
  test("finds `python`, reads any text as one cell, and gets its own header", async () => {
    const runner = await script("snake");
    const inputs = ["CCO", 'a "quoted", cell', "two\nlines", " padded "];
    expect(values(await runner.predict(inputs, freshAsk()))).toEqual(inputs.map((input) => [input.length]));
  });

  test("leaves nothing in the model folder", async () => {
    const runner = await script("snake");
    await runner.predict(["C"], freshAsk());
    expect(readdirSync(join(fixtures, "snake")).sort()).toEqual(["metadata.yml", "model"]);
  });
});

describe("a model server", () => {
  let server: ErsiliaPackServer;
  let model: Model;
  const packed = {
    id: "eos0srv",
    slug: "served",
    columns: ["size", "share"],
    examples: ["CCO", "CCC"],
    answer: (input: string) => (input.includes("bad") ? undefined : [input.length, 0.5]),
  };
  const start = async (legacy?: true) => {
    server = await startErsiliaPack({ ...packed, ...(legacy === undefined ? {} : { legacy }) });
    model = await findModel({ name: server.url, home: temp, cwd: temp }, freshAsk());
  };
  beforeEach(() => start());
  afterEach(() => server.close());

  test("describes itself: id, release, columns, examples", () => {
    expect(model).toMatchObject({
      id: "eos0srv",
      slug: "served",
      release: "v1.0.0",
      columns: [
        { name: "size", type: "float" },
        { name: "share", type: "float" },
      ],
      exampleInputs: ["CCO", "CCC"],
      reusable: { kind: "reusable" },
    });
  });

  test("is waited for until it is ready", async () => {
    server.notReadyFor(2);
    const runner = runnerOf(model);
    await runner.open(freshAsk());
    expect(values(await runner.predict(["CCO"], freshAsk()))).toEqual([[3, 0.5]]);
  });

  test("is asked without its own cache, and its values are matched by name", async () => {
    const answers = await runnerOf(model).predict(["C", "CC", "C"], freshAsk());
    expect(values(answers)).toEqual([
      [1, 0.5],
      [2, 0.5],
      [1, 0.5],
    ]);
    expect(server.queries[0]).toContain("fetch_cache=false&save_cache=false");
  });

  test("that answers 500 for a bad molecule fails for that molecule only", async () => {
    const answers = await runnerOf(model).predict(["C", "CC", "bad", "CCC", "CCCC"], freshAsk());
    expect(values(answers)).toEqual([[1, 0.5], [2, 0.5], "failed", [3, 0.5], [4, 0.5]]);
    expect(answers[2]).toMatchObject({ reason: expect.stringContaining("HTTP 500") });
  });

  test("that cuts a connection or is busy for a moment is asked again", async () => {
    server.failNext(0, 503, 429);
    expect(values(await runnerOf(model).predict(["C"], freshAsk()))).toEqual([[1, 0.5]]);
    expect(server.runs).toHaveLength(4);
  });

  test("that stays away is an error after a bounded number of tries", async () => {
    server.failNext(0, 0, 0, 0, 0, 0, 0, 0);
    const error = await runnerOf(model)
      .predict(["C", "CC"], freshAsk())
      .catch((thrown: unknown) => thrown);
    expect(isAppError(error, "MODEL_SERVER_UNREACHABLE")).toBe(true);
    expect(server.runs).toHaveLength(4);
  });

  test("that loses a row never shifts values onto other molecules", async () => {
    server.loseRow();
    expect(values(await runnerOf(model).predict(["C", "CC", "CCC"], freshAsk()))).toEqual([
      [1, 0.5],
      [2, 0.5],
      [3, 0.5],
    ]);
  });

  test("that does not answer in time fails the batch, and the rows are asked for again in parts", async () => {
    server.hangOnce();
    const runner = runnerOf(model, { timeoutMs: hangMs });
    expect(values(await runner.predict(["C", "CC"], freshAsk()))).toEqual([
      [1, 0.5],
      [2, 0.5],
    ]);
  });

  test("is asked with several requests at the same time for a large batch", async () => {
    const inputs = Array.from({ length: 450 }, (_, i) => "C".repeat(1 + (i % 50)));
    const answers = await runnerOf(model, { workers: 4 }).predict(inputs, freshAsk());
    expect(values(answers)).toEqual(inputs.map((input) => [input.length, 0.5]));
    expect(server.runs).toHaveLength(4);
  });

  test("of the older kind is understood", async () => {
    await server.close();
    await start(true);
    const answers = await runnerOf(model).predict(["C", "bad", "CC"], freshAsk());
    expect(values(answers)).toEqual([[1, 0.5], "failed", [2, 0.5]]);
  });

  /** The server goes away and another one comes up at its address. */
  const replaceServer = async (changes: Partial<ErsiliaPackOptions>) => {
    const port = Number(new URL(server.url).port);
    await server.close();
    server = await startErsiliaPack({ ...packed, answer: () => [99, 99], port, ...changes });
  };

  test.each([
    ["another model", { id: "eos0oth" }],
    ["another release of the model", { release: "v2.0.0" }],
    ["another model, and ends every connection", { id: "eos0oth", connections: "closed-each-time" }],
  ] as const)(
    "that comes back as %s between two batches is noticed, and no answer of it is used",
    async (_, changes) => {
      const runner = runnerOf(model);
      await runner.open(freshAsk());
      expect(values(await runner.predict(["C"], freshAsk()))).toEqual([[1, 0.5]]);
      await replaceServer(changes);
      const error = await runner.predict(["C"], freshAsk()).catch((thrown: unknown) => thrown);
      expect(isAppError(error, "MODEL_SERVER_ANSWER")).toBe(true);
      await runner.close();
    },
  );

  test.each([
    ["model", { id: "eos0oth" }],
    ["release", { release: "v2.0.0" }],
  ])("that is another %s behind the same connection is noticed", async (_, changes) => {
    const runner = runnerOf(model);
    await runner.open(freshAsk());
    await runner.predict(["C"], freshAsk());
    server.become({ ...changes, answer: () => [99, 99] });
    const error = await runner.predict(["C"], freshAsk()).catch((thrown: unknown) => thrown);
    expect(isAppError(error, "MODEL_SERVER_ANSWER")).toBe(true);
    await runner.close();
  });

  test("that goes away in the middle of a batch and comes back as another model is noticed", async () => {
    server.hangOnce();
    const runner = runnerOf(model);
    await runner.open(freshAsk());
    const asked = runner.predict(["C", "CC"], freshAsk()).catch((thrown: unknown) => thrown);
    await expect.poll(() => server.runs.length).toBe(1);
    await replaceServer({ id: "eos0oth" });
    expect(isAppError(await asked, "MODEL_SERVER_ANSWER")).toBe(true);
    await runner.close();
  });

  test("that comes back as itself, or ends every connection, is used as before", async () => {
    const runner = runnerOf(model);
    await runner.open(freshAsk());
    await runner.predict(["C"], freshAsk());
    await replaceServer({ answer: packed.answer, connections: "closed-each-time" });
    expect(values(await runner.predict(["C", "bad", "CC"], freshAsk()))).toEqual([
      [1, 0.5],
      "failed",
      [2, 0.5],
    ]);
    await runner.close();
  });

  test("that writes NaN and Infinity as Python does has no value there, and keeps the other rows", async () => {
    server.sayNext(
      '[{"size": NaN, "share": 0.5}, {"size": -Infinity, "share": NaN}, {"size": 3, "share": 0.5}]',
    );
    expect(values(await runnerOf(model).predict(["C", "CC", "CCC"], freshAsk()))).toEqual([
      [null, 0.5],
      "failed",
      [3, 0.5],
    ]);
  });

  test("that answers something else than a row for one input fails for that one only", async () => {
    server.sayNext('[{"size": 1, "share": 0.5}, "oops", [1, 2], null, {"size": 5, "share": 0.5}]');
    const answers = await runnerOf(model).predict(["C", "CC", "CCC", "CCCC", "CCCCC"], freshAsk());
    expect(values(answers)).toEqual([[1, 0.5], "failed", "failed", "failed", [5, 0.5]]);
  });

  test.each([
    ["a web page", 2, "<html><body>Bad gateway</body></html>"],
    ["a body that is cut", 2, { cut: '[{"size": 1, "sh' }],
    ["half a text", 2, '[{"size": 1, "share": 0.5}'],
    ["a word", 2, '"busy"'],
    ["too many rows", 1, '[{"size":1,"share":1},{"size":1,"share":1},{"size":1,"share":1}]'],
    ["no rows", 1, "[]"],
    ["rows of other columns", 1, '[{"weight":1},{"weight":1}]'],
  ] as const)("that answers %s for a while never ends the run, nor shifts rows", async (_, times, text) => {
    server.sayNext(...Array.from({ length: times }, () => text));
    const answers = await runnerOf(model).predict(["C", "CC"], freshAsk());
    expect(values(answers)).toEqual([
      [1, 0.5],
      [2, 0.5],
    ]);
  });

  test("that serves another model is refused", async () => {
    const runner = runnerOf({ ...model, id: "eos0oth" as Model["id"] });
    const error = await runner.open(freshAsk()).catch((thrown: unknown) => thrown);
    expect(isAppError(error, "MODEL_SERVER_ANSWER")).toBe(true);
  });
});

describe("a built-in model through createRunner", () => {
  let runner: Runner;
  beforeAll(async () => {
    const model = await findModel({ name: "molecular-weight", home: "/nonexistent", cwd: "/" }, freshAsk());
    runner = createRunner(model, { env: {}, workers: 1 });
  });
  afterAll(() => runner.close());

  test("needs nothing but Node", async () => {
    await runner.open(freshAsk());
    expect(runner.toolkit).toMatch(/^rdkit-wasm \d/);
    expect(values(await runner.predict(["CCO", "notsmiles"], freshAsk()))).toEqual([[46.069], "failed"]);
  });
});
