/** What a program says about a workflow, in its own words, as the request that the application takes. */

import type { CacheRequest, ExecutorOrder, ProgramOrder, RunLimits, RunRequest } from "../app/index.ts";
import { defined } from "../kernel/index.ts";

export interface WorkflowOptions {
  readonly signal?: AbortSignal;
  /** The main document inside a folder or bundle. */
  readonly main?: string;
  /** Which workflow or task to run, where the document has several. */
  readonly target?: string;
  /** Accept what other engines accept although the specification does not allow it. */
  readonly lenient?: boolean;
  /** Short name of the language, where the document's name does not show it. */
  readonly language?: string;
}

export interface RunOptions extends WorkflowOptions {
  /** By name, or a JSON or YAML file. Integers beyond 2^53 are bigint. */
  readonly inputs?: string | Readonly<Record<string, unknown>>;
  /** Base of relative paths in `inputs`. Default: the file's folder, or the working directory. */
  readonly inputsBase?: string;
  /** A cache by its name, its folder or `s3://bucket/prefix`; `false`: none. Default: the cache of the home folder. */
  readonly cache?: string | false;
  /** Default: the behaviour of the cache. */
  readonly cacheBehavior?: "always" | "on-failure";
  /** Record and reuse tasks that run without a container. Default: the setting of the cache. */
  readonly cacheHostTasks?: boolean;
  /** Compute tasks whose results differed in a recheck each time. Default: the setting of the cache. */
  readonly excludeUnstable?: boolean;
  /** By name (`host`, or that of an executor given to `openMemoir`), with its options where it has any. Default `auto`. */
  readonly executor?: string | ExecutorOrder;
  readonly limits?: RunLimits;
  /** Image of tasks that name none. */
  readonly image?: string;
  readonly copyInputs?: boolean;
  /** Variables that every task gets, and that enter the key. */
  readonly env?: Readonly<Record<string, string>>;
  /** After a failure: start nothing more (`fast`, the default), or finish what does not depend on it. */
  readonly failure?: "fast" | "slow";
  /** Share of the reused calls, 0 to 1, that is computed again to compare. Default 0. */
  readonly recheck?: number;
  /** URL to which the end of the run is posted, as JSON. */
  readonly notify?: string;
  /** Folder that the final outputs are copied to. */
  readonly out?: string;
  /** Folder of all runs. Default: below the home folder. */
  readonly runsDir?: string;
}

export function programOf(workflow: string, options: WorkflowOptions): ProgramOrder {
  const { main, target, language, lenient } = options;
  return {
    workflow,
    ...defined({ main, target, language }),
    lenient: lenient === true,
  };
}

export function requestOf(workflow: string, options: RunOptions): RunRequest {
  const { inputs, inputsBase, executor = "auto", env, failure = "fast" } = options;
  const { limits, image, copyInputs, recheck, notify, out, runsDir } = options;
  return {
    program: programOf(workflow, options),
    inputs: {
      ...(inputs === undefined ? {} : typeof inputs === "string" ? { file: inputs } : { values: inputs }),
      ...defined({ baseDir: inputsBase }),
    },
    cache: cacheOf(options),
    executor: typeof executor === "string" ? { name: executor, options: {} } : executor,
    failure,
    ...(env === undefined ? {} : { env: Object.entries(env).map(([name, value]) => `${name}=${value}`) }),
    ...defined({ limits, image, copyInputs, recheck, notify, out, runsDir }),
  };
}

function cacheOf({ cache, cacheBehavior, cacheHostTasks, excludeUnstable }: RunOptions): CacheRequest {
  return {
    ...(cache === false ? { off: true } : cache === undefined ? {} : { place: cache }),
    ...defined({ behavior: cacheBehavior, hostTasks: cacheHostTasks, excludeUnstable }),
  };
}
