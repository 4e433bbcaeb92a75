/** Every route of `/api/v1`: what it answers, to whom, and the shape of the answer. */
import { runOrders, runStates } from "../app/index.ts";
import { cachePageRoutes } from "./cache-page-routes.ts";
import { modelOf, predictionJobRoutes } from "./prediction-job-routes.ts";
import { prefix, type V1Request, type V1Route } from "./route.ts";
import { runPageRoutes } from "./run-page-routes.ts";
import { summaryRoutes } from "./summary-routes.ts";

const cursor = { kind: "text", about: "`nextCursor` of the page before" } as const;
const mostOfPage = 1000;
const limitOf = (usual: number) => ({
  ...({ kind: "integer", about: "entries of a page", least: 1, most: mostOfPage } as const),
  usual,
});
const callOfRun = { kind: "text", about: "only this call: its path, the end of it, or its task" } as const;

/** Labels are there because their route has them. */
function label({ labels }: V1Request, name: string): string {
  return labels[name] ?? "";
}

const runRoutes: readonly V1Route[] = [
  {
    ...{ name: "listRuns", method: "GET", path: `${prefix}/runs`, schema: "RunList", for: "everybody" },
    summary: "Runs, newest first; operators also see those of the command line",
    command: "runs list",
    query: {
      limit: limitOf(20),
      cursor,
      state: { kind: "text", about: "only runs in this state", choices: runStates },
      workflow: { kind: "text", about: "only runs of this workflow" },
      search: { kind: "text", about: "only runs with this in their id, name or workflow" },
      since: { kind: "text", about: "only runs that began at this time (ISO 8601) or later" },
      until: { kind: "text", about: "only runs that began before this time (ISO 8601)" },
      tag: { kind: "text", about: "only runs of the server with this tag: `KEY` or `KEY=VALUE`" },
      sort: { kind: "text", about: "default: newest", choices: runOrders },
      origin: {
        ...{ kind: "text", choices: ["home", "server"] },
        about: "only runs of the command line (`home`) or of the server",
      },
    },
    answer: ({ browse, caller, query, ask }) =>
      browse.runs(
        caller,
        {
          limit: query.integer("limit") ?? mostOfPage,
          ...query.texts("cursor", "workflow", "search", "since", "until", "tag"),
          ...(query.texts("state", "origin", "sort") as object),
        },
        ask,
      ),
  },
  {
    ...{ name: "getRun", method: "GET", path: `${prefix}/runs/{run}`, schema: "RunDetail", for: "everybody" },
    summary: "A run with all its calls",
    command: "runs show",
    query: {
      calls: {
        ...{ kind: "text", choices: ["all", "none"] },
        about: "`none`: without the rows of its calls; default: all",
      },
    },
    answer: (request) => {
      const calls = request.query.text("calls") === "none" ? "none" : "all";
      return request.browse.run(request.caller, label(request, "run"), { calls }, request.ask);
    },
  },
  {
    ...{ name: "listCalls", method: "GET", path: `${prefix}/runs/{run}/calls`, schema: "CallList" },
    for: "everybody",
    summary: "The calls of a run, in the order in which they were asked for",
    query: {
      limit: limitOf(100),
      cursor,
      state: {
        ...{ kind: "text", about: "only calls in this state" },
        choices: ["waiting", "running", "reused", "computed", "failed", "cancelled"],
      },
      task: { kind: "text", about: "only calls of this task" },
      search: { kind: "text", about: "only calls with this in their path" },
      since: { kind: "text", about: "`changes` of an earlier answer: only calls that changed since" },
    },
    streams: true,
    answer: (request) =>
      request.browse.calls(request.caller, label(request, "run"), {
        limit: request.query.integer("limit") ?? mostOfPage,
        ...request.query.texts("cursor", "task", "search", "since"),
        ...(request.query.texts("state") as object),
      }),
    stream: async function* (request, after) {
      const run = label(request, "run");
      const since = after ?? request.query.text("since");
      for await (const page of request.browse.followCalls(request.caller, run, since, request.ask))
        yield page === undefined ? undefined : { id: page.changes, event: "calls", data: page };
    },
  },
  {
    ...{ name: "getRunLogs", method: "GET", path: `${prefix}/runs/{run}/logs`, schema: "RunLogs" },
    for: "everybody",
    summary: "Command, output streams and exit code of a run's calls; long streams are cut to their end",
    command: "runs logs",
    query: { call: callOfRun },
    answer: (request) =>
      request.browse.logs(request.caller, label(request, "run"), request.query.text("call"), request.ask),
  },
  {
    ...{ name: "getRunOutputs", method: "GET", path: `${prefix}/runs/{run}/outputs`, schema: "RunOutputs" },
    for: "everybody",
    summary: "The outputs of a run that succeeded",
    command: "runs outputs",
    query: {},
    answer: (request) => request.browse.outputs(request.caller, label(request, "run"), request.ask),
  },
  {
    ...{ name: "listEvents", method: "GET", path: `${prefix}/runs/{run}/events`, schema: "EventList" },
    ...{ for: "everybody", streams: true },
    summary: "What happened in a run; with `accept: text/event-stream` as it happens",
    query: { limit: limitOf(1000), cursor },
    answer: (request) =>
      request.browse.events(request.caller, label(request, "run"), {
        limit: request.query.integer("limit") ?? mostOfPage,
        ...request.query.texts("cursor"),
      }),
  },
  {
    ...{ name: "explainRun", method: "GET", path: `${prefix}/runs/{run}/explain`, schema: "RunExplanation" },
    ...{ for: "everybody", isHeavy: true },
    summary: "Why calls were computed instead of reused: the nearest recorded result and what differs",
    command: "cache explain",
    query: { call: callOfRun },
    answer: (request) =>
      request.browse.explain(request.caller, label(request, "run"), request.query.text("call"), request.ask),
  },
  {
    ...{ name: "compareRuns", method: "GET", path: `${prefix}/runs/{run}/diff/{other}`, schema: "RunDiff" },
    ...{ for: "operators", isHeavy: true },
    summary: "What two runs of the command line did differently, call by call",
    command: "runs diff",
    query: {},
    answer: (request) =>
      request.browse.diff(request.caller, label(request, "run"), label(request, "other"), request.ask),
  },
];

const cacheRoutes: readonly V1Route[] = [
  {
    ...{ name: "listCaches", method: "GET", path: `${prefix}/caches`, schema: "CacheList", for: "everybody" },
    summary: "Run caches; operators also see the named caches in the home folder",
    command: "cache list",
    query: {},
    answer: ({ browse, caller, ask }) => browse.caches.list(caller, ask),
  },
  {
    ...{ name: "getCache", method: "GET", path: `${prefix}/caches/{cache}`, schema: "CacheDetail" },
    ...{ for: "everybody", isHeavy: true },
    summary: "A cache by its `ref`: its settings, its size and the runs that use it",
    command: "cache show",
    query: {},
    answer: (request) => request.browse.caches.show(request.caller, label(request, "cache"), request.ask),
  },
  {
    ...{ name: "listEntries", method: "GET", path: `${prefix}/caches/{cache}/entries`, schema: "EntryList" },
    ...{ for: "everybody", isHeavy: true },
    summary: "What a cache has recorded, newest first",
    command: "cache entries",
    query: {
      limit: limitOf(50),
      cursor,
      task: { kind: "text", about: "only results of this task" },
      run: { kind: "text", about: "only results that this run computed" },
      workflow: { kind: "text", about: "only results of this workflow" },
      search: {
        kind: "text",
        about: "only results with this in their task, call, workflow, run, uuid or key",
      },
      olderThanMs: { kind: "integer", about: "only older ones", least: 0, most: 1e14 },
      newerThanMs: { kind: "integer", about: "only newer ones", least: 0, most: 1e14 },
      largerThanBytes: { kind: "integer", about: "only larger ones", least: 0, most: 1e15 - 1 },
    },
    answer: (request) => {
      const { query } = request;
      const numbers = (["limit", "olderThanMs", "newerThanMs", "largerThanBytes"] as const).flatMap(
        (name) => {
          const value = query.integer(name);
          return value === undefined ? [] : [[name, value] as const];
        },
      );
      const options = {
        ...query.texts("cursor", "task", "run", "workflow", "search"),
        ...Object.fromEntries(numbers),
      };
      return request.browse.caches.entries(request.caller, label(request, "cache"), options, request.ask);
    },
  },
  {
    ...{ name: "getCacheSize", method: "GET", path: `${prefix}/caches/{cache}/size`, schema: "CacheSize" },
    ...{ for: "everybody", isHeavy: true },
    summary: "The size of a cache, by task and by workflow",
    command: "cache du",
    query: {},
    answer: (request) => request.browse.caches.size(request.caller, label(request, "cache"), request.ask),
  },
  {
    ...{
      name: "verifyCache",
      method: "POST",
      path: `${prefix}/caches/{cache}/verify`,
      schema: "VerifyReport",
    },
    ...{ for: "everybody", isHeavy: true },
    summary: "Reads everything that a cache holds and sets damaged entries aside",
    command: "cache verify",
    query: {},
    answer: (request) => request.browse.caches.verify(request.caller, label(request, "cache"), request.ask),
  },
];

const predictionRoutes: readonly V1Route[] = [
  {
    ...{ name: "getNeighbours", method: "GET", path: `${prefix}/predictions/{model}/nearest` },
    ...{ schema: "Neighbours", for: "operators", isHeavy: true },
    summary: "Stored molecules that are similar to one, with their values; needs an index that is there",
    query: {
      smiles: { kind: "text", about: "SMILES of a molecule" },
      cache: { kind: "text", about: "default: local", choices: ["local", "cloud"] },
      count: { kind: "integer", about: "neighbours at most", least: 1, most: 100, usual: 10 },
    },
    answer: (request) => {
      const { query, ask } = request;
      const cache = query.text("cache") === "cloud" ? ("cloud" as const) : ("local" as const);
      const options = { model: modelOf(request), molecule: query.text("smiles") ?? "", cache };
      return request.browse.predictions.nearest({ ...options, count: query.integer("count") ?? 10 }, ask);
    },
  },
  {
    ...{ name: "listPredictions", method: "GET", path: `${prefix}/predictions`, schema: "PredictionStats" },
    ...{ for: "operators", isHeavy: true },
    summary: "Stored predictions of each model, counted per release and tier",
    command: "predictions stats",
    query: {},
    answer: ({ browse, ask }) => browse.predictions.stats(undefined, ask),
  },
  {
    ...{ name: "getPredictions", method: "GET", path: `${prefix}/predictions/{model}` },
    ...{ schema: "PredictionStats", for: "operators", isHeavy: true },
    summary: "Stored predictions of one model",
    command: "predictions stats",
    query: {},
    answer: (request) => request.browse.predictions.stats(modelOf(request), request.ask),
  },
];

/** What the pages show over many runs, caches and predictions. */
const pageRoutes: readonly V1Route[] = [...cachePageRoutes, ...summaryRoutes];

export const dataRoutes: readonly V1Route[] = [
  ...runRoutes,
  ...runPageRoutes,
  ...pageRoutes,
  ...cacheRoutes,
  ...predictionRoutes,
  ...predictionJobRoutes,
];
