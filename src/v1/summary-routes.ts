/** Routes of the pages about many runs and about predictions: home, compare, savings, molecules, settings. */
import { savingsGroups } from "../app/index.ts";
import { RequestProblem } from "../http/index.ts";
import { defined } from "../kernel/index.ts";
import { errorPage } from "./error-pages.ts";
import { modelOf } from "./prediction-job-routes.ts";
import { prefix, type V1Request, type V1Route } from "./route.ts";

const molecule = { kind: "text", about: "SMILES of a molecule" } as const;

export const summaryRoutes: readonly V1Route[] = [
  {
    ...{ name: "getHome", method: "GET", path: `${prefix}/home`, schema: "HomePage", for: "everybody" },
    ...{ query: {}, isHeavy: true },
    summary: "What runs now, the last 30 days, the last failures, and the largest caches",
    answer: ({ browse, caller, ask }) => browse.home(caller, ask),
  },
  {
    ...{ name: "compareAnyRuns", method: "GET", path: `${prefix}/compare`, schema: "RunComparison" },
    ...{ for: "everybody", isHeavy: true },
    summary: "Two runs side by side: inputs, calls, outputs and times",
    query: {
      a: { kind: "text", about: "id of the one run" },
      b: { kind: "text", about: "id of the other" },
    },
    answer: (request) => {
      const [a, b] = [needed(request, "a"), needed(request, "b")];
      return request.browse.compare(request.caller, a, b, request.ask);
    },
  },
  {
    ...{ name: "getSavings", method: "GET", path: `${prefix}/savings`, schema: "Savings", for: "everybody" },
    ...{ isHeavy: true, command: "savings" },
    summary: "What reuse has saved",
    query: {
      since: { kind: "text", about: "only runs that began at this time (ISO 8601) or later" },
      by: { kind: "text", about: "default: workflow", choices: [...savingsGroups] },
      cpuPrice: { kind: "text", about: "of a cpu for an hour" },
      memoryPrice: { kind: "text", about: "of a gigabyte of memory for an hour" },
    },
    answer: (request) => {
      const by = savingsGroups.find((group) => group === request.query.text("by")) ?? "workflow";
      if (by === "model" && !request.caller.isOperator)
        throw new RequestProblem({
          ...{ status: 403, code: "CALLER_NOT_OPERATOR" },
          detail: "predictions belong to the machine and not to an account",
        });
      const options = {
        by,
        ...defined({
          since: timeIn(request, "since"),
          cpuPrice: priceIn(request, "cpuPrice"),
          memoryPrice: priceIn(request, "memoryPrice"),
        }),
      };
      return request.browse.savings(request.caller, options, request.ask);
    },
  },
  {
    ...{ name: "getAdvice", method: "GET", path: `${prefix}/advice`, schema: "Advice", for: "everybody" },
    ...{ isHeavy: true, command: "advise" },
    summary: "What the tasks of a workflow asked for and used over its runs, with suggested values",
    query: { workflow: { kind: "text", about: "name of the workflow" } },
    answer: (request) => request.browse.advise(request.caller, needed(request, "workflow"), request.ask),
  },
  {
    ...{ name: "traceFile", method: "GET", path: `${prefix}/trace`, schema: "Trace", for: "operators" },
    ...{ isHeavy: true, command: "trace" },
    summary: "Which call of which run made a file, from which inputs, back to the first inputs",
    query: {
      file: {
        kind: "text",
        about: "absolute path of a file or folder of the server's machine, or an s3:// URI",
      },
      depth: { kind: "integer", about: "calls back; default: all", least: 1, most: 1_000_000 },
    },
    answer: (request) => {
      const file = needed(request, "file");
      // A relative path would depend on where the server was started.
      if (!/^(\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(file))
        throw invalid("the parameter file must be an absolute path or a URI");
      return request.browse.trace(
        { file, ...defined({ depth: request.query.integer("depth") }) },
        request.ask,
      );
    },
  },
  {
    ...{ name: "lookUpMolecule", method: "GET", path: `${prefix}/molecule`, schema: "MoleculeValues" },
    ...{ for: "operators", isHeavy: true, command: "lookup" },
    summary: "What the caches hold for a molecule, of every model and release",
    query: {
      smiles: molecule,
      match: { kind: "text", about: "default: exact", choices: ["exact", "canonical"] },
    },
    answer: (request) => {
      const match = request.query.text("match") === "canonical" ? "canonical" : "exact";
      return request.browse.predictions.lookUp(needed(request, "smiles"), match, request.ask);
    },
  },
  {
    ...{ name: "drawMolecule", method: "GET", path: `${prefix}/molecule/drawing`, schema: "Drawing" },
    ...{ for: "everybody", isHeavy: true, query: { smiles: molecule } },
    summary: "A molecule as SVG; absent where it is not one plain SMILES",
    answer: (request) => request.browse.predictions.drawing(needed(request, "smiles"), request.ask),
  },
  {
    ...{ name: "getColumns", method: "GET", path: `${prefix}/predictions/{model}/columns` },
    ...{ schema: "ColumnSpreads", for: "operators", isHeavy: true },
    summary: "How the values of each column are spread, over a sample of a model's stored rows",
    query: {
      cache: { kind: "text", about: "default: local", choices: ["local", "cloud"] },
      rows: { kind: "integer", about: "rows of the sample", least: 1, most: 10_000, usual: 1_000 },
    },
    answer: (request) => {
      const cache = request.query.text("cache") === "cloud" ? "cloud" : "local";
      const model = modelOf(request);
      const rows = request.query.integer("rows") ?? 1_000;
      return request.browse.predictions.columns({ model, cache, rows }, request.ask);
    },
  },
  {
    ...{ name: "getPlaces", method: "GET", path: `${prefix}/settings`, schema: "Places", for: "operators" },
    ...{ query: {} },
    summary: "Where the home folder and the caches of predictions are",
    answer: async ({ browse }) => browse.places(),
  },
  {
    ...{ name: "getPrices", method: "GET", path: `${prefix}/prices`, schema: "Prices", for: "everybody" },
    ...{ query: {} },
    summary: "What computing costs, for savings in money; zero until somebody sets it",
    answer: ({ browse }) => browse.prices(),
  },
  {
    ...{ name: "setPrices", method: "POST", path: `${prefix}/prices`, schema: "Prices", for: "operators" },
    ...{ query: {} },
    summary: "Sets what computing costs",
    body: {
      cpu: { kind: "number", about: "of a cpu for an hour" },
      memory: { kind: "number", about: "of a gigabyte of memory for an hour" },
      currency: { kind: "text", about: "its name or sign, such as EUR; only shown" },
    },
    answer: ({ browse, body }) =>
      browse.setPrices({
        cpu: body.number("cpu") ?? 0,
        memory: body.number("memory") ?? 0,
        currency: (body.text("currency") ?? "").slice(0, 8),
      }),
  },
  {
    ...{ name: "getErrorCode", method: "GET", path: `${prefix}/errors/{code}`, schema: "ErrorPage" },
    ...{ for: "everybody", query: {} },
    summary: "What is known about an error code, and what to do",
    answer: async ({ labels }) => errorPage(labels["code"] ?? ""),
  },
  {
    ...{ name: "getDoctor", method: "GET", path: `${prefix}/doctor`, schema: "Doctor", for: "operators" },
    ...{ query: {}, isHeavy: true, command: "doctor" },
    summary: "What is installed and reachable, and what each missing part would enable",
    answer: ({ browse, ask }) => browse.doctor(ask),
  },
];

function needed({ query }: V1Request, name: string): string {
  const value = query.text(name);
  if (value !== undefined) return value;
  throw invalid(`the parameter ${name} is needed`);
}

function timeIn({ query }: V1Request, name: string): number | undefined {
  const text = query.text(name);
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw invalid(`the parameter ${name} must be a time such as 2026-01-31T12:00:00Z`);
  return time;
}

function priceIn({ query }: V1Request, name: string): number | undefined {
  const text = query.text(name);
  if (text === undefined) return undefined;
  const price = /^\d{1,12}(\.\d{1,12})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(price)) throw invalid(`the parameter ${name} must be a number from 0 on`);
  return price;
}

function invalid(detail: string): RequestProblem {
  return new RequestProblem({ status: 400, code: "REQUEST_INVALID", detail });
}
