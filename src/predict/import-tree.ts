/**
 * Stores the predictions of a whole tree of files, one after the other. Files of no known kind are counted; files that
 * cannot be of this model are left out with their reason: another model's folder, other columns, nothing in them.
 */
import { AppError, type Ask, checkAsk, isAppError } from "../kernel/index.ts";
import type { PredictEvent } from "./events.ts";
import { type ImportReport, type ImportRequest, importPredictions } from "./import.ts";

export interface ImportFile {
  /** As the user knows it. */
  readonly name: string;
  /** Below the place that the user named; folders are separated by slashes. */
  readonly relative: string;
  readonly sizeBytes: number;
  /** Where its bytes are while `work` runs. */
  read<T>(work: (path: string) => Promise<T>, ask: Ask): Promise<T>;
}

export interface ImportTreeRequest extends Omit<ImportRequest, "path"> {
  /** The place that the user named. */
  readonly place: string;
  readonly files: readonly ImportFile[];
}

export interface ImportTreeReport extends ImportReport {
  /** Files that rows were read from. */
  readonly files: number;
  /** Files of no known kind, and the first of their names. */
  readonly otherFiles: { readonly count: number; readonly names: readonly string[] };
  /** Files of a known kind that could not be of this model: how many, and why for the first. */
  readonly leftOut: { readonly count: number; readonly files: readonly LeftOut[] };
}

export interface LeftOut {
  readonly file: string;
  readonly reason: string;
}

const namesShown = 10;

/** Shards of Ersilia's cloud cache are gzip without another extension. */
export function isImportable(name: string): boolean {
  const file = name.slice(name.lastIndexOf("/") + 1);
  return /\.(parquet|(csv|tsv)(\.gz)?)$/i.test(file) || /^[^.]+\.gz$/i.test(file);
}

/** @throws PREDICT_NOTHING_TO_IMPORT, and what `importPredictions` throws for rows that are wrong */
export async function importTree(request: ImportTreeRequest, ask: Ask): Promise<ImportTreeReport> {
  const { place, files, model } = request;
  const others = files.filter(({ relative }) => !isImportable(relative));
  const known = files.filter(({ relative }) => isImportable(relative));
  const otherFiles = { count: others.length, names: others.slice(0, namesShown).map((file) => file.name) };
  if (known.length === 0) throw nothingThere(place, otherFiles);
  refuseSeveralVersions(
    place,
    known.filter(({ relative }) => foreignModel(relative, model.id) === undefined),
  );
  const leftOut: LeftOut[] = [];
  const total = known.reduce((sum, file) => sum + file.sizeBytes, 0);
  const sum = { read: 0, stored: 0, alreadyThere: 0, skipped: 0, files: 0 };
  let bytesDone = 0;
  for (const file of known) {
    checkAsk(ask, `importing predictions from ${place}`);
    const emit = (event: PredictEvent) =>
      request.emit?.(event.kind === "storing" ? storing(event, { ...sum, bytesDone, total, file }) : event);
    const foreign = foreignModel(file.relative, model.id);
    if (foreign === undefined)
      try {
        const report = await file.read(
          (path) => renamed(path, file.name, () => importPredictions({ ...request, path, emit }, ask)),
          ask,
        );
        sum.files++;
        for (const key of ["read", "stored", "alreadyThere", "skipped"] as const) sum[key] += report[key];
      } catch (error) {
        if (!isAppError(error, "PREDICT_INPUT_COLUMNS_UNCLEAR") && !isAppError(error, "PREDICT_INPUT_EMPTY"))
          throw error;
        leftOut.push({ file: file.name, reason: error.message });
      }
    else leftOut.push({ file: file.name, reason: `it is in a folder of ${foreign}` });
    bytesDone += file.sizeBytes;
  }
  if (sum.files === 0) {
    const [first] = leftOut;
    throw new AppError(
      "PREDICT_NOTHING_TO_IMPORT",
      `cannot import predictions from ${place}: none of its ${known.length} files is of ${model.id}; ${first?.file}: ${first?.reason}`,
    );
  }
  return { ...sum, otherFiles, leftOut: { count: leftOut.length, files: leftOut.slice(0, namesShown) } };
}

function storing(
  { kind, share }: Extract<PredictEvent, { kind: "storing" }>,
  at: {
    readonly read: number;
    readonly bytesDone: number;
    readonly total: number;
    readonly file: ImportFile;
  },
): PredictEvent {
  const done = at.bytesDone + (share ?? 0) * at.file.sizeBytes;
  return { kind, rows: at.read, share: at.total === 0 ? undefined : done / at.total };
}

/** Messages name the file as the user knows it, wherever its bytes are for the time being. */
async function renamed<T>(path: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (path === name || !isAppError(error)) throw error;
    throw new AppError(error.code, error.message.replaceAll(path, name), { cause: error });
  }
}

/** The model that a folder of the tree is called after, where it is another one: equal columns would be taken for ours. */
function foreignModel(relative: string, id: string): string | undefined {
  for (const folder of relative.split("/").slice(0, -1)) {
    const found = /(?:^|[^a-z0-9])(eos[0-9][a-z0-9]{3})(?![a-z0-9])/i.exec(folder)?.[1]?.toLowerCase();
    if (found !== undefined && found !== id.toLowerCase()) return found;
  }
  return undefined;
}

/** All rows would count as answers of one release. */
function refuseSeveralVersions(place: string, files: readonly ImportFile[]): void {
  const versions = new Set(
    files.flatMap(({ relative }) =>
      relative
        .split("/")
        .slice(0, -1)
        .flatMap((folder) => /^(?:(?:model_)?version=)?(v\d+(?:\.\d+)*)$/i.exec(folder)?.[1] ?? []),
    ),
  );
  if (versions.size < 2) return;
  throw new AppError(
    "PREDICT_NOTHING_TO_IMPORT",
    `cannot import predictions from ${place}: it holds several versions (${[...versions].toSorted().slice(0, 5).join(", ")}), and all rows would count as one release's; name the folder of one`,
  );
}

function nothingThere(
  place: string,
  others: { readonly count: number; readonly names: readonly string[] },
): AppError {
  const { count, names } = others;
  const found =
    count === 0
      ? "nothing is in it"
      : `of ${count} ${count === 1 ? "file" : "files"} none is of a known kind (${names.join(", ")}${count > names.length ? ", …" : ""})`;
  return new AppError("PREDICT_NOTHING_TO_IMPORT", `cannot import predictions from ${place}: ${found}`);
}
