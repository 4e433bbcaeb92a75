/** Picks the runner for a model by where the model lies. */
import { availableParallelism } from "node:os";
import { AppError, defined, unreachable } from "../../kernel/index.ts";
import { BuiltinRunner } from "../builtin/builtin-runner.ts";
import { ImageRunner } from "../image/image-runner.ts";
import { entersNetwork } from "../image/model-container.ts";
import type { Model, ModelGuard, Runner } from "../model.ts";
import { bisecting } from "./bisecting.ts";
import { HttpRunner } from "./http-runner.ts";
import { ScriptRunner } from "./script-runner.ts";
import { suitableProcesses } from "./suitable-processes.ts";
import { hasWorker, WarmRunner } from "./warm-runner.ts";

export interface RunnerOptions {
  /**
   * Threads (builtin), processes (script) or requests (http) at the same time for one batch; small batches use fewer.
   * Default: 1, for builtin models the number of processors up to 4. Script models run one process for each batch then;
   * `batchesAtOnce` says how many batches suit them.
   */
  readonly workers?: number;
  /** Milliseconds one process or request may take before it is given up. Default: 600000. */
  readonly timeoutMs?: number;
  /** The whole environment of model programs; must hold PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Where private working directories are made. Default: the system's temporary folder. */
  readonly tempDir?: string;
  /** For programs of model folders. Default: they may do what this process may. */
  readonly guard?: ModelGuard;
  /** Name of a running container of the model's image, which is used and left running. Default: one is started. */
  readonly container?: string;
}

const defaultTimeoutMs = 600_000;

/**
 * The runner for a model. Bad rows are failed predictions (a failing batch is bisected); `predict` throws only when
 * the model as a whole cannot run: PREDICT_RUNNER_BROKE, MODEL_SERVER_UNREACHABLE, MODEL_LFS_POINTER,
 * MODEL_TOOLKIT_FAILED, RUN_INTERRUPTED. Nothing is started before `open`.
 */
export function createRunner(model: Model, options: RunnerOptions): Runner {
  const { source } = model;
  const workers = options.workers ?? 1;
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const watched = (runner: Runner) => bisecting(runner, { knownInput: model.exampleInputs[0] ?? "CCO" });
  switch (source.kind) {
    case "builtin":
      return new BuiltinRunner(model, options.workers ?? Math.min(4, availableParallelism()));
    case "folder": {
      const script = {
        ...{ model, folder: source.path, workers: options.workers, timeoutMs, env: options.env },
        ...defined({ tempDir: options.tempDir, guard: options.guard }),
      };
      return watched(hasWorker(source.path) ? new WarmRunner(script) : new ScriptRunner(script));
    }
    case "http":
      if (options.guard?.isolates === true)
        return refused(
          model.id,
          "its server runs already, and Memoir cannot take away its network and files",
        );
      return watched(new HttpRunner({ model, url: source.url, workers, timeoutMs }));
    case "image": {
      const { env, tempDir, container: running } = options;
      // A container sees the files of its image only, and as root it has no network.
      if (options.guard?.isolates === true && !entersNetwork())
        return refused(model.id, "only root can use a container that has no network");
      return watched(
        new ImageRunner({ model, image: source, workers, timeoutMs, env, ...defined({ tempDir, running }) }),
      );
    }
    case "cache":
      return absent(model.id);
    default:
      return unreachable(source);
  }
}

/** How many batches of a model are computed at the same time where the user does not say. */
export async function batchesAtOnce({ source }: Model): Promise<number> {
  switch (source.kind) {
    case "builtin":
      // Two batches keep the model busy while the answers of the one before are recorded.
      return 2;
    case "folder":
      return hasWorker(source.path) ? 1 : await suitableProcesses(source.path);
    default:
      return 1;
  }
}

/** Said when something is to be computed: look-ups need no isolation. */
function refused(id: string, why: string): Runner {
  const fail = async (): Promise<never> => {
    throw new AppError("EXEC_ISOLATION_UNAVAILABLE", `isolating model ${id}: ${why}`);
  };
  return { kind: "none", toolkit: undefined, open: fail, predict: fail, close: async () => {} };
}

/** The runner of a model that is only known from a cache: modes that compute nothing never open it. */
function absent(id: string): Runner {
  const fail = async (): Promise<never> => {
    throw new AppError(
      "MODEL_NOT_FOUND",
      `computing with model ${id}: it is not installed, only its cached rows are available`,
    );
  };
  return { kind: "none", toolkit: undefined, open: fail, predict: fail, close: async () => {} };
}
