/** Rows of `memoir catalog`. */
import type { Model } from "../model.ts";

export interface CatalogRow {
  readonly identifier: string;
  readonly slug: string;
  readonly title: string;
  /** `Annotation`, `Representation`, …; empty where the metadata name none. */
  readonly task: string;
  readonly release: string;
  /** Number of output columns. */
  readonly outputDimension: number;
  /** `builtin`, `script`, `http`. */
  readonly runner: string;
  /** `cached`, or why its answers are never stored. */
  readonly cache: string;
  /** `built in`, or where it was fetched from. */
  readonly from: string;
}

export function catalogRow(model: Model): CatalogRow {
  const task = model.metadata["Task"];
  const runners = {
    builtin: "builtin",
    folder: "script",
    http: "http",
    image: "image",
    cache: "none",
  } as const;
  return {
    identifier: model.id,
    slug: model.slug,
    title: model.title,
    task: Array.isArray(task) ? task.join(", ") : typeof task === "string" ? task : "",
    release: model.release,
    outputDimension: model.columns.length,
    runner: runners[model.source.kind],
    cache: model.reusable.kind === "reusable" ? "cached" : model.reusable.reason,
    from: model.source.kind === "builtin" ? "built in" : (model.origin?.from ?? placeOf(model)),
  };
}

function placeOf(model: Model): string {
  if (model.source.kind === "folder") return model.source.path;
  if (model.source.kind === "image") return model.source.image;
  return model.source.kind === "http" ? model.source.url : "";
}
