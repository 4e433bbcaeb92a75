/**
 * The hub's list of models, read from a file, a URL or an object on S3. What was read last is kept below the home, for
 * machines without a connection and for days on which the server does not answer.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isHttpTrouble, isSuccess, readHttp } from "../http-client/index.ts";
import { AppError, type Ask, isAppError, messageOf, redact, systemErrorCode } from "../kernel/index.ts";
import {
  type CitedModel,
  citedModel,
  findModel,
  type HubModel,
  listModels,
  parseHubList,
} from "../models/index.ts";
import { isS3Uri, openObject } from "../store/objects/index.ts";
import type { Environment } from "./environment.ts";
import { closeBoth, type TierOptions, tiersOf } from "./stored.ts";

/** Where Ersilia publishes it. */
const published = "https://ersilia-model-hub.s3.eu-central-1.amazonaws.com/models.json";
const mostBytes = 64 << 20;

export interface HubOptions extends TierOptions {
  /** File, URL or S3 object. Default: `MEMOIR_HUB`, else Ersilia's. */
  readonly place?: string;
  /** Only the kept copy is read. */
  readonly offline: boolean;
  readonly model?: string;
  readonly tag?: string;
  readonly task?: string;
}

export interface HubRow extends Omit<HubModel, "card"> {
  /** The release that is fetched or built in. */
  readonly installed?: string;
  /** Stored rows, of all releases; undefined = the cache could not be asked. */
  readonly local?: number;
  readonly cloud?: number;
}

export interface HubResult {
  readonly from: string;
  readonly readAt: string;
  /** Why the kept copy is shown. */
  readonly copy?: string;
  /** Models of the whole list. */
  readonly total: number;
  readonly models: readonly HubRow[];
  /** Of the one model that was asked for. */
  readonly card?: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

interface HubList {
  readonly from: string;
  readonly readAt: string;
  readonly copy?: string;
  readonly models: readonly HubModel[];
}

export async function hubCatalog(
  options: HubOptions,
  environment: Environment,
  ask: Ask,
): Promise<HubResult> {
  const list = await readList(options, environment, ask);
  const { model, tag, task } = options;
  const isWord = (words: readonly string[], wanted: string | undefined) =>
    wanted === undefined || words.some((word) => word.toLowerCase() === wanted.toLowerCase());
  const wanted = list.models.filter(
    (each) =>
      (model === undefined || each.identifier === model || each.slug === model) &&
      isWord(each.tags, tag) &&
      isWord(each.tasks, task),
  );
  if (model !== undefined && wanted.length === 0)
    throw new AppError(
      "MODEL_NOT_FOUND",
      `looking for model ${model}: the list from ${list.from} has none of this name`,
    );
  const installed = new Map(
    (await listModels(environment.home, ask)).models.map((each) => [each.id as string, each]),
  );
  const { rows, problems } = await storedRows(options, environment, ask);
  const [card] = model === undefined ? [] : wanted;
  return {
    from: list.from,
    readAt: list.readAt,
    ...(list.copy === undefined ? {} : { copy: list.copy }),
    total: list.models.length,
    models: wanted.map(({ card: _, ...each }) => ({
      ...each,
      ...(installed.has(each.identifier) ? { installed: installed.get(each.identifier)?.release ?? "" } : {}),
      ...(rows.local === undefined ? {} : { local: rows.local.get(each.identifier) ?? 0 }),
      ...(rows.cloud === undefined ? {} : { cloud: rows.cloud.get(each.identifier) ?? 0 }),
    })),
    ...(card === undefined ? {} : { card: card.card }),
    problems,
  };
}

export interface CiteResult extends CitedModel {
  /** Where its metadata are from: `installed`, or the list. */
  readonly from: string;
}

/** From the metadata of the installed model, completed by the hub's list as far as it is kept here. */
export async function cite(
  options: { readonly model: string; readonly place?: string },
  environment: Environment,
  ask: Ask,
): Promise<CiteResult> {
  const { home, cwd } = environment;
  const { model: name, place } = options;
  const list = await readList(
    { ...(place === undefined ? {} : { place }), offline: place === undefined },
    environment,
    ask,
  ).catch((error: unknown) => {
    if (place !== undefined || !isAppError(error)) throw error;
    return undefined;
  });
  const listed = list?.models.find(({ identifier, slug }) => identifier === name || slug === name);
  try {
    const model = await findModel({ name, home, cwd }, ask);
    const own = citedModel({
      Identifier: model.id,
      Title: model.title,
      Release: model.release,
      ...model.metadata,
    });
    const other = list?.models.find(({ identifier }) => identifier === model.id);
    return { ...(other === undefined ? own : filled(own, citedModel(other.card))), from: "installed" };
  } catch (error) {
    if (!isAppError(error, "MODEL_NOT_FOUND") || listed === undefined) throw error;
    return { ...citedModel(listed.card), from: list?.from ?? "" };
  }
}

function filled(own: CitedModel, other: CitedModel): CitedModel {
  const given = Object.entries(own).filter(([, value]) => value !== "");
  return { ...other, ...Object.fromEntries(given) };
}

async function readList(
  { place: named, offline }: Pick<HubOptions, "place" | "offline">,
  environment: Environment,
  ask: Ask,
): Promise<HubList> {
  const place = named ?? environment.hub ?? published;
  const kept = join(environment.home, "hub", "models.json");
  if (offline) {
    const copy = await readCopy(kept);
    if (copy !== undefined) return { ...copy, copy: "as --offline asks" };
    throw new AppError(
      "HUB_LIST_UNREACHABLE",
      "reading the list of models: none was read before, so there is no copy of it here",
    );
  }
  try {
    const text = await readPlace(place, environment, ask);
    const list = { from: redact(place), readAt: new Date().toISOString() };
    const models = parseHubList(text, list.from);
    await keep(kept, { ...list, text });
    return { ...list, models };
  } catch (error) {
    // A wrong list does not justify showing another one.
    if (!isAppError(error) || error.row.kind === "input" || error.row.kind === "interrupted") throw error;
    const copy = named === undefined ? await readCopy(kept) : undefined;
    if (copy === undefined) throw error;
    return { ...copy, copy: error.message };
  }
}

async function readPlace(place: string, { s3, cwd }: Environment, ask: Ask): Promise<string> {
  const unreachable = (why: string, cause?: unknown) =>
    new AppError("HUB_LIST_UNREACHABLE", `reading the list of models from ${redact(place)}: ${why}`, {
      cause,
    });
  if (isS3Uri(place)) {
    const { store, name } = openObject(place, { s3 });
    try {
      const bytes = await store.read(name, ask);
      if (bytes === undefined) throw unreachable("there is no such object");
      return Buffer.from(bytes).toString("utf8");
    } finally {
      await store.close();
    }
  }
  if (/^https?:\/\//i.test(place)) {
    try {
      const request = { url: place, redirects: 20, tries: 2, timeoutMs: 60_000, limitBytes: mostBytes };
      const answer = await readHttp(request, ask);
      if (!isSuccess(answer)) throw unreachable(`it answered ${answer.status}`);
      return answer.bytes.toString("utf8");
    } catch (error) {
      if (!isHttpTrouble(error)) throw error;
      throw unreachable(error.message, error);
    }
  }
  try {
    return await readFile(resolve(cwd, place), "utf8");
  } catch (error) {
    const isThere = systemErrorCode(error) !== "ENOENT";
    throw new AppError(
      isThere ? "FILE_NOT_READABLE" : "FILE_NOT_FOUND",
      `reading the list of models from ${place}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

interface KeptList {
  readonly from: string;
  readonly readAt: string;
  readonly text: string;
}

/** The list was read, whatever happens to the copy. */
async function keep(path: string, list: KeptList): Promise<void> {
  const temp = `${path}.${process.pid}.new`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temp, JSON.stringify(list));
    await rename(temp, path);
  } catch {
    // A home that is read-only: the next run reads the list again.
  }
}

async function readCopy(path: string): Promise<HubList | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { from, readAt, text: list } = JSON.parse(text) as KeptList;
    return { from, readAt, models: parseHubList(list, from) };
  } catch {
    return undefined; // Damaged: as if there were none.
  }
}

type Counts = ReadonlyMap<string, number>;

async function storedRows(
  options: TierOptions,
  environment: Environment,
  ask: Ask,
): Promise<{
  readonly rows: { readonly local?: Counts; readonly cloud?: Counts };
  readonly problems: readonly string[];
}> {
  const tiers = tiersOf(options, environment);
  const problems: string[] = [];
  const rows: { local?: Counts; cloud?: Counts } = {};
  try {
    for (const source of ["local", "cloud"] as const)
      try {
        await tiers[source].open(ask);
        const counts = new Map<string, number>();
        for (const { modelId, rows: count } of await tiers[source].listScopes(ask))
          counts.set(modelId, (counts.get(modelId) ?? 0) + count);
        rows[source] = counts;
      } catch (error) {
        if (!isAppError(error) || error.row.kind === "interrupted") throw error;
        problems.push(error.message);
      }
  } finally {
    await closeBoth(tiers);
  }
  return { rows, problems };
}
