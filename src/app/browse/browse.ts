import { dirname, join } from "node:path";
import {
  type CallRow,
  explainRun,
  type RunExplanation,
  type RunJson,
  readRunJson,
  shownState,
  type TimedEvent,
} from "../../engine/index.ts";
import { AppError, type Ask, checkAsk, defined, ExactJson, pause, redact } from "../../kernel/index.ts";
import type { Ledger, RunRecord } from "../../ledger/index.ts";
import type { DoctorResult } from "../doctor.ts";
import type { Environment } from "../environment.ts";
import { type AdviceResult, advise } from "../history/advice.ts";
import { keepPrices, keptPrices, type Prices } from "../history/prices.ts";
import { RunIndex } from "../history/run-index.ts";
import { type SavingsOptions, type SavingsResult, savings } from "../history/savings.ts";
import { knownRun } from "../omics/engine-runs.ts";
import type { AllowedPlaces } from "../omics/places.ts";
import type { RunController } from "../omics/run-controller.ts";
import { ServerRuns } from "../omics/server-runs.ts";
import type { RunGraphFacts } from "../provenance/run-graph.ts";
import type { TraceResult } from "../provenance/trace.ts";
import { placesOf } from "../tiers.ts";
import { explainComputed } from "../workflows/caches/explain.ts";
import { withCache } from "../workflows/caches/use-cache.ts";
import {
  homeRuns,
  type ListedRun,
  type ListRunsOptions,
  listRunPage,
  type RunSource,
  rowOf,
} from "../workflows/list-runs.ts";
import { runAgain } from "../workflows/run-again.ts";
import { type DiffResult, diffRuns } from "../workflows/runs/diff.ts";
import type { RunList } from "../workflows/runs/list.ts";
import { type LogsResult, runLogs } from "../workflows/runs/logs.ts";
import { type OutputsResult, runOutputs } from "../workflows/runs/outputs.ts";
import { showRun } from "../workflows/runs/show.ts";
import { runsFolder } from "../workflows/runs-folder.ts";
import { BrowseCaches } from "./browse-caches.ts";
import { BrowsePredictions } from "./browse-predictions.ts";
import { CallFolds } from "./call-folds.ts";
import { readOutput } from "./call-output.ts";
import { type ChangeResult, cancelOne, changeEach, deleteOne } from "./change-runs.ts";
import { type ComparedRun, compareRuns, type RunComparison } from "./compare.ts";
import { type HomePage, homePage } from "./home-page.ts";
import { type EventPage, type EventSource, eventPage, type Followed, followEvents } from "./run-events.ts";
import { newestRuns, type RunChange, RunFeed } from "./run-feed.ts";
import {
  type FileDownload,
  type FilePreview,
  type FileTree,
  filePreview,
  fileTree,
  type OutputPlace,
  openFile,
  outputsOfFolder,
} from "./run-files.ts";
import { type RunForm, runForm } from "./run-form.ts";
import {
  type CallDetail,
  callDetail,
  graphOf,
  inputsOf,
  type RunGraph,
  type RunResources,
  resourcesOf,
  type Timeline,
  timelineOf,
} from "./run-pages.ts";
import type { Viewer } from "./viewer.ts";

export type RunDetail = ListedRun & {
  /** Of the command line's runs; operators see the engine's also for runs of the server. */
  readonly record?: RunJson;
  readonly rows: readonly CallRow[];
  readonly notes: readonly string[];
};

export interface CallPage {
  readonly calls: readonly CallRow[];
  /** Of all pages. */
  readonly total: number;
  /** With this as `since` only calls are answered that changed later. */
  readonly changes: string;
  readonly nextCursor?: string;
}

/** A part of an output stream. Positions are bytes. */
export interface CallOutput {
  readonly text: string;
  readonly from: number;
  readonly next: number;
  readonly size: number;
  readonly ended: boolean;
}

export interface CallsOptions {
  readonly limit: number;
  /** `changes` of an earlier answer. */
  readonly since?: string;
  /** Part of the path, in either case. */
  readonly search?: string;
  readonly cursor?: string;
  readonly state?: CallRow["state"];
  readonly task?: string;
}

/** Outputs of a server's run are in the location that the request named. */
export type RunOutputs = OutputsResult | { readonly run: string; readonly location: string };

/** Where a run's folder is, for the use cases of the command line. */
interface HomeRun {
  readonly kind: "home";
  readonly id: string;
  readonly directory: string;
}

interface ServerRun {
  readonly kind: "server";
  readonly id: string;
  readonly record: RunRecord;
}

type AnyRun = HomeRun | ServerRun;

export interface BrowseParts {
  readonly environment: Environment;
  readonly ledger: Ledger;
  readonly allowed: AllowedPlaces;
  readonly runs: Pick<RunController, "cancelled" | "deleted">;
  /** Runs what a file asks for. */
  readonly repeater?: readonly [string, ...string[]];
}

export class Browse {
  readonly #environment: Environment;
  readonly #ledger: Ledger;
  readonly #server: ServerRuns;
  readonly #parts: BrowseParts;
  readonly #folds = new CallFolds();
  readonly #feed = new RunFeed();
  readonly #index: RunIndex;
  readonly caches: BrowseCaches;
  readonly predictions: BrowsePredictions;

  constructor(parts: BrowseParts) {
    this.#environment = parts.environment;
    this.#ledger = parts.ledger;
    this.#server = new ServerRuns(parts);
    this.#parts = parts;
    this.#index = new RunIndex(parts.environment);
    this.caches = new BrowseCaches({ environment: parts.environment, server: this.#server });
    this.predictions = new BrowsePredictions(parts.environment);
  }

  async runs(
    viewer: Viewer,
    options: ListRunsOptions & { readonly origin?: ListedRun["origin"] },
    ask: Ask,
  ): Promise<RunList> {
    const folder = runsFolder(undefined, this.#environment);
    const sources: Record<string, RunSource> = {};
    if (viewer.isOperator && options.origin !== "server") {
      sources["home"] = homeRuns(folder);
      sources["elsewhere"] = this.#index.elsewhere(folder);
    }
    if (options.origin !== "home") sources["server"] = this.#server.sourceOf(viewer.account);
    return { ...(viewer.isOperator ? { folder } : {}), ...(await listRunPage(sources, options, ask)) };
  }

  /** `calls`: whether the rows of all calls are there; a page asks for them one after another. */
  async run(
    viewer: Viewer,
    id: string,
    options: { readonly calls: "all" | "none" },
    ask: Ask,
  ): Promise<RunDetail> {
    const run = await this.#find(viewer, id);
    if (options.calls === "none") return this.#runWithoutCalls(run, viewer);
    if (run.kind === "home") return showRun({ run: run.directory }, this.#environment, ask);
    const row = await this.#server.rowOf(run.record);
    const engine = await this.#server.engineRun(run.record);
    if (engine === undefined) return { ...row, rows: [], notes: [] };
    const wanted = { run: engine.run, runsDir: dirname(engine.directory) };
    const { record, rows, notes } = await showRun(wanted, this.#environment, ask);
    const shown = rows.map((each) => this.#shownRow(each, viewer));
    return { ...row, ...(viewer.isOperator ? { record } : {}), rows: shown, notes };
  }

  async #runWithoutCalls(run: AnyRun, viewer: Viewer): Promise<RunDetail> {
    const directory = await this.#directoryOf(run);
    const record = directory === undefined ? undefined : await readRunJson(directory);
    if (run.kind === "server") {
      const row = await this.#server.rowOf(run.record);
      return { ...row, ...(viewer.isOperator ? defined({ record }) : {}), rows: [], notes: [] };
    }
    if (record === undefined)
      throw new AppError("RUN_NOT_FOUND", `looking for the run ${run.id}: it was deleted`);
    return { ...rowOf({ record, directory: run.directory }), record, rows: [], notes: [] };
  }

  async calls(viewer: Viewer, id: string, options: CallsOptions): Promise<CallPage> {
    const run = await this.#find(viewer, id);
    const directory = await this.#directoryOf(run);
    const fold = directory === undefined ? undefined : await this.#folds.of(directory);
    const rows = fold === undefined ? [] : [...fold.rows.values()];
    const search = options.search?.toLowerCase();
    const since = options.since === undefined ? 0 : numberIn(options.since);
    const wanted = rows.filter(
      (row) =>
        (options.state === undefined || row.state === options.state) &&
        (options.task === undefined || row.task === options.task) &&
        (search === undefined || row.call.toLowerCase().includes(search)) &&
        (since === 0 || (fold?.changedAt(row.call) ?? 0) > since),
    );
    // Calls are in the order in which they were requested, and none is ever removed: a number is a position.
    const from = options.cursor === undefined ? 0 : numberIn(options.cursor);
    const shown = wanted.slice(from, from + options.limit);
    const next = from + shown.length;
    return {
      calls: run.kind === "home" ? shown : shown.map((row) => this.#shownRow(row, viewer)),
      total: wanted.length,
      changes: String(fold?.changes ?? 0),
      ...(next < wanted.length ? { nextCursor: String(next) } : {}),
    };
  }

  /** Changed rows as they change, until the run has ended. `after`: `changes` of an earlier answer. */
  async *followCalls(
    viewer: Viewer,
    id: string,
    after: string | undefined,
    ask: Ask,
  ): AsyncGenerator<CallPage | undefined> {
    const run = await this.#find(viewer, id);
    const { hasEnded } = this.#eventsOf(run);
    for (let since = after ?? "0", looksAfterEnd = 0; looksAfterEnd < 2; ) {
      if (await hasEnded()) looksAfterEnd++;
      const page = await this.calls(viewer, id, { limit: mostChangedRows, since });
      // A page that holds less than all changed rows would lose the others.
      const { nextCursor, ...whole } = page;
      if (nextCursor !== undefined)
        for (let cursor: string | undefined = nextCursor; cursor !== undefined; ) {
          const more: CallPage = await this.calls(viewer, id, { limit: mostChangedRows, since, cursor });
          yield { calls: more.calls, total: more.total, changes: since };
          cursor = more.nextCursor;
        }
      if (page.calls.length > 0) yield whole;
      else yield undefined;
      since = page.changes;
      await pause(lookAgainMs, ask);
      checkAsk(ask, "following the calls of a run");
    }
  }

  /** Changes of the list. `after`: milliseconds since 1970. */
  followRuns(viewer: Viewer, after: string | undefined, ask: Ask): AsyncGenerator<RunChange> {
    const since = after === undefined ? undefined : numberIn(after);
    const read = async () => (await this.runs(viewer, { limit: newestRuns }, ask)).runs;
    return this.#feed.follow(`${viewer.isOperator} ${viewer.account}`, read, since, ask);
  }

  cancelRuns(viewer: Viewer, ids: readonly string[]): Promise<{ readonly results: readonly ChangeResult[] }> {
    return changeEach(
      ids,
      (id) => this.#find(viewer, id),
      (run) => cancelOne(run, this.#parts),
    );
  }

  deleteRuns(
    viewer: Viewer,
    ids: readonly string[],
    ask: Ask,
  ): Promise<{ readonly results: readonly ChangeResult[] }> {
    return changeEach(
      ids,
      async (id) => {
        const isGone = viewer.isOperator && (await this.#index.forget(id));
        return isGone ? ({ kind: "gone", id } as const) : this.#find(viewer, id);
      },
      (run) => deleteOne(run, this.#parts, ask),
    );
  }

  async form(viewer: Viewer, id: string, ask: Ask): Promise<RunForm> {
    const run = await this.#find(viewer, id);
    if (run.kind === "home" && this.#parts.repeater !== undefined)
      return runForm(run.directory, this.#environment, ask);
    const why =
      run.kind === "server"
        ? `Clients of the HealthOmics API run it again: aws omics start-run --run-id ${id}`
        : "This server was not started by the command line.";
    return { canRun: false, why, parameters: [] };
  }

  /**
   * `inputs`: a JSON object of all inputs; absent = the same as before. `invalidate`: a result that is invalidated when
   * the run is ready to begin, and not if it cannot begin.
   */
  async runAgain(
    viewer: Viewer,
    id: string,
    change: {
      readonly inputs?: string;
      readonly invalidate?: { readonly cache: string; readonly entry: string };
    },
    ask: Ask,
  ): Promise<{ readonly run: string }> {
    const run = await this.#find(viewer, id);
    const { repeater: program } = this.#parts;
    if (run.kind !== "home" || program === undefined)
      throw new AppError("RUN_NOT_REPEATABLE", `running ${id} again: it cannot be run again from here`);
    const invalidate =
      change.invalidate === undefined ? undefined : await this.caches.choiceOf(viewer, change.invalidate);
    return runAgain(
      { directory: run.directory, program, ...defined({ inputs: change.inputs, invalidate }) },
      this.#environment,
      ask,
    );
  }

  async timeline(viewer: Viewer, id: string): Promise<Timeline> {
    const directory = await this.#directoryOf(await this.#find(viewer, id));
    return directory === undefined ? { calls: [] } : timelineOf(directory, this.#folds);
  }

  async graph(viewer: Viewer, id: string): Promise<RunGraph> {
    const directory = await this.#directoryOf(await this.#find(viewer, id));
    return directory === undefined ? { nodes: [], edges: [] } : graphOf(directory, this.#folds);
  }

  async resources(viewer: Viewer, id: string): Promise<RunResources> {
    const directory = await this.#directoryOf(await this.#find(viewer, id));
    return directory === undefined ? { tasks: [] } : resourcesOf(directory, this.#folds);
  }

  async inputs(viewer: Viewer, id: string): Promise<{ readonly run: string; readonly inputs: unknown }> {
    const run = await this.#find(viewer, id);
    if (run.kind === "server") return { run: id, inputs: new ExactJson(run.record.parameters) };
    return inputsOf({ id, directory: run.directory });
  }

  async callDetail(viewer: Viewer, id: string, call: string, ask: Ask): Promise<CallDetail> {
    const run = await this.#find(viewer, id);
    const directory = await this.#directoryOf(run);
    if (directory === undefined)
      throw new AppError("RUN_NOT_FOUND", `looking for the call ${call.slice(0, 256)}: ${id} has not begun`);
    const found = await callDetail(
      {
        ...{ run: id, directory, call, folds: this.#folds },
        explain: (named, asked) => this.explain(viewer, id, named, asked),
        entryOf: (uri) => this.#entryOf(run, viewer, uri, ask),
      },
      ask,
    );
    if (run.kind === "home" || viewer.isOperator) return found;
    const attempts = found.attempts.map(({ failure, ...attempt }) => ({
      ...attempt,
      ...(isObject(failure) ? { failure: withoutPlace(failure) } : {}),
    }));
    return { ...found, attempts, call: this.#shownRow(found.call, viewer) };
  }

  /** The entry of a call, where its cache is one that the viewer can name. */
  async #entryOf(run: AnyRun, viewer: Viewer, uri: string, ask: Ask): Promise<CallDetail["entry"]> {
    const directory = await this.#directoryOf(run);
    const record = directory === undefined ? undefined : await readRunJson(directory);
    const uuid = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[^/]*\/?$/.exec(uri)?.[1];
    if (uuid === undefined || record?.cache === undefined) return undefined;
    const cache =
      run.kind === "server"
        ? this.caches.refOf(run.record.cacheId)
        : (record.cache.name ?? this.caches.refOfDefault(record.cache.uri));
    return cache === undefined ? undefined : this.caches.entry(viewer, { cache, uuid }, ask);
  }

  async files(viewer: Viewer, id: string, path: string, ask: Ask): Promise<FileTree> {
    return fileTree(await this.#outputPlace(viewer, id), path, ask);
  }

  async preview(viewer: Viewer, id: string, path: string, ask: Ask): Promise<FilePreview> {
    return filePreview(await this.#outputPlace(viewer, id), path, ask);
  }

  async file(viewer: Viewer, id: string, path: string, ask: Ask): Promise<FileDownload> {
    return openFile(await this.#outputPlace(viewer, id), path, ask);
  }

  async #outputPlace(viewer: Viewer, id: string): Promise<OutputPlace> {
    const run = await this.#find(viewer, id);
    if (run.kind === "home") return outputsOfFolder(run.directory, this.#environment);
    const { allowed, environment } = this.#parts;
    return { uri: `${run.record.runOutputUri}/out`, allowed, environment };
  }

  /** Output of a call from a byte on: what there is now. */
  async output(
    viewer: Viewer,
    id: string,
    options: { readonly call: string; readonly stream: "stdout" | "stderr"; readonly from: number },
  ): Promise<CallOutput> {
    const run = await this.#find(viewer, id);
    const directory = await this.#directoryOf(run);
    const row =
      directory === undefined ? undefined : (await this.#folds.of(directory)).rows.get(options.call);
    if (row === undefined)
      throw new AppError(
        "RUN_NOT_FOUND",
        `looking for the call ${options.call.slice(0, 256)} in the run ${id}: there is none of this path`,
      );
    const ended = row.endedAt !== undefined;
    const found =
      row.directory === undefined
        ? undefined
        : await readOutput(join(row.directory, options.stream), options.from);
    if (found !== undefined || run.kind === "home" || options.stream === "stderr")
      return { ...(found ?? { text: "", from: options.from, next: options.from, size: 0 }), ended };
    // The folders of a run that completed no longer exist; both streams of its tasks are in the ledger.
    const log = Buffer.from((await this.#server.logOf(run.record, options.call)) ?? "");
    const text = log.toString("utf8", Math.min(options.from, log.length));
    return { text, from: options.from, next: log.length, size: log.length, ended };
  }

  /** Output of a call as it is written, until the call has ended. */
  async *followOutput(
    viewer: Viewer,
    id: string,
    options: { readonly call: string; readonly stream: "stdout" | "stderr"; readonly from: number },
    ask: Ask,
  ): AsyncGenerator<CallOutput | undefined> {
    const { hasEnded } = this.#eventsOf(await this.#find(viewer, id));
    for (let from = options.from, looksAfterEnd = 0; looksAfterEnd < 2; ) {
      // A run that was killed never says that its calls ended.
      const isOver = await hasEnded();
      const found = await this.output(viewer, id, { ...options, from });
      yield found.next > from ? found : undefined;
      const isWhole = found.next >= found.size;
      if ((found.ended || isOver) && isWhole) looksAfterEnd++;
      from = found.next;
      if (isWhole) await pause(lookAgainMs, ask);
      checkAsk(ask, "following the output of a call");
    }
  }

  async logs(viewer: Viewer, id: string, call: string | undefined, ask: Ask): Promise<LogsResult> {
    const run = await this.#find(viewer, id);
    const wanted = call === undefined ? {} : { call };
    if (run.kind === "home") return runLogs({ run: run.directory, ...wanted }, this.#environment, ask);
    const engine = await this.#server.engineRun(run.record);
    if (engine === undefined) return { run: run.id, calls: [] };
    const options = { run: engine.run, runsDir: dirname(engine.directory), ...wanted };
    const found = await runLogs(options, this.#environment, ask);
    const shown = found.calls.map(async ({ directory, ...rest }) => {
      // The folders of a run that completed no longer exist; the output of its tasks is in the ledger.
      const isGone = rest.stdout === undefined && rest.stderr === undefined;
      const log = isGone ? await this.#server.logOf(run.record, rest.call) : undefined;
      return {
        ...rest,
        ...(directory === undefined || !viewer.isOperator ? {} : { directory }),
        ...defined({ log }),
      };
    });
    return { run: run.id, calls: await Promise.all(shown) };
  }

  /** Of operators: reads any file on this machine to find it by its content. */
  async trace(options: { readonly file: string; readonly depth?: number }, ask: Ask): Promise<TraceResult> {
    const { trace } = await import("../provenance/trace.ts");
    return trace(options, this.#environment, ask);
  }

  /** Of operators: says where files on this machine are. */
  async provenance(viewer: Viewer, id: string, ask: Ask): Promise<RunGraphFacts> {
    const { graphOfRun, predictionGraphOf } = await import("../provenance/run-graph.ts");
    const predictions = viewer.isOperator ? await predictionGraphOf(id, this.#environment) : undefined;
    if (predictions !== undefined) return predictions;
    const run = await this.#find(viewer, id);
    const directory = await this.#directoryOf(run);
    const record = directory === undefined ? undefined : await readRunJson(directory);
    if (directory === undefined || record === undefined)
      throw new AppError(
        "RUN_NOT_FOUND",
        `exporting the run ${id}: it has not begun, or its folder was removed`,
      );
    const origin =
      run.kind === "home"
        ? ({ kind: "home" } as const)
        : ({ kind: "server", id, account: run.record.account } as const);
    return graphOfRun({ origin, record, directory }, this.#environment, ask);
  }

  /** A Workflow Run RO-Crate as ZIP. */
  async crate(
    viewer: Viewer,
    id: string,
    options: { readonly files: "outputs" | "none"; readonly version: string },
    ask: Ask,
  ): Promise<{ readonly name: string; readonly chunks: AsyncIterable<Uint8Array> }> {
    const { zippedCrate } = await import("../provenance/export-run.ts");
    const graph = await this.provenance(viewer, id, ask);
    return { name: `${id}.crate.zip`, chunks: await zippedCrate(graph, options, ask) };
  }

  async outputs(viewer: Viewer, id: string, ask: Ask): Promise<RunOutputs> {
    const run = await this.#find(viewer, id);
    if (run.kind === "home") return runOutputs({ run: run.directory }, this.#environment, ask);
    const { status, runOutputUri: location } = run.record;
    if (status !== "COMPLETED")
      throw new AppError(
        "RUN_WITHOUT_OUTPUTS",
        `reading the outputs of ${id}: it is ${status}, and only runs that succeed have outputs`,
      );
    return { run: id, location };
  }

  async events(
    viewer: Viewer,
    id: string,
    options: { readonly cursor?: string; readonly limit: number },
  ): Promise<EventPage> {
    const run = await this.#find(viewer, id);
    const page = await eventPage(this.#eventsOf(run), options);
    return { ...page, events: page.events.map((event) => shownEvent(event, run, viewer)) };
  }

  /** The run is looked up at once; its events are followed when they are read. */
  async follow(
    viewer: Viewer,
    id: string,
    after: string | undefined,
    ask: Ask,
  ): Promise<{ readonly hasEnded: boolean; readonly events: AsyncGenerator<Followed> }> {
    const run = await this.#find(viewer, id);
    const source = this.#eventsOf(run);
    const shown = async function* (): AsyncGenerator<Followed> {
      for await (const followed of followEvents(source, after, ask))
        yield followed.kind === "idle"
          ? followed
          : { ...followed, event: shownEvent(followed.event, run, viewer) };
    };
    return { hasEnded: await source.hasEnded(), events: shown() };
  }

  async explain(viewer: Viewer, id: string, call: string | undefined, ask: Ask): Promise<RunExplanation> {
    const run = await this.#find(viewer, id);
    const wanted = call === undefined ? {} : { call };
    if (run.kind === "home")
      return explainComputed({ run: run.directory, ...wanted }, this.#environment, ask);
    const engine = await this.#server.engineRun(run.record);
    if (engine === undefined) return { run: id, reused: 0, computed: [] };
    const about = { directory: engine.directory, id: engine.run, ...wanted };
    const cache = this.#server.caches(viewer.account).find((each) => each.id === run.record.cacheId);
    const found =
      cache === undefined
        ? await explainRun(about, undefined, ask)
        : await withCache(cache.record, this.#environment, ask, (open) =>
            explainRun(about, open.entries, ask),
          );
    return { ...found, run: id };
  }

  /** Any two runs that the viewer sees. */
  async compare(viewer: Viewer, before: string, after: string, ask: Ask): Promise<RunComparison> {
    const [a, b] = [await this.#compared(viewer, before), await this.#compared(viewer, after)];
    const found = await diffRuns({ before: a.directory, after: b.directory }, this.#environment, ask);
    return compareRuns(a, b, found);
  }

  async #compared(viewer: Viewer, id: string): Promise<ComparedRun> {
    const directory = await this.#directoryOf(await this.#find(viewer, id));
    if (directory === undefined)
      throw new AppError("RUN_NOT_FOUND", `comparing ${id} with another run: it has not begun`);
    return { id, directory, fold: await this.#folds.of(directory) };
  }

  async diff(viewer: Viewer, before: string, after: string, ask: Ask): Promise<DiffResult> {
    const found = [await this.#find(viewer, before), await this.#find(viewer, after)];
    for (const run of found)
      if (run.kind !== "home")
        throw new AppError(
          "RUN_INPUT_INVALID",
          `comparing ${before} with ${after}: ${run.id} is a run of the server, and only runs of the command line can be compared`,
        );
    const [a = before, b = after] = found.map((run) => (run.kind === "home" ? run.directory : run.id));
    return diffRuns({ before: a, after: b }, this.#environment, ask);
  }

  async home(viewer: Viewer, ask: Ask): Promise<HomePage> {
    const { runs } = await this.runs(viewer, { limit: newestRuns }, ask);
    return homePage(
      {
        whose: { home: viewer.isOperator, account: viewer.account },
        runs,
        caches: await this.caches.named(viewer, ask),
        sizeOf: async (ref) => {
          const { entries, storedBytes: bytes } = await this.caches.size(viewer, ref, ask);
          return { entries, bytes };
        },
        environment: this.#environment,
      },
      ask,
    );
  }

  savings(
    viewer: Viewer,
    options: Omit<SavingsOptions, "whose" | "runsDir">,
    ask: Ask,
  ): Promise<SavingsResult> {
    return savings({ ...options, whose: whoseRuns(viewer) }, this.#environment, ask);
  }

  advise(viewer: Viewer, workflow: string, ask: Ask): Promise<AdviceResult> {
    return advise({ workflow, whose: whoseRuns(viewer) }, this.#environment, ask);
  }

  prices(): Promise<Prices> {
    return keptPrices(this.#environment);
  }

  async setPrices(prices: Prices): Promise<Prices> {
    await keepPrices(prices, this.#environment);
    return prices;
  }

  async doctor(ask: Ask): Promise<DoctorResult> {
    const { doctor } = await import("../doctor.ts");
    return doctor({}, this.#environment, ask);
  }

  /** Of operators: where things are on this machine. */
  places(): { readonly home: string; readonly local: string; readonly cloud: string } {
    const { local, cloud } = placesOf({}, this.#environment);
    return { home: this.#environment.home, local: redact(local), cloud: redact(cloud) };
  }

  /** By its whole id, so that a page never shows another run than it names. Throws RUN_NOT_FOUND. */
  async #find(viewer: Viewer, id: string): Promise<AnyRun> {
    const record = /^\d{1,18}$/.test(id) ? this.#server.find(viewer.account, id) : undefined;
    if (record !== undefined) return { kind: "server", id, record };
    const isName = viewer.isOperator && /^[0-9A-Za-z][0-9A-Za-z_.-]{0,255}$/.test(id);
    const directory = join(runsFolder(undefined, this.#environment), id);
    const home = isName ? await readRunJson(directory) : undefined;
    if (home?.id === id) return { kind: "home", id, directory };
    const elsewhere = isName ? await this.#index.directoryOf(id) : undefined;
    if (elsewhere !== undefined) return { kind: "home", id, directory: elsewhere };
    throw new AppError("RUN_NOT_FOUND", `looking for the run ${id.slice(0, 256)}: there is none of this id`);
  }

  async #directoryOf(run: AnyRun): Promise<string | undefined> {
    return run.kind === "home" ? run.directory : (await this.#server.engineRun(run.record))?.directory;
  }

  #eventsOf(run: AnyRun): EventSource {
    if (run.kind === "server")
      return {
        current: () => this.#server.engineRun(run.record),
        hasEnded: async () => this.#server.hasEnded(run.record),
      };
    const { id, directory } = run;
    return {
      current: async () => ({ run: id, directory }),
      hasEnded: async () => {
        const record = await readRunJson(directory);
        return record === undefined || shownState(record) !== "running";
      },
    };
  }

  /** With the ids that the account knows, and without local paths for callers who are not operators. */
  #shownRow({ directory, failure, ...row }: CallRow, viewer: Viewer): CallRow {
    const { fromRun } = row;
    return {
      ...row,
      ...(fromRun === undefined ? {} : { fromRun: knownRun(this.#ledger, viewer.account, fromRun) }),
      ...(directory === undefined || !viewer.isOperator ? {} : { directory }),
      ...(failure === undefined ? {} : { failure: viewer.isOperator ? failure : withoutPlace(failure) }),
    };
  }
}

/** Of operators: everything on this home. */
function whoseRuns({ isOperator, account }: Viewer): NonNullable<SavingsOptions["whose"]> {
  return { home: isOperator, account };
}

/** How often what is followed is looked at. */
const lookAgainMs = 250;
const mostChangedRows = 2_000;

function numberIn(cursor: string): number {
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  throw new AppError(
    "LEDGER_TOKEN_INVALID",
    "listing further calls: the cursor is not one that was handed out",
  );
}

function shownEvent(event: TimedEvent, run: AnyRun, { isOperator }: Viewer): TimedEvent {
  if (run.kind === "home" || isOperator) return event;
  const rest: Readonly<Record<string, unknown>> = withoutPlace(event);
  const [failure, why] = [rest["failure"], rest["why"]];
  return {
    ...rest,
    ...(isObject(failure) ? { failure: withoutPlace(failure) } : {}),
    ...(isObject(why) ? { why: withoutPlace(why) } : {}),
  } as TimedEvent;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function withoutPlace<T extends object>(value: T): T {
  const { directory: _, ...rest } = value as T & { readonly directory?: unknown };
  return rest as T;
}
