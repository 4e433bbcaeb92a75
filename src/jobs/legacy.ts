/**
 * The routes of Ersilia's cloud, translated into jobs. Clients from v0.1.44 on upload the inputs, submit, poll and fetch
 * files; the ones before upload, and ask once for the link to a file. These clients send no credentials, so the routes exist only on a server without access keys, which listens on
 * its own machine. Their addresses are constants of the client: A is `/v1/legacy/precalculations`, B is
 * `/v1/legacy/predict`.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { parseRecords, recordText } from "../csv/index.ts";
import { md5Hex } from "../hash/index.ts";
import {
  type Answered,
  foreignPage,
  type HttpResponse,
  jsonResponse,
  type NumberedRequest,
  parseQuery,
  problemOf,
  problemResponse,
  RequestProblem,
  type Target,
} from "../http/index.ts";
import { floatText, systemErrorCode } from "../kernel/index.ts";
import { rowFromWire } from "../store/predictions/index.ts";
import type { Cell, ColumnType, PredictionScope } from "../task/index.ts";
import { readBody, textOf } from "./body.ts";
import { type JobController, smallJob } from "./job-controller.ts";
import { uploadFolder } from "./job-folder.ts";
import type { JobRecord, JobRequest } from "./job-store.ts";
import { filePart } from "./multipart.ts";
import { type JobsRequest, prefix } from "./request.ts";
import { invalid, modelName, scopeOf } from "./served.ts";
import type { SignedLinks } from "./signed-links.ts";

export const legacyPrefix = `${prefix}/legacy`;

type Context = Omit<JobsRequest, "label" | "body" | "linkOf" | "formOf"> & {
  readonly links: SignedLinks;
  readonly onBug?: (error: unknown) => void;
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** `-twice`: each row side by side with itself, as the client expects of some answers. */
const jobName = /^([0-9a-f]{32})-(once|twice)$/;
const mostUploadedInputs = 1_000_000;
const missing = "\\N";
/** How long the clients before v0.1.44 say that their link works. */
const firstLinkForMs = 3_600_000;

const [zip, unzip] = [promisify(gzip), promisify(gunzip)];

export async function answerLegacy(
  request: NumberedRequest,
  target: Target,
  context: Context,
): Promise<Answered> {
  const route = Object.hasOwn(legacyRoutes, routeOf(request, target))
    ? legacyRoutes[routeOf(request, target)]
    : undefined;
  const operation = route?.name;
  try {
    const foreign = foreignPage(request);
    if (foreign !== undefined || request.headers["sec-fetch-site"] === "cross-site")
      throw new RequestProblem({ status: 403, code: "REQUEST_FOREIGN", detail: foreign ?? "a foreign page" });
    if (request.largerThanBytes !== undefined)
      throw new RequestProblem({
        ...{ status: 413, code: "REQUEST_TOO_LARGE" },
        detail: `the body exceeds the limit of ${request.largerThanBytes} bytes`,
      });
    const query = parseQuery(target.rawQuery);
    const one = (name: string, pattern: RegExp): string => {
      const [value = ""] = query?.get(name) ?? [];
      if (!pattern.test(value)) throw invalid(`the parameter ${name} is missing or malformed`);
      return value;
    };
    const host = `http://${request.headers["host"] ?? "127.0.0.1"}`;
    if (route === undefined)
      throw new RequestProblem({ status: 404, code: "ROUTE_NOT_FOUND", detail: "there is no such route" });
    const response = await route.answer({ one, host, request, context });
    return { response, operation, account: context.caller.account };
  } catch (error) {
    const problem = problemOf(error, true);
    if (problem.code === "BUG") context.onBug?.(error);
    return { response: problemResponse(problem), operation };
  }
}

interface Legacy {
  readonly one: (name: string, pattern: RegExp) => string;
  readonly host: string;
  readonly request: NumberedRequest;
  readonly context: Context;
}

interface LegacyRoute {
  /** In metrics. */
  readonly name: string;
  answer(legacy: Legacy): Promise<HttpResponse>;
}

const legacyRoutes: Readonly<Record<string, LegacyRoute>> = {
  "GET /precalculations/model": { name: "legacyModel", answer: hasModel },
  "GET /precalculations/upload-destination": { name: "legacyUploadDestination", answer: uploadDestination },
  "POST /precalculations/predictions": { name: "legacyPredictions", answer: predictions },
  "POST /upload": { name: "legacyUpload", answer: upload },
  "POST /predict/submit": { name: "legacySubmit", answer: submit },
  "GET /predict/status": { name: "legacyStatus", answer: status },
  "GET /predict/result": { name: "legacyResult", answer: result },
};

function routeOf({ method }: NumberedRequest, { rawPath }: Target): string {
  return `${method} ${rawPath.slice(legacyPrefix.length)}`;
}

/** Whether anything is stored: `true` or `false` as the whole body. */
async function hasModel({ one, context }: Legacy): Promise<HttpResponse> {
  const model = one("modelid", modelName);
  const scopes = await context.served.tier.listScopes(context.ask);
  return jsonResponse(
    200,
    scopes.some(({ modelId }) => modelId === model),
  );
}

async function uploadDestination({ one, host }: Legacy): Promise<HttpResponse> {
  const [model, requestId] = [one("modelid", modelName), one("requestid", uuid)];
  // The client removes its temporary file only after a 200.
  const fields = { key: `uploads/${model}/${requestId}.csv`, success_action_status: "200" };
  return jsonResponse(200, { url: `${host}${legacyPrefix}/upload`, fields });
}

async function upload({ request, context }: Legacy): Promise<HttpResponse> {
  const form = filePart(request.headers["content-type"] ?? "", request.body);
  if (form === undefined) throw invalid("the body is not a form with a file");
  const [, model = "", requestId = ""] =
    /^uploads\/([^/]+)\/([^/]+)\.csv$/.exec(form.fields.get("key") ?? "") ?? [];
  if (!modelName.test(model) || !uuid.test(requestId)) throw invalid("the key is not that of an upload");
  const path = uploadPath(context, model, requestId);
  await mkdir(uploadFolder(context.served.jobsFolder), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.${request.requestId}.new`, form.file, { mode: 0o600 });
  await rename(`${path}.${request.requestId}.new`, path);
  return { status: 200, headers: {}, body: "" };
}

/** Of clients before v0.1.44: the link to a CSV file with the stored rows, as the whole body. Misses are left out. */
async function predictions({ one, host, context }: Legacy): Promise<HttpResponse> {
  const [model, requestId] = [one("modelid", modelName), one("requestid", uuid)];
  const { controller, caller, links } = context;
  const scope = await scopeOf({ model, body: {} }, context, context.ask);
  const inputs = [...new Set(uploadedInputs(await readUpload(context, model, requestId)))];
  if (inputs.length > smallJob) throw invalid(`up to ${smallJob} inputs are accepted`);
  const job = await controller.submit(
    caller.account,
    { requestId, scope, fetch: "filter", inputs },
    context.ask,
  );
  if (job.state !== "SUCCEEDED") throw invalid(`the job is ${job.state}`);
  const records = [recordText(["model_id", "key", "input", "output"])];
  for (const { name } of job.files)
    for (const line of await linesOf(job, name, controller)) {
      const row = rowFromWire(scope.columns, line);
      if (row === undefined) continue;
      const output = row.values.map((cell, at) =>
        cell === null ? "nan" : cellText(cell, scope.columns[at]?.type),
      );
      records.push(recordText([model, md5Hex(row.input), row.input, output.join(",")]));
    }
  const name = "part-00000.first.csv";
  await controller.writeFile(job, name, Buffer.from(records.map((record) => `${record}\n`).join("")));
  const { path } = links.pathOf(prefix, { ...job, name }, firstLinkForMs);
  return { status: 200, headers: { "content-type": "application/json" }, body: host + path };
}

async function submit({ request, context }: Legacy): Promise<HttpResponse> {
  const body = readBody(request.body, ["requestid", "modelid", "fetchtype", "nsamples", "dim"]);
  const model = textOf(body, "modelid", modelName);
  const requestId = textOf(body, "requestid", uuid);
  const scope = await scopeOf({ model, body: {} }, context, context.ask);
  const [job, rows] = await submitted({ model, requestId, body, scope }, context);
  return jsonResponse(200, { jobId: `${job.id}-${rows}` });
}

async function submitted(
  asked: {
    readonly model: string;
    readonly requestId: string;
    readonly body: Readonly<Record<string, unknown>>;
    readonly scope: PredictionScope;
  },
  { controller, caller, ...context }: Context,
): Promise<readonly [JobRecord, "once" | "twice"]> {
  const { model, requestId, body, scope } = asked;
  const start = (what: Omit<JobRequest, "scope">) =>
    controller.submit(caller.account, { requestId, scope, ...what }, context.ask);
  switch (body["fetchtype"]) {
    case "filter": {
      const text = await readUpload(context, model, requestId);
      // v0.1.44 says no dim, and takes rows as they are.
      return [
        await start({ fetch: "filter", inputs: uploadedInputs(text) }),
        "dim" in body ? "twice" : "once",
      ];
    }
    case "all": {
      const { nsamples = -1 } = body;
      if (!Number.isSafeInteger(nsamples)) throw invalid("nsamples must be an integer");
      const samples = nsamples as number;
      return [
        await start(samples < 0 ? { fetch: "all" } : { fetch: "sample", samples, seed: "memoir" }),
        "once",
      ];
    }
    default:
      throw invalid("fetchtype must be all or filter");
  }
}

async function status(legacy: Legacy): Promise<HttpResponse> {
  const { job } = await jobOf(legacy);
  if (job.state === "FAILED" || job.state === "CANCELLED")
    return jsonResponse(200, { status: "FAILED", errorMessage: job.error ?? "the job was cancelled" });
  return jsonResponse(200, { status: job.state });
}

async function result(legacy: Legacy): Promise<HttpResponse> {
  const { context, host } = legacy;
  const { job, rows } = await jobOf(legacy);
  if (job.state !== "SUCCEEDED") throw invalid(`the job is ${job.state}`);
  const scope = (await context.controller.request(job))?.scope;
  if (scope === undefined) throw invalid("the job and its files were removed");
  const files: { key: string; url: string; size: number }[] = [];
  for (const { name } of job.files) {
    const shard = name.replace(/jsonl\.gz$/, `${rows}.csv.gz`);
    const { sizeBytes } =
      (await context.controller.file(job, shard)) ??
      (await translated({ job, name, shard }, scope, rows, context));
    const { path } = context.links.pathOf(prefix, { ...job, name: shard });
    files.push({ key: `results/${job.id}/${shard}`, url: host + path, size: sizeBytes });
  }
  return jsonResponse(200, { files });
}

/** A result file as the client reads it: gzip, CSV without a header, key, input and the values as text. */
async function translated(
  { job, name, shard }: { readonly job: JobRecord; readonly name: string; readonly shard: string },
  { columns }: PredictionScope,
  rows: "once" | "twice",
  { controller }: Context,
): Promise<{ readonly sizeBytes: number }> {
  const records = (await linesOf(job, name, controller)).map((value) => {
    const row = rowFromWire(columns, value);
    const values =
      row === undefined
        ? columns.map(() => missing)
        : row.values.map((cell, at) => cellText(cell, columns[at]?.type));
    const cells = [md5Hex(value.input), value.input, ...values];
    return recordText(rows === "twice" ? [...cells, ...cells] : cells);
  });
  const bytes = await zip(records.map((record) => `${record}\r\n`).join(""));
  await controller.writeFile(job, shard, bytes);
  return { sizeBytes: bytes.length };
}

async function linesOf(
  job: JobRecord,
  name: string,
  controller: JobController,
): Promise<readonly { readonly input: string }[]> {
  const file = await controller.file(job, name);
  if (file === undefined) throw invalid("the job and its files were removed");
  const text = (await unzip(await readFile(file.path))).toString("utf8");
  return text === ""
    ? []
    : text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
}

function cellText(cell: Cell, type: ColumnType | undefined): string {
  if (cell === null) return missing;
  return typeof cell === "number" && type === "float" ? floatText(cell) : String(cell);
}

async function jobOf({
  one,
  context,
}: Legacy): Promise<{ readonly job: JobRecord; readonly rows: "once" | "twice" }> {
  const [, id = "", rows] = jobName.exec(one("jobId", jobName)) ?? [];
  const job = await context.controller.find({ account: context.caller.account, id });
  if (job === undefined)
    throw new RequestProblem({ status: 404, code: "JOB_NOT_FOUND", detail: "there is no such job" });
  return { job, rows: rows === "twice" ? "twice" : "once" };
}

/** Either `key,input` in each record, or the input alone, as clients before v0.1.44 send it. */
function uploadedInputs(text: string): readonly string[] {
  const parsed = parseRecords(text, { strictness: "strict" });
  if (parsed.kind === "malformed") throw invalid(`line ${parsed.line} of the upload: ${parsed.words}`);
  const width = parsed.records[0]?.length ?? 2;
  if (parsed.records.length > mostUploadedInputs)
    throw invalid(`up to ${mostUploadedInputs} inputs are accepted`);
  return parsed.records.map((cells) => {
    const input = cells[width - 1];
    if (width > 2 || cells.length !== width || input === undefined)
      throw invalid("the upload has rows other than key,input");
    return input;
  });
}

async function readUpload(
  context: Pick<Context, "served">,
  model: string,
  requestId: string,
): Promise<string> {
  return readFile(uploadPath(context, model, requestId), "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") throw invalid("nothing was uploaded for this request");
    throw error;
  });
}

function uploadPath({ served }: Pick<Context, "served">, model: string, requestId: string): string {
  return join(uploadFolder(served.jobsFolder), `${model}.${requestId.toLowerCase()}.csv`);
}
