/** Everything that the HealthOmics server needs of the application: its ledger, its runs, definitions and places. */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError, type Ask, defined } from "../../kernel/index.ts";
import { type Ledger, openLedger } from "../../ledger/index.ts";
import { type AccessKeyFact, readAccessKeys } from "../access-keys.ts";
import { Browse } from "../browse/browse.ts";
import type { Environment } from "../environment.ts";
import { announcePage, type PageAddress, withdrawPage } from "../page/page-file.ts";
import { type ServedPredictions, servedPredictions } from "../served-predictions.ts";
import { checkNotifyUrl } from "../workflows/announce-end.ts";
import { createDefinitionChecker } from "./definition-checker.ts";
import {
  type DefinitionAnswer,
  type DefinitionRequest,
  findKeptBundle,
  type KeptBundle,
  registerDefinition,
  sweepDefinitions,
} from "./definitions.ts";
import { lockHome } from "./home-lock.ts";
import { checkLocation, readDocument } from "./locations.ts";
import { type AllowedPlaces, inputTrouble } from "./places.ts";
import { checkStores, type StoreCheck } from "./readiness.ts";
import { RunController } from "./run-controller.ts";
import { RunProcesses, usualRunLimits } from "./run-process/run-processes.ts";
import { statusPoster } from "./run-status-events.ts";
import { RunTallies, type Tallies } from "./run-tallies.ts";
import type { TaskChoices } from "./server-order.ts";

export interface OmicsOptions extends TaskChoices {
  /** JSON file with a list of `{accessKeyId, secretAccessKey, account}`. */
  readonly accessKeys?: string;
  readonly maxRuns?: number;
  /** URL to which each change of a run's status is posted, in the shape of EventBridge's HealthOmics events. */
  readonly notify?: string;
  /**
   * A program and its arguments that answers one question about a definition, see `answerCheck`: no document can hold the
   * server then. Default: they are checked in this process.
   */
  readonly checker?: readonly [string, ...string[]];
  /**
   * A program and its arguments that performs one run of a programming language (Nextflow), see `answerRun`. Default: they
   * run in this process.
   */
  readonly runner?: readonly [string, ...string[]];
  /** What the scripts of one such run may take, in mebibytes. Default 1024. */
  readonly runMemoryMiB?: number;
  /**
   * A program and its arguments that runs what a file asks for, see `answerRunAgain`. Default: runs cannot be run again
   * from the page.
   */
  readonly repeater?: readonly [string, ...string[]];
  /** Of ARNs. Default us-east-1. */
  readonly region?: string;
  /** Whose predictions are served below `/v1`. Default local. */
  readonly servedCache?: "local" | "cloud";
  /** Folder below which `file://` locations and paths are allowed. Default: anywhere without access keys, else none. */
  readonly files?: string;
}

export interface Omics {
  readonly ledger: Ledger;
  readonly keys: readonly AccessKeyFact[];
  readonly definitions: {
    register(request: DefinitionRequest, ask: Ask): Promise<DefinitionAnswer>;
    findBundle(digest: string): Promise<KeptBundle | undefined>;
  };
  readonly runs: RunController;
  readonly locations: {
    check(uri: string, ask: Ask): Promise<string | undefined>;
    checkInput(value: string): string | undefined;
    readText(
      uri: string,
      maxBytes: number,
      ask: Ask,
    ): Promise<{ readonly text: string; readonly etag: string }>;
  };
  /** Runs, caches and predictions as people look at them. */
  readonly browse: Browse;
  /** Outcomes of calls since the server started. */
  tallies(): Tallies;
  /** Stored predictions as other programs are served them. */
  readonly served: ServedPredictions;
  /** Which of the server's stores answer. */
  checkStores(ask: Ask): Promise<readonly StoreCheck[]>;
  readonly ledgerFile: string;
  /** Shows other commands of this home where the web page is, until this is closed. */
  announcePage(page: PageAddress): Promise<void>;
  /** Runs under way stay in the ledger and continue with the next server. */
  close(): Promise<void>;
}

export async function openOmics(
  options: OmicsOptions,
  environment: Environment,
  onBug: (error: unknown) => void,
): Promise<Omics> {
  const keys =
    options.accessKeys === undefined
      ? []
      : await readAccessKeys(resolve(environment.cwd, options.accessKeys));
  if (options.files !== undefined) await checkFolder(resolve(environment.cwd, options.files));
  const ledgerFile = join(environment.home, "server", "ledger.db");
  const unlock = await lockHome(join(environment.home, "server", "lock.json"));
  const ledger = await openLedger(ledgerFile).catch(async (error) => {
    await unlock();
    throw error;
  });
  await sweepDefinitions(environment);
  const { accessKeys: _, files: __, checker: program, maxRuns, servedCache = "local", ...rest } = options;
  const { notify, runner, repeater, runMemoryMiB, ...others } = rest;
  checkNotifyUrl(notify);
  const { region = "us-east-1", ...tasks } = others;
  const allowed = allowedPlaces(options, environment);
  const tallies = new RunTallies();
  const accounts = new Set(keys.map(({ account }) => account)).size;
  const checker = createDefinitionChecker(program);
  const served = servedPredictions(servedCache, environment);
  const runs = new RunController({
    ledger,
    region,
    environment,
    tasks,
    allowed,
    tallies,
    onBug,
    ...defined({ maxRuns }),
    ...(runner !== undefined && {
      processes: new RunProcesses(
        runner,
        environment,
        runMemoryMiB === undefined ? usualRunLimits : { heapMiB: runMemoryMiB },
      ),
    }),
    ...(notify === undefined ? {} : { announce: statusPoster({ url: notify, region, ledger, onBug }) }),
  });
  const browse = new Browse({ environment, ledger, allowed, runs, ...defined({ repeater }) });
  return {
    ledger,
    keys,
    ledgerFile,
    announcePage: (page) => announcePage(page, environment),
    runs,
    browse,
    tallies: () => tallies.now(),
    served,
    checkStores: (ask) => checkStores({ ledger, environment, allowed, accounts }, ask),
    definitions: {
      register: (request, ask) => registerDefinition(request, { allowed, environment, checker }, ask),
      findBundle: (digest) => findKeptBundle(digest, environment),
    },
    locations: {
      check: (uri, ask) => checkLocation(uri, allowed, environment, ask),
      checkInput: (value) => inputTrouble(value, allowed),
      readText: (uri, maxBytes, ask) => readDocument(uri, maxBytes, { allowed, environment }, ask),
    },
    close: async () => {
      await browse.predictions.jobs.close();
      await served.close();
      checker.close();
      await runs.close();
      ledger.close();
      await withdrawPage(environment);
      await unlock();
    },
  };
}

/** A folder that is made later is in order; nothing is ever below a file. */
async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory())
    throw new AppError("FILE_NOT_READABLE", `serving the files below ${path}: it is not a folder`);
}

function allowedPlaces(options: OmicsOptions, environment: Environment): AllowedPlaces {
  if (options.files === undefined && options.accessKeys === undefined) return { kind: "all" };
  return {
    kind: "below",
    folder: options.files === undefined ? undefined : resolve(environment.cwd, options.files),
  };
}
