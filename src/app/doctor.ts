/** What is installed and reachable on this machine, and what each missing thing would enable. */
import { setMaxListeners } from "node:events";
import { access, constants } from "node:fs/promises";
import type { ExecutorCheck } from "../exec/core/index.ts";
import { makeFolders } from "../files/index.ts";
import { type Ask, checkAsk, defined, isAppError, messageOf, withPatience } from "../kernel/index.ts";
import { createCanonicalizer, listModels } from "../models/index.ts";
import { describeOutcome, runProgram } from "../process/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import type { Environment } from "./environment.ts";
import { checkHome } from "./home.ts";
import type { TierOptions } from "./stored.ts";
import { broughtTier, createCloudTier, createLocalTier, placesOf } from "./tiers.ts";
import { createNamedExecutor, type ExecutorOrder, executorsOf } from "./workflows/executors.ts";

export interface Finding {
  readonly name: string;
  /** `trouble`: it is meant to be used and does not work. `absent`: nothing needs it, but it would enable more. */
  readonly state: "ok" | "trouble" | "absent";
  /** Version, address or reason. */
  readonly detail: string;
  /** What it is for. */
  readonly enables: string;
}

export interface DoctorResult {
  readonly findings: readonly Finding[];
}

export interface DoctorOptions extends TierOptions {
  /** What the configuration files choose; undefined: nothing. */
  readonly executor?: ExecutorOrder;
  /** Why the configuration files cannot be read. */
  readonly configTrouble?: string;
}

export async function doctor(
  options: DoctorOptions,
  environment: Environment,
  ask: Ask,
): Promise<DoctorResult> {
  const first: readonly Check[] = [
    node(),
    home(environment),
    tier("local cache", "reuse of predictions on this machine", async () => {
      const brought = broughtTier("local", environment, () => {});
      if (brought !== undefined) return brought;
      // Each alone: a wrong address of the other says nothing about this one.
      const { local } = placesOf(defined({ local: options.local }), { ...environment, cloud: undefined });
      await checkHomeOf(local, environment);
      return createLocalTier(local, options, () => {});
    }),
    tier("cloud cache", "reuse of predictions across machines", async () => {
      const brought = broughtTier("cloud", environment, () => {});
      if (brought !== undefined) return brought;
      const { cloud } = placesOf(defined({ cloud: options.cloud }), { ...environment, local: undefined });
      await checkHomeOf(cloud, environment);
      return createCloudTier(cloud, environment, () => {});
    }),
  ];
  const second: readonly Check[] = [
    ...configuration(options, environment),
    toolkit(),
    modelsHere(environment),
    ...programs.map((one) => program(one, environment)),
    ...executorsOf(environment).flatMap(({ checks }) =>
      checks.map((check) => ofExecutor(check, environment)),
    ),
  ];
  // Stores are probed alone: the start of the toolkit takes all of the processor for seconds.
  const findings: Finding[] = [];
  for (const checks of [first, second]) {
    checkAsk(ask, "looking at what is installed");
    setMaxListeners(0, ask.signal); // every probe listens until it has answered
    findings.push(...(await Promise.all(checks.map((check) => within(check, ask)))));
  }
  return { findings };
}

interface Check extends Pick<Finding, "name" | "enables"> {
  probe(ask: Ask): Promise<Pick<Finding, "state" | "detail">>;
}

/** No probe may take longer, in time in which this process runs: a folder on a dead network disk never answers. */
const probeLimitMs = 60_000;

async function within({ name, enables, probe }: Check, ask: Ask): Promise<Finding> {
  const limit = withPatience(ask, probeLimitMs);
  const over = new Promise<Pick<Finding, "state" | "detail">>((resolve, reject) =>
    limit.ask.signal.addEventListener("abort", () =>
      ask.signal.aborted
        ? reject(ask.signal.reason)
        : resolve({ state: "trouble", detail: `timed out after ${probeLimitMs / 1000} s` }),
    ),
  );
  try {
    const answer = await Promise.race([probe(limit.ask), over]);
    return { name, enables, ...answer };
  } catch (error) {
    // One thing that does not work must not hide what is to be said about the others.
    if (ask.signal.aborted) throw error;
    return { name, enables, state: "trouble", detail: detailOf(error) };
  } finally {
    limit.done();
  }
}

function node(): Check {
  return {
    name: "Node.js",
    enables: "Memoir itself",
    probe: async () => ({ state: "ok", detail: process.version }),
  };
}

function home(environment: Environment): Check {
  return {
    name: "home",
    enables: "sessions, models and the embedded caches",
    probe: async () => {
      try {
        await checkHome(environment);
        const { home: folder } = environment;
        await makeFolders(folder);
        await access(folder, constants.W_OK);
        return { state: "ok", detail: folder };
      } catch (error) {
        return { state: "trouble", detail: detailOf(error) };
      }
    },
  };
}

/** A store below a home that cannot be used must not be made there. */
async function checkHomeOf(place: string, environment: Environment): Promise<void> {
  if (place.startsWith(`${environment.home}/`)) await checkHome(environment);
}

/** A store that took longer to open works all the same. */
const slowMs = 2_000;

function tier(name: string, enables: string, create: () => Promise<PredictionTier>): Check {
  return {
    name,
    enables,
    probe: async (ask) => {
      try {
        const opened = await create();
        const startedAt = performance.now();
        try {
          await opened.open(ask);
          const tookMs = performance.now() - startedAt;
          const slow = tookMs < slowMs ? "" : ` (slow: answered after ${(tookMs / 1000).toFixed(1)} s)`;
          return { state: "ok", detail: opened.name + slow };
        } finally {
          await opened.close();
        }
      } catch (error) {
        return { state: "trouble", detail: detailOf(error) };
      }
    },
  };
}

function detailOf(error: unknown): string {
  return messageOf(error) + (isAppError(error) ? ` (${error.code}: ${error.hint})` : "");
}

function toolkit(): Check {
  return {
    name: "RDKit",
    enables: "the built-in models and --match canonical",
    probe: async (ask) => {
      try {
        const canonicalizer = await createCanonicalizer({}, ask);
        await canonicalizer.close();
        return { state: "ok", detail: canonicalizer.toolkit };
      } catch (error) {
        return { state: "trouble", detail: messageOf(error) };
      }
    },
  };
}

function modelsHere(environment: Environment): Check {
  return {
    name: "models",
    enables: "predictions",
    probe: async (ask) => {
      await checkHome(environment);
      const { models, broken } = await listModels(environment.home, ask);
      if (broken.length === 0) return { state: "ok", detail: models.map((model) => model.id).join(", ") };
      const words = broken.map(({ id, problem }) => `${id} cannot be read: ${problem.message}`).join("; ");
      return { state: "trouble", detail: words };
    },
  };
}

interface Program {
  readonly name: string;
  readonly versionFlag: string;
  readonly enables: string;
}

const programLimitMs = 10_000;

const programs: readonly Program[] = [
  { name: "bash", versionFlag: "--version", enables: "models that are run as scripts" },
  { name: "git", versionFlag: "--version", enables: "memoir fetch from git" },
  { name: "git-lfs", versionFlag: "version", enables: "models whose weights are Git-LFS files" },
];

function configuration(
  { executor: order, configTrouble }: DoctorOptions,
  environment: Environment,
): readonly Check[] {
  const enables = "runs with the settings of the configuration files";
  if (configTrouble !== undefined)
    return [
      { name: "configuration", enables, probe: async () => ({ state: "trouble", detail: configTrouble }) },
    ];
  if (order === undefined) return [];
  return [
    {
      name: `executor ${order.name}`,
      enables,
      probe: async (ask) => {
        const { executor } = await createNamedExecutor(order, environment, () => {});
        try {
          if (executor.can.elsewhere !== true) return { state: "ok", detail: "runs tasks on this machine" };
          await executor.open(ask);
          return { state: "ok", detail: "answers" };
        } finally {
          await executor.close();
        }
      },
    },
  ];
}

function ofExecutor(check: ExecutorCheck, environment: Environment): Check {
  if (check.kind === "program") return program(check, environment);
  const { name, enables } = check;
  return { name, enables, probe: (ask) => check.probe({ env: environment.programs }, ask) };
}

function program({ name, versionFlag, enables }: Program, { programs: env, cwd }: Environment): Check {
  return {
    name,
    enables,
    probe: async (ask) => {
      // With its whole process group: what a program starts must not hold its output open for ever.
      const outcome = await runProgram(
        { command: name, args: [versionFlag], env, cwd, timeoutMs: programLimitMs, graceMs: 1_000 },
        ask,
      ).catch((error: unknown) => messageOf(error));
      // Installed and broken is as good as absent: nothing needs it.
      if (typeof outcome === "string") return { state: "absent", detail: `does not work: ${outcome}` };
      if (outcome.kind === "not-found") return { state: "absent", detail: "not on PATH" };
      if (outcome.kind === "exited" && outcome.exitCode === 0)
        return { state: "ok", detail: outcome.stdout.split("\n")[0] ?? name };
      return { state: "absent", detail: `does not work: ${describeOutcome(outcome)}` };
    },
  };
}
