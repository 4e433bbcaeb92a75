/**
 * What is known of an executor before it is loaded: an entry of the registry in `app/`. An executor brings its name, its
 * options, what `memoir doctor` looks at, and a page in docs/executors/ that describes them.
 */
import { AppError, type Ask } from "../../kernel/index.ts";
import type { ObjectStore } from "../../store/objects/index.ts";
import type { Executor, ImageResolver } from "./executor.ts";

export interface ExecutorKind {
  /** As `--executor` takes it: `host`. */
  readonly name: string;
  /** For help: where its tasks run, as the end of "tasks run …". */
  readonly summary: string;
  readonly options: readonly ExecutorOption[];
  readonly checks: readonly ExecutorCheck[];
  /** Nothing is started or looked for yet: that is `Executor.open`. Options have been checked. */
  create(options: ExecutorOptions, world: ExecutorWorld): Promise<CreatedExecutor>;
}

export interface CreatedExecutor {
  readonly executor: Executor;
  /** What image references mean where the tasks run; absent where there are no images. */
  readonly images?: ImageResolver;
}

/** What executors may look at of the process that made them. */
export interface ExecutorWorld {
  readonly env: Readonly<Record<string, string>>;
  /** Words for people about what happens on the way (pulling an image). */
  readonly say: (words: string) => void;
  /** The store at `s3://…` with this process's credentials; whoever opens it closes it. */
  readonly openObjects: (uri: string) => ObjectStore;
}

export interface ExecutorOption {
  /** `engine`; its flag is `--engine`. */
  readonly name: string;
  /** Placeholder of the value in help; absent: the option takes no value. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly description: string;
  /** What applies without the option. */
  readonly default?: string;
}

/** By name; `true` for an option without a value. Plain data. */
export type ExecutorOptions = Readonly<Record<string, string | true>>;

/** One line of `memoir doctor`. */
export type ExecutorCheck =
  /** Whether a program is on PATH and answers. */
  | {
      readonly kind: "program";
      readonly name: string;
      readonly versionFlag: string;
      readonly enables: string;
    }
  | {
      readonly kind: "probe";
      readonly name: string;
      readonly enables: string;
      probe(world: Pick<ExecutorWorld, "env">, ask: Ask): Promise<CheckAnswer>;
    };

export interface CheckAnswer {
  /** `trouble`: it is meant to be used and does not work. `absent`: nothing needs it, but it would enable more. */
  readonly state: "ok" | "trouble" | "absent";
  readonly detail: string;
}

/** @throws CLI_USAGE for an option that the executor does not have, or a value that the option does not take */
export function checkExecutorOptions(
  kind: Pick<ExecutorKind, "name" | "options">,
  given: ExecutorOptions,
  others: readonly Pick<ExecutorKind, "name" | "options">[],
): void {
  for (const [name, value] of Object.entries(given)) {
    const option = kind.options.find((each) => each.name === name);
    if (option === undefined) {
      const having = others.filter(({ options }) => options.some((each) => each.name === name));
      const whose =
        having.length === 0
          ? "no executor has it"
          : `it is an option of ${having.map((each) => each.name).join(" and ")}`;
      throw usage(`--${name} is not an option of --executor ${kind.name}: ${whose}`);
    }
    if ((value === true) !== (option.value === undefined))
      throw usage(`--${name}: expected ${option.value === undefined ? "no value" : `a ${option.value}`}`);
    if (value !== true && option.choices !== undefined && !option.choices.includes(value))
      throw usage(`--${name} ${value}: expected ${option.choices.join(" or ")}`);
  }
}

function usage(words: string): AppError {
  return new AppError("CLI_USAGE", `choosing the executor: ${words}`);
}
