/** Every route of a model server. */
import type { Caller, HttpResponse, Route } from "../http/index.ts";
import { jsonResponse, prometheusType } from "../http/index.ts";
import type { Ask } from "../kernel/index.ts";
import { cardFields, informationOf, statusOf } from "./card.ts";
import { docsPage, openApi } from "./describe.ts";
import { heavyBytes } from "./heavy.ts";
import { type Orientation, orientedJson, type Table } from "./orient.ts";
import { readInputs, readRunQuery } from "./read-run.ts";
import { packDetails, refusal, unprocessable } from "./refusal.ts";
import type { ServedModel } from "./served-model.ts";

export interface ModelRequest {
  readonly served: ServedModel;
  readonly caller: Caller;
  readonly rawQuery: string;
  readonly body: Uint8Array;
  readonly hidesReasons: boolean;
  readonly ask: Ask;
  label(name: string): string;
}

export interface ModelRoute extends Route {
  /** In metrics. */
  readonly name: string;
  readonly summary: string;
  /** `anybody`: probes cannot send keys. */
  readonly for: "anybody" | "callers" | "operators";
  answer(request: ModelRequest): Promise<HttpResponse> | HttpResponse;
}

const json = (value: unknown) => jsonResponse(200, value);
const jsonText = (body: string): HttpResponse => ({
  ...{ status: 200, headers: { "content-type": "application/json" }, body },
});

export const routes: readonly ModelRoute[] = [
  {
    ...{ name: "root", method: "GET", path: "/", for: "anybody" },
    summary: "The id and the slug of the model",
    answer: ({ served: { card } }) => json({ [String(card["Identifier"])]: card["Slug"] }),
  },
  {
    ...{ name: "health", method: "GET", path: "/healthz", for: "anybody" },
    summary: "Whether the model is asked at present, and the load of the machine",
    answer: ({ served }) => json(served.health()),
  },
  {
    ...{ name: "metrics", method: "GET", path: "/metrics", for: "operators" },
    summary: "Metrics in the text format of Prometheus",
    answer: ({ served }) => ({
      ...{ status: 200, headers: { "content-type": prometheusType, "cache-control": "no-store" } },
      body: served.metricsText(),
    }),
  },
  {
    ...{ name: "modelStatus", method: "GET", path: "/models/status", for: "callers" },
    summary: "The process that serves the model",
    answer: ({ served }) => json(statusOf(served.parts, served)),
  },
  {
    ...{ name: "card", method: "GET", path: "/card", for: "callers" },
    summary: "All metadata of the model",
    answer: ({ served: { card } }) => json(card),
  },
  {
    ...{ name: "cardField", method: "GET", path: "/card/{field}", for: "callers" },
    summary: "One field of the metadata",
    answer: ({ served: { card }, label }) => {
      const field = cardFields.find((name) => name === label("field"));
      if (field === undefined) {
        const names = cardFields.map((name) => `'${name}'`);
        const expected = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
        const msg = `Input should be ${expected}`;
        const loc = ["path", "field"];
        throw unprocessable({ type: "enum", loc, msg, input: label("field"), ctx: { expected } });
      }
      if (card[field] === undefined) throw refusal(404, `Field ${field} not found in metadata`);
      return json({ [field]: card[field] });
    },
  },
  {
    ...{ name: "information", method: "POST", path: "/info", for: "callers" },
    summary: "What Ersilia's command line reads when it fetches a model from a server",
    answer: ({ served }) => json(informationOf(served.parts.model)),
  },
  {
    ...{ name: "exampleInput", method: "GET", path: "/run/example/input", for: "callers" },
    summary: "Example inputs",
    answer: ({ served }) => json(served.parts.model.exampleInputs),
  },
  {
    ...{ name: "exampleOutput", method: "GET", path: "/run/example/output", for: "callers" },
    summary: "Predictions for the example inputs",
    answer: async (request) => {
      const { orient } = readRunQuery(request.rawQuery);
      return oriented(await exampleTable(request), orient, request);
    },
  },
  {
    ...{ name: "inputColumns", method: "GET", path: "/run/columns/input", for: "callers" },
    summary: "Names of the input columns",
    answer: ({ served }) => json([served.parts.inputColumn]),
  },
  {
    ...{ name: "outputColumns", method: "GET", path: "/run/columns/output", for: "callers" },
    summary: "Names of the output columns",
    answer: ({ served }) =>
      json(served.parts.exampleOutput?.[0] ?? served.parts.model.columns.map(({ name }) => name)),
  },
  {
    ...{ name: "run", method: "POST", path: "/run", for: "callers" },
    summary: "Predictions for a list of inputs",
    answer: async (request) => {
      const { served, hidesReasons, ask } = request;
      const query = readRunQuery(request.rawQuery);
      const inputs = readInputs(request.body, { traceback: hidesReasons });
      const table = await served.predicting.table({ ...request, ...query, inputs, hidesReasons }, ask);
      return query.isHeavy ? heavy(table, request) : oriented(table, query.orient, request);
    },
  },
  {
    ...{ name: "submitJob", method: "POST", path: "/job/submit", for: "callers" },
    summary: "Submit a job that predicts for a list of inputs",
    answer: async (request) => {
      mayWrite(request);
      const { orient } = readRunQuery(request.rawQuery);
      const inputs = readInputs(request.body, { traceback: request.hidesReasons });
      return json(await request.served.jobs.submit(request.caller.account, inputs, orient));
    },
  },
  {
    ...{ name: "jobStatus", method: "GET", path: "/job/status/{job}", for: "callers" },
    summary: "Whether a job is pending, completed or failed",
    answer: async ({ served, caller, label }) => json(await served.jobs.status(caller.account, label("job"))),
  },
  {
    ...{ name: "jobResult", method: "GET", path: "/job/result/{job}", for: "callers" },
    summary: "The predictions of a completed job",
    answer: async ({ served, caller, label }) =>
      jsonText(await served.jobs.result(caller.account, label("job"))),
  },
  {
    ...{ name: "resetJobs", method: "POST", path: "/job/jobs/reset", for: "callers" },
    summary: "Cancel and remove the jobs of the caller's account",
    answer: async (request) => {
      mayWrite(request);
      return json(await request.served.jobs.reset(request.caller.account));
    },
  },
  {
    ...{ name: "openApi", method: "GET", path: "/openapi.json", for: "callers" },
    summary: "This list as an OpenAPI document",
    answer: ({ served }) => json(openApi(served.card, routes)),
  },
  {
    ...{ name: "docs", method: "GET", path: "/docs", for: "callers" },
    summary: "This list as a page",
    answer: ({ served }) => docsPage(served.card, routes),
  },
  {
    ...{ name: "redoc", method: "GET", path: "/redoc", for: "callers" },
    summary: "This list as a page",
    answer: ({ served }) => docsPage(served.card, routes),
  },
];

function mayWrite({ caller }: ModelRequest): void {
  if (caller.isOperator || caller.predictions?.use === "write") return;
  throw refusal(
    403,
    'this access key may not have predictions computed: its entry lacks "predictions": "write"',
  );
}

function oriented(table: Table, orient: Orientation, { served }: ModelRequest): HttpResponse {
  return jsonText(orientedJson(table, orient, served.outputType));
}

function heavy(table: Table, { served }: ModelRequest): HttpResponse {
  const body = heavyBytes(table, served.outputType);
  if (body === undefined)
    throw refusal(500, packDetails.server, {
      traceback: "ValueError: heavy answers need values that are all numbers of the model's output type\n",
    });
  const headers = {
    "content-type": "application/octet-stream",
    "content-disposition": "attachment; filename=result.bin",
  };
  return { status: 200, headers, body };
}

/** As the package brings it, each row under its first cell; otherwise predicted. */
async function exampleTable(request: ModelRequest): Promise<Table> {
  const { served, caller, hidesReasons, ask } = request;
  const { exampleOutput, model } = served.parts;
  if (exampleOutput !== undefined) {
    const [header = [], ...rows] = exampleOutput;
    const columns = header.map((name) => ({ name, type: "string" as const }));
    return { columns, index: rows.map(([first = ""]) => first), rows };
  }
  const inputs = model.exampleInputs;
  const asked = {
    inputs,
    caller,
    hidesReasons,
    fetchCache: undefined,
    saveCache: undefined,
    cacheOnly: false,
  };
  return served.predicting.table(asked, ask);
}
