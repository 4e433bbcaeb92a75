/** The registry of executors, and which of them a run gets. Nothing else names them. */
import { containerKind } from "../../exec/container/index.ts";
import {
  type CreatedExecutor,
  checkExecutorOptions,
  type ExecutorKind,
  type ExecutorOption,
  type ExecutorOptions,
  type ExecutorWorld,
  mixedKind,
} from "../../exec/core/index.ts";
import { hostKind } from "../../exec/local/index.ts";
import { awsBatchKind, tesKind } from "../../exec/remote/index.ts";
import { slurmKind } from "../../exec/slurm/index.ts";
import { templateKind } from "../../exec/template/index.ts";
import { AppError, didYouMean } from "../../kernel/index.ts";
import type { FrontEndAbilities } from "../../lang/core/index.ts";
import type { Environment } from "../environment.ts";

const mixed = mixedKind(hostKind, containerKind, {
  name: "mixed",
  summary: "in containers where they name an image, and as local processes otherwise",
  options: ["engine", "no-guard"],
});

export const executors: readonly ExecutorKind[] = [
  containerKind,
  hostKind,
  mixed,
  slurmKind,
  templateKind,
  tesKind,
  awsBatchKind,
];

/** Not an executor: the one that fits the workflow's language. */
export const auto = "auto";

/** What `--executor` takes. */
export const executorNames: readonly string[] = [auto, ...executors.map(({ name }) => name)];

/** Those whose tasks run as jobs on other machines; slices of predictions can be such jobs. */
const clusters: readonly ExecutorKind[] = [slurmKind, templateKind, tesKind, awsBatchKind];

export const clusterNames: readonly string[] = clusters.map(({ name }) => name);

/** Those that compute slices in an image. */
export const imageExecutorNames: readonly string[] = [tesKind, awsBatchKind].map(({ name }) => name);

/** The options of those, by name. */
export const clusterOptions: ReadonlySet<string> = new Set(
  clusters.flatMap(({ options }) => options.map(({ name }) => name)),
);

/** The options of all executors, each once. */
export const executorOptions: readonly ExecutorOption[] = [
  ...new Map(executors.flatMap(({ options }) => options).map((option) => [option.name, option])).values(),
];

/** Which executor, by its name in the registry or `auto`, and its options. Plain data. */
export interface ExecutorOrder {
  readonly name: string;
  readonly options: ExecutorOptions;
}

/** Those of the package, and what its user brings. */
export function executorsOf({ extensions }: Pick<Environment, "extensions">): readonly ExecutorKind[] {
  return [...executors, ...(extensions?.executors ?? [])];
}

/** Whether an executor of the package takes an option; `auto` takes those of the executors that it may become. */
export function takesOption(executor: string, option: string): boolean {
  const kinds =
    executor === auto ? [containerKind, mixed] : executors.filter(({ name }) => name === executor);
  return kinds.some(({ options }) => options.some(({ name }) => name === option));
}

/** @throws CLI_USAGE for names and options that there are not. */
export async function createExecutor(
  order: ExecutorOrder,
  { can }: { readonly can: FrontEndAbilities },
  environment: Environment,
  say: (words: string) => void,
): Promise<CreatedExecutor> {
  const known = executorsOf(environment);
  const fits =
    order.name === auto
      ? fitting(order.options, can)
      : { kind: named(order.name, known), options: order.options };
  checkExecutorOptions(fits.kind, fits.options, known);
  return fits.kind.create(fits.options, await worldOf(environment, say));
}

async function worldOf(environment: Environment, say: (words: string) => void): Promise<ExecutorWorld> {
  const { openObjectStore } = await import("../../store/objects/index.ts");
  return {
    env: environment.programs,
    say,
    openObjects: (uri) => openObjectStore(uri, { s3: environment.s3, names: "any" }),
  };
}

/** An executor by its name. @throws CLI_USAGE for names and options that there are not. */
export async function createNamedExecutor(
  order: ExecutorOrder,
  environment: Environment,
  say: (words: string) => void,
): Promise<CreatedExecutor> {
  const known = executorsOf(environment);
  const kind = named(order.name, known);
  checkExecutorOptions(kind, order.options, known);
  return kind.create(order.options, await worldOf(environment, say));
}

/** An option that only some of the candidates have is meant for those: the others go without. */
function fitting(
  options: ExecutorOptions,
  can: FrontEndAbilities,
): { readonly kind: ExecutorKind; readonly options: ExecutorOptions } {
  const candidates = [containerKind, mixed];
  const kind = can.tasksWithoutImage === "host" ? mixed : containerKind;
  const isMeant = (name: string, of: readonly ExecutorKind[]) =>
    of.some((each) => each.options.some((option) => option.name === name));
  const kept = Object.entries(options).filter(
    ([name]) => isMeant(name, [kind]) || !isMeant(name, candidates),
  );
  return { kind, options: Object.fromEntries(kept) };
}

function named(name: string, known: readonly ExecutorKind[]): ExecutorKind {
  const found = known.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = [auto, ...known.map((each) => each.name)];
  const near = didYouMean(name, names);
  const guess = near === undefined ? "" : `; did you mean ${near}?`;
  throw new AppError(
    "CLI_USAGE",
    `choosing the executor: there is no ${name}; there are ${names.join(", ")}${guess}`,
  );
}
