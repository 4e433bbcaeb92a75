/** What a cloud tier of another Memoir needs in addition to look-ups: store, count, sample and drop rows. */
import { rowFromWire, rowToWire } from "../store/predictions/index.ts";
import { integerOf, readBody, seedOf, textOf } from "./body.ts";
import type { JobsRequest } from "./request.ts";
import { invalid, maySee, modelName, requireUse, scopeOf } from "./served.ts";

const mostRows = 10_000;
export const mostSamples = 10_000;

export async function putRows(request: JobsRequest): Promise<unknown> {
  const { caller, served, ask } = request;
  requireUse(caller, "write");
  const body = readBody(request.body, ["rows", "release", "columns"]);
  const wire = body["rows"];
  if (!Array.isArray(wire) || wire.length > mostRows)
    throw invalid(`rows must be a list of up to ${mostRows} rows`);
  const scope = await scopeOf({ model: request.label("model"), body }, request, ask);
  const rows = wire.map((each: unknown, at) => {
    const row = rowFromWire(scope.columns, each);
    if (row === undefined) throw invalid(`row ${at + 1} does not fit the columns of the model`);
    return row;
  });
  return { account: caller.account, ...(await served.tier.putMany(scope, rows, ask)) };
}

export async function countRows(request: JobsRequest): Promise<unknown> {
  const { caller, served, ask } = request;
  requireUse(caller, "read");
  const body = readBody(request.body, ["release", "columns"]);
  const scope = await scopeOf({ model: request.label("model"), body }, request, ask);
  return { account: caller.account, rows: await served.tier.count(scope, ask) };
}

export async function sampleRows(request: JobsRequest): Promise<unknown> {
  const { caller, served, ask } = request;
  requireUse(caller, "read");
  const body = readBody(request.body, ["count", "seed", "release", "columns"]);
  const count = integerOf(body, "count", mostSamples);
  const seed = seedOf(body);
  const scope = await scopeOf({ model: request.label("model"), body }, request, ask);
  const rows = await served.tier.sample(scope, { count, seed }, ask);
  return { account: caller.account, rows: rows.map(rowToWire) };
}

/** All rows of a release, or, with the digest of their columns, of one set of columns. */
export async function dropRows(request: JobsRequest): Promise<unknown> {
  const { caller, served, ask } = request;
  requireUse(caller, "write");
  const body = readBody(request.body, ["release", "columns", "columnsDigest"]);
  if (body["columnsDigest"] === undefined) {
    const scope = await scopeOf({ model: request.label("model"), body }, request, ask);
    return { account: caller.account, rows: await served.tier.drop(scope, ask) };
  }
  const modelId = request.label("model");
  const columns = textOf(body, "columnsDigest", /^[0-9a-f]{16}$/);
  const release = textOf(body, "release", /^[\s\S]{1,1000}$/);
  if (!modelName.test(modelId) || !maySee(caller, modelId)) return { account: caller.account, rows: 0 };
  const stored = { modelId, release, columns, rows: 0 };
  return { account: caller.account, rows: await served.tier.dropListed(stored, ask) };
}
