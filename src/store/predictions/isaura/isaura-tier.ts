/**
 * A project of Isaura's as a tier that answers and is never written to. Its files are shown to the Parquet tier as files
 * of another program in the folder of their model, which answer for every release: nobody knows with which release of a
 * model they were computed, so whoever names the project has decided to use them.
 */
import { stat } from "node:fs/promises";
import { AppError, type Ask, messageOf } from "../../../kernel/index.ts";
import type { Column } from "../../../task/index.ts";
import type { ObjectInfo, ObjectStore } from "../../objects/index.ts";
import type { TierEventSink } from "../events.ts";
import { parquetFacts } from "../parquet/foreign.ts";
import { createParquetTier } from "../parquet/parquet-tier.ts";
import type { PredictionTier } from "../tier.ts";
import { isauraFiles, newestVersion } from "./isaura-files.ts";

export interface IsauraOptions {
  /** What the project's bucket or folder holds. The tier opens and closes it. */
  readonly store: ObjectStore;
  /** Default: of each model the newest. */
  readonly version?: string;
  readonly onEvent?: TierEventSink;
}

export interface IsauraModel {
  readonly model: string;
  readonly version: string;
  readonly files: number;
  /** Rows of all files; a molecule in two of them counts twice. */
  readonly rows: number;
  /** Without the input and the key; types as the files have them. */
  readonly columns: readonly Column[];
}

export interface IsauraTier extends PredictionTier {
  /** What the project holds, from the footers of its files. */
  models(ask: Ask): Promise<readonly IsauraModel[]>;
  /** The versions of a model, in no order. Reads no file. */
  versions(model: string, ask: Ask): Promise<readonly string[]>;
}

export function createIsauraTier({ store, version, onEvent }: IsauraOptions): IsauraTier {
  const shown = new ShownFiles(store, version);
  const tier = createParquetTier({
    store: shown,
    name: `Isaura's ${store.uri}`,
    compaction: "never",
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  const refuse = () => Promise.reject(readOnly(store));
  return {
    name: tier.name,
    can: { canonicalIndex: false, write: false },
    open: (ask) => tier.open(ask),
    getMany: (scope, inputs, ask) => tier.getMany(scope, inputs, ask),
    putMany: refuse,
    scan: (scope, ask) => tier.scan(scope, ask),
    sample: (scope, request, ask) => tier.sample(scope, request, ask),
    count: (scope, ask) => tier.count(scope, ask),
    drop: refuse,
    dropListed: refuse,
    listScopes: async (ask) =>
      (await modelsOf(store, version, ask)).map(({ model, rows }) => ({
        modelId: model,
        release: undefined,
        columns: undefined,
        rows,
      })),
    close: () => tier.close(),
    models: (ask) => modelsOf(store, version, ask),
    versions: async (model, ask) => {
      const found = new Set<string>();
      for await (const file of isauraFiles(store, model, ask)) found.add(file.version);
      return [...found];
    },
  };
}

async function modelsOf(
  store: ObjectStore,
  version: string | undefined,
  ask: Ask,
): Promise<readonly IsauraModel[]> {
  const groups = new Map<string, { model: string; version: string; infos: ObjectInfo[] }>();
  for await (const file of isauraFiles(store, undefined, ask)) {
    if (version !== undefined && file.version !== version) continue;
    const id = `${file.model}/${file.version}`;
    const group = groups.get(id) ?? { model: file.model, version: file.version, infos: [] };
    group.infos.push(file.info);
    groups.set(id, group);
  }
  const models: IsauraModel[] = [];
  for (const { model, version: of, infos } of groups.values()) {
    let rows = 0;
    let columns: readonly Column[] | undefined;
    for (const info of infos) {
      const facts = await parquetFacts(store, info, ask).catch((error: unknown) => {
        if (error instanceof AppError && error.code !== "STORE_OBJECT_DAMAGED") throw error;
        return undefined;
      });
      rows += facts?.rows ?? 0;
      columns ??= facts?.columns
        .filter(({ name }) => !["key", "input", "smiles"].includes(name))
        .map(({ name, type }): Column => ({ name, type }));
    }
    models.push({ model, version: of, files: infos.length, rows, columns: columns ?? [] });
  }
  return models;
}

function readOnly(store: ObjectStore): AppError {
  return new AppError(
    "STORE_NOT_WRITABLE",
    `changing ${store.uri}: a project of Isaura's is read in place and never changed`,
  );
}

/** The Parquet files of a project under the names that the Parquet tier looks for. */
class ShownFiles implements ObjectStore {
  readonly uri: string;
  readonly gapBytes: number;
  readonly #store: ObjectStore;
  readonly #version: string | undefined;
  /** Real names by shown ones. */
  readonly #names = new Map<string, string>();

  constructor(store: ObjectStore, version: string | undefined) {
    this.uri = store.uri;
    this.gapBytes = store.gapBytes;
    this.#store = store;
    this.#version = version;
  }

  async open(ask: Ask): Promise<void> {
    const folder = this.#store.pathOf("x")?.replace(/\/x$/, "");
    if (folder === undefined) return await this.#store.open(ask);
    // Opening a folder store makes the folder, and this one belongs to somebody else.
    const found = await stat(folder).catch((error: unknown) => {
      throw new AppError(
        "FILE_NOT_FOUND",
        `reading the project of Isaura's in ${folder}: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    });
    if (!found.isDirectory())
      throw new AppError(
        "FILE_NOT_FOUND",
        `reading the project of Isaura's in ${folder}: it is not a folder`,
      );
  }

  async *list(prefix: string, ask: Ask): AsyncGenerator<ObjectInfo> {
    const model = /^predictions\/model_id=([A-Za-z0-9][A-Za-z0-9_-]*)\/$/.exec(prefix)?.[1];
    // Only one model is ever asked for; nothing here is Memoir's.
    if (model === undefined) return;
    const files = [];
    for await (const file of isauraFiles(this.#store, model, ask)) files.push(file);
    const version = this.#version ?? newestVersion(files.map((file) => file.version));
    for (const { info, version: of, chunk } of files) {
      if (of !== version) continue;
      const order = chunk === undefined ? "tree" : `chunk-${String(chunk).padStart(9, "0")}`;
      const shown = `${prefix}${order}~${info.name.replaceAll("/", "~")}`;
      this.#names.set(shown, info.name);
      yield { ...info, name: shown };
    }
  }

  async head(name: string, ask: Ask) {
    const info = await this.#store.head(this.#real(name), ask);
    return info === undefined ? undefined : { ...info, name };
  }

  read(name: string, ask: Ask) {
    return this.#store.read(this.#real(name), ask);
  }

  readRange(name: string, range: Parameters<ObjectStore["readRange"]>[1], ask: Ask) {
    return this.#store.readRange(this.#real(name), range, ask);
  }

  openReader(name: string, sizeBytes: number, ask: Ask) {
    return this.#store.openReader(this.#real(name), sizeBytes, ask);
  }

  async fetchFile(name: string, path: string, expected: Parameters<ObjectStore["fetchFile"]>[2], ask: Ask) {
    return { ...(await this.#store.fetchFile(this.#real(name), path, expected, ask)), name };
  }

  put = () => Promise.reject(readOnly(this.#store));
  putNew = () => Promise.reject(readOnly(this.#store));
  putFile = () => Promise.reject(readOnly(this.#store));
  remove = () => Promise.reject(readOnly(this.#store));
  folders = async () => [];
  pathOf = () => undefined;

  close() {
    return this.#store.close();
  }

  #real(name: string): string {
    return this.#names.get(name) ?? name;
  }
}
