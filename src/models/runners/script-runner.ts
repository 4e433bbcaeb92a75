/**
 * Runs a model package: `bash run.sh <framework> <input.csv> <output.csv>`, each batch in a private working directory
 * (models leave files in theirs) and in its own process group.
 */
import { lstat, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordText } from "../../csv/index.ts";
import { AppError, type Ask, checkAsk, isAppError, systemErrorCode } from "../../kernel/index.ts";
import { describeOutcome, findProgram, type ProgramOutcome, runProgram } from "../../process/index.ts";
import type { Prediction } from "../../task/index.ts";
import { checkRowCount, placesOf, predictionOf } from "../answer-table.ts";
import { parseCsv } from "../csv.ts";
import type { Model, ModelGuard, Runner } from "../model.ts";
import { checkLfsPointers } from "../package/lfs-pointers.ts";
import { inputHeaderOf } from "../package/read-package.ts";
import { ProcessTurns } from "./process-turns.ts";
import { cachesIn, lastLines, withPython } from "./script-environment.ts";
import { inParallel } from "./split.ts";

export interface ScriptRunnerOptions {
  readonly model: Model;
  /** The model folder (the one with metadata.yml). */
  readonly folder: string;
  /** Processes at the same time, over which a batch is split; undefined = one for each batch. */
  readonly workers: number | undefined;
  /** Milliseconds one process may take. */
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly tempDir?: string;
  readonly guard?: ModelGuard;
}

const smallestPart = 250;
/** Where a program ends with the signal KILL, its shell says so (128 + 9). */
const killedExitCode = 137;

export class ScriptRunner implements Runner {
  readonly kind = "script";
  readonly toolkit = undefined;
  readonly startsPerBatch = true;
  readonly #options: ScriptRunnerOptions;
  readonly #turns: ProcessTurns;
  /** Whether a process may have failed because others ran: until one failed alone, too. */
  #doubtsCompany = true;
  #ready:
    | { readonly folder: string; readonly env: Readonly<Record<string, string>>; readonly header: string }
    | undefined;

  constructor(options: ScriptRunnerOptions) {
    this.#options = options;
    this.#turns = new ProcessTurns(options.workers ?? Number.POSITIVE_INFINITY);
  }

  async open(ask: Ask): Promise<void> {
    if (this.#ready !== undefined) return;
    const { model, folder, env, tempDir, guard } = this.#options;
    await checkLfsPointers(folder, ask);
    await guard?.open(ask);
    const header = await inputHeaderOf(folder);
    if ((await findProgram("bash", env, folder)) === undefined)
      throw new AppError(
        "MODEL_RUN_FAILED",
        `opening model ${model.id}: its run.sh needs bash, which is not on PATH`,
      );
    const own = await mkdtemp(join(tempDir ?? tmpdir(), `memoir-model-${model.id}-`));
    this.#ready = { folder: own, env: await withPython(env, own), header };
  }

  async predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    await this.open(ask);
    const { workers = 1 } = this.#options;
    return inParallel({ inputs, workers, smallestPart }, (part) => this.#runPart(part, ask));
  }

  async close(): Promise<void> {
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready !== undefined) await rm(ready.folder, { recursive: true, force: true });
  }

  /** Too little memory for several processes, of the machine or its graphics card, would look like rows that fail. */
  async #runPart(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const turn = await this.#turns.take("shared");
    try {
      return await this.#runBatch(inputs, ask);
    } catch (error) {
      if (!isAppError(error, "MODEL_RUN_FAILED") || !turn.hadCompany) throw error;
      if (!this.#doubtsCompany && error.facts["killed"] !== true) throw error;
    } finally {
      turn.end();
    }
    const alone = await this.#turns.take("alone");
    try {
      const answers = await this.#runBatch(inputs, ask);
      this.#turns.oneByOne();
      return answers;
    } catch (error) {
      this.#doubtsCompany = false;
      throw error;
    } finally {
      alone.end();
    }
  }

  async #runBatch(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const { model, folder, timeoutMs, guard } = this.#options;
    const ready = this.#ready;
    if (ready === undefined)
      throw new AppError("MODEL_RUN_FAILED", `running model ${model.id}: it is closed`);
    const cwd = await mkdtemp(join(ready.folder, "batch-"));
    try {
      const input = join(cwd, "input.csv");
      const output = join(cwd, "output.csv");
      await writeFile(input, `${[ready.header, ...inputs].map((text) => recordText([text])).join("\n")}\n`);
      const framework = join(folder, "model", "framework");
      const program = {
        command: "bash",
        args: [join(framework, "run.sh"), framework, input, output],
        writable: cwd,
        own: folder,
        visible: [ready.folder],
      };
      const outcome = await runProgram(
        {
          ...(guard?.wrap(program) ?? program),
          cwd,
          env:
            guard?.isOn === true
              ? { ...cachesIn(cwd), ...ready.env, TMPDIR: cwd }
              : { ...ready.env, TMPDIR: cwd },
          stdout: { kind: "capture", limitBytes: 16 << 10 },
          timeoutMs,
        },
        ask,
      );
      checkAsk(ask, `running model ${model.id}`);
      // The caller's time is up, which says nothing about these rows.
      if (outcome.kind === "timed-out" && ask.deadlineAt !== undefined && Date.now() >= ask.deadlineAt)
        throw new AppError("RUN_INTERRUPTED", `running model ${model.id}: the deadline has passed`);
      this.#checkOutcome(outcome, inputs.length);
      return await this.#readAnswers(output, inputs.length);
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  }

  #checkOutcome(outcome: ProgramOutcome, rows: number): void {
    if (outcome.kind === "exited" && outcome.exitCode === 0) return;
    const code = outcome.kind === "timed-out" ? "MODEL_RUN_TIMEOUT" : "MODEL_RUN_FAILED";
    const words = lastLines(outcome.stderr) || lastLines(outcome.stdout);
    const isGuarded = this.#options.guard?.isOn === true && /read-only file system/i.test(outcome.stderr);
    const why = isGuarded
      ? "; models may write into their own folder and their working folder only (--no-guard lifts this)"
      : "";
    throw new AppError(
      code,
      `running model ${this.#options.model.id} on ${rows} ${rows === 1 ? "input" : "inputs"}: ${describeOutcome(outcome)}${why}${words === "" ? "" : `; it said: ${words}`}`,
      {
        facts: {
          killed:
            outcome.kind === "signalled" ||
            (outcome.kind === "exited" && outcome.exitCode === killedExitCode),
        },
      },
    );
  }

  async #readAnswers(output: string, asked: number): Promise<readonly Prediction[]> {
    const { model } = this.#options;
    const from = `the output of model ${model.id}`;
    const [header, ...rows] = parseCsv(await this.#readOutput(output), from);
    const places = placesOf(model.columns, header ?? [], from);
    checkRowCount(asked, rows.length, from);
    return rows.map((row) => {
      if (row.length !== header?.length)
        throw new AppError(
          "MODEL_OUTPUT_MISMATCH",
          `reading ${from}: a row has ${row.length} cells, its header ${header?.length}`,
        );
      return predictionOf(
        model.columns,
        places.map((place) => row[place]),
      );
    });
  }

  async #readOutput(output: string): Promise<string> {
    try {
      // A link would lead out of what the program itself may read, and a pipe would be read for ever.
      if (!(await lstat(output)).isFile())
        throw new AppError(
          "MODEL_RUN_FAILED",
          `running model ${this.#options.model.id}: its output is not a regular file`,
        );
      return await readFile(output, "utf8");
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") throw error;
      throw new AppError(
        "MODEL_RUN_FAILED",
        `running model ${this.#options.model.id}: it ended with exit code 0 but wrote no output file`,
        { cause: error },
      );
    }
  }
}
