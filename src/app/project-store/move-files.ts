/** Files of a model that change their place in a project, and rows that are deleted. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, type Ask, checkAsk } from "../../kernel/index.ts";
import { releaseFiles } from "../../store/predictions/index.ts";
import { scopeOf } from "../stored.ts";
import { type Asked, type CopyTarget, closeAll, copyTargets } from "./asked.ts";
import { modelIn, partsOf, type SourceOptions, storeAt, tierAt } from "./places.ts";

export interface MovedFiles {
  readonly model: string;
  readonly release: string;
  readonly from: readonly string[];
  readonly to: string;
  readonly files: number;
}

/**
 * Moves the files of a model from one part of a project to another. A file is removed only when its copy was read back
 * and has the same digest, and no other file is touched: rows that others write meanwhile stay where they are.
 */
export async function move(
  options: SourceOptions & CopyTarget & { readonly model: string },
  { environment }: Asked,
  ask: Ask,
): Promise<MovedFiles> {
  if (options.isaura !== undefined)
    throw new AppError("CLI_USAGE", "projects of Isaura's are never changed; use memoir store copy");
  const model = await modelIn(options.model, options, environment, ask);
  const from = partsOf(options, environment);
  const [to, another] = copyTargets(options, environment);
  if (to === undefined || another !== undefined)
    throw new AppError("CLI_USAGE", "rows are moved to one place: name --to-access public or private");
  const sources = from.filter(({ place }) => place !== to.place);
  if (sources.length === 0) throw new AppError("CLI_USAGE", `${to.label} is where the rows are`);
  const folder = await mkdtemp(join(tmpdir(), "memoir-move-"));
  const target = storeAt(to.place, environment);
  let files = 0;
  try {
    await target.open(ask);
    for (const part of sources) {
      const source = storeAt(part.place, environment);
      try {
        await source.open(ask);
        for (const info of await releaseFiles(source, scopeOf(model), ask)) {
          checkAsk(ask, "moving stored predictions");
          const path = join(folder, randomUUID());
          const { sizeBytes } = info;
          const { sha256 } = await source.fetchFile(info.name, path, { sizeBytes }, ask);
          if ((await target.head(info.name, ask)) === undefined) await target.putFile(info.name, path, ask);
          await rm(path);
          const back = await target.fetchFile(info.name, path, { sizeBytes }, ask);
          await rm(path);
          if (back.sha256 !== sha256)
            throw new AppError(
              "STORE_OBJECT_DAMAGED",
              `moving ${info.name} to ${to.label}: what was read back is not what was written; it stays in ${part.label}`,
            );
          await source.remove([info.name], ask);
          files++;
        }
      } finally {
        await source.close();
      }
    }
  } finally {
    await target.close();
    await rm(folder, { recursive: true, force: true });
  }
  return {
    model: model.id,
    release: model.release,
    from: sources.map(({ label }) => label),
    to: to.label,
    files,
  };
}

export interface RemoveResult {
  readonly model: string;
  readonly release: string;
  readonly from: readonly string[];
  readonly rows: number;
  readonly deleted: boolean;
}

/** Deletes the rows of a model and release. Without `sure` they are only counted. */
export async function remove(
  options: SourceOptions & { readonly model: string; readonly sure: boolean },
  { environment }: Asked,
  ask: Ask,
): Promise<RemoveResult> {
  if (options.isaura !== undefined)
    throw new AppError(
      "CLI_USAGE",
      "projects of Isaura's are never changed; use Isaura to remove rows there",
    );
  if (options.project === undefined)
    throw new AppError(
      "CLI_USAGE",
      "name the --project; memoir predictions drop is for the caches themselves",
    );
  const model = await modelIn(options.model, options, environment, ask);
  const parts = partsOf(options, environment);
  const tiers = parts.map((part) => tierAt(part, environment, () => {}));
  let rows = 0;
  try {
    for (const tier of tiers) {
      await tier.open(ask);
      rows += options.sure ? await tier.drop(scopeOf(model), ask) : await tier.count(scopeOf(model), ask);
    }
  } finally {
    await closeAll(tiers);
  }
  return {
    model: model.id,
    release: model.release,
    from: parts.map(({ label }) => label),
    rows,
    deleted: options.sure,
  };
}
