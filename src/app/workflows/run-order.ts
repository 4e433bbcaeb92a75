/**
 * A run as data: what is run, with which inputs, against which cache, where, and within which limits. The command line,
 * the server and programs make one; `runOrder` and `dryRun` take one. What cannot be data is passed separately
 * (`RunPorts`).
 */
import type { CacheBehavior, Capacity, TimedEvent, Turns, TurnsPlace } from "../../engine/index.ts";
import type { ImageResolver } from "../../exec/core/index.ts";
import { AppError, type Ask, checkAsk } from "../../kernel/index.ts";
import type { EntryNames } from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import { checkNotifyUrl } from "./announce-end.ts";
import { defaultCacheLocation, findCache } from "./cache-place.ts";
import type { CacheRecord } from "./cache-registry.ts";
import type { ExecutorOrder } from "./executors.ts";
import type { ProgramOrder } from "./load.ts";
import { type InputsOrder, type InputsRequest, inputsOrder } from "./run-inputs.ts";
import type { TaskExecutor } from "./task-executors.ts";

export interface RunOrder extends RunChoices {
  readonly program: ProgramOrder;
  readonly inputs: InputsOrder;
  readonly cache: CacheOrder;
  readonly executor: ExecutorOrder;
  /** Variables that every task gets, and that enter the key. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it was made from, and where; kept with a listed run, so that it can be run again. */
  readonly asked?: { readonly request: RunRequest; readonly cwd: string };
}

/** What is equal in an order and in a request for one. */
interface RunChoices {
  /** Where single tasks run, by patterns of their names: the last one that fits counts. */
  readonly taskExecutors?: readonly TaskExecutor[];
  readonly limits?: RunLimits;
  readonly failure: "fast" | "slow";
  /** Image of tasks that name none. */
  readonly image?: string;
  /** Every task gets copies of its inputs, which it may change. */
  readonly copyInputs?: boolean;
  /** Part of the reused calls, 0 to 1, that is computed again to compare. */
  readonly recheck?: number;
  /** Listed with the runs of the command line, wherever its folder is. */
  readonly isListed?: boolean;
  /** URL to which the end of the run is posted. */
  readonly notify?: string;
  /** Name of the run, which must be new; default: one made from the time. */
  readonly runId?: string;
  /** Folder of all runs. Default: below the home folder. */
  readonly runsDir?: string;
  /** Where final outputs are copied to, in addition to the run's folder. */
  readonly out?: string;
  /** Further folders that documents of others may write to. Absolute. */
  readonly writable?: readonly string[];
  /** See `RunParts`. Default: `deliver`. */
  readonly outputs?: "deliver" | "in place";
}

export interface RunLimits {
  /** Cores that running tasks may use together; default: the machine's. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** GPUs that running tasks may use together. Default 0: they are not looked for. */
  readonly gpus?: number;
  /** Tasks that ask for more than there is run with what there is. Default: only of lenient programs. */
  readonly clamp?: boolean;
}

export type CacheOrder =
  /** Nothing is reused and nothing recorded. */
  | { readonly kind: "none" }
  | {
      readonly kind: "record";
      readonly record: CacheRecord;
      /** Default: what the record says. */
      readonly behavior?: CacheBehavior;
      /** Record and reuse tasks that run without a container, whatever the record says. */
      readonly hostTasks?: boolean;
      /** Compute tasks whose results differed in a recheck each time, whatever the record says. */
      readonly excludeUnstable?: boolean;
    };

/** What a run is given that is not data. */
export interface RunPorts {
  readonly onEvent: (event: TimedEvent) => void;
  /** Turns shared with other runs of this process. */
  readonly turns?: (capacity: Capacity, place: TurnsPlace) => Turns;
  /** Which images are pulled for those that tasks name. */
  readonly mapImages?: (images: ImageResolver) => ImageResolver;
  /** How entries of the cache are named; default: by chance. */
  readonly entryNames?: EntryNames;
  /** Awaited when everything is ready and no result was looked for yet; what it throws ends the run before it begins. */
  readonly ready?: () => Promise<void>;
}

/** As people say it: inputs in a file or as words, a cache by its name or place, variables by their names. */
export interface RunRequest extends RunChoices {
  readonly program: ProgramOrder;
  readonly inputs: InputsRequest;
  readonly cache: CacheRequest;
  readonly executor: ExecutorOrder;
  /** `NAME` (the user's own value) or `NAME=VALUE`. */
  readonly env?: readonly string[];
}

export interface CacheRequest {
  /** A name, a folder or `s3://bucket/prefix`. Default: the cache below the home folder. */
  readonly place?: string;
  /** Neither reuse nor record anything. */
  readonly off?: boolean;
  readonly behavior?: CacheBehavior;
  readonly hostTasks?: boolean;
  readonly excludeUnstable?: boolean;
}

/** Reads what the request names: the inputs file and the registry of caches. Nothing is opened. */
export async function orderOf(request: RunRequest, environment: Environment, ask: Ask): Promise<RunOrder> {
  checkAsk(ask, "reading what a run is asked for");
  checkNotifyUrl(request.notify);
  const { inputs, cache, env, ...rest } = request;
  return {
    ...rest,
    asked: { request, cwd: environment.cwd },
    cache: await cacheOrder(cache, environment),
    ...(env === undefined ? {} : { env: variables(env, environment) }),
    inputs: await inputsOrder(inputs, environment.cwd),
  };
}

async function cacheOrder(
  { place, off, ...choices }: CacheRequest,
  environment: Environment,
): Promise<CacheOrder> {
  if (off === true) return { kind: "none" };
  const record = await findCache(place ?? defaultCacheLocation(environment), environment);
  return { kind: "record", record, ...choices };
}

/** @throws AppError CLI_USAGE for a variable that has no value here. */
function variables(asked: readonly string[], { programs }: Environment): Readonly<Record<string, string>> {
  const pairs = asked.map((text): readonly [string, string] => {
    const [, name = "", given] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
    const value = given ?? programs[name];
    if (name === "") throw new AppError("CLI_USAGE", `--env ${text}: expected NAME or NAME=VALUE`);
    if (value === undefined)
      throw new AppError(
        "CLI_USAGE",
        `--env ${name}: the variable is not set; give NAME=VALUE, or leave it out`,
      );
    // What is not UTF-8 arrives as U+FFFD, which is not what the task was to get.
    if (given === undefined && value.includes("\ufffd"))
      throw new AppError("CLI_USAGE", `--env ${name}: the value of the variable is not UTF-8`);
    return [name, value];
  });
  return Object.fromEntries(pairs);
}
