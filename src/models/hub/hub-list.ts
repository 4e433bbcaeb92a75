/**
 * The hub's published list of models: a JSON list with one object per model, whose members are called as in the models'
 * metadata. It is written by people and programs of many years: members may be missing, be texts or lists.
 */
import { AppError } from "../../kernel/index.ts";

export interface HubModel {
  readonly identifier: string;
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly tasks: readonly string[];
  readonly tags: readonly string[];
  readonly release: string;
  readonly license: string;
  /** Address or DOI of the publication. */
  readonly publication: string;
  /** Everything that the list says of the model. */
  readonly card: Readonly<Record<string, unknown>>;
}

/** What a citation of a model needs. */
export interface CitedModel {
  readonly identifier: string;
  readonly title: string;
  readonly release: string;
  readonly license: string;
  readonly publication: string;
  readonly publicationYear: string;
  readonly sourceCode: string;
  readonly contributor: string;
}

/** @throws HUB_LIST_INVALID */
export function parseHubList(text: string, place: string): readonly HubModel[] {
  const refuse = (why: string, cause?: unknown) =>
    new AppError("HUB_LIST_INVALID", `reading the list of models from ${place}: ${why}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse("it is not JSON", error);
  }
  const list = isObject(value) && Array.isArray(value["models"]) ? value["models"] : value;
  if (!Array.isArray(list)) throw refuse("expected a list of models");
  const models = new Map<string, HubModel>();
  for (const each of list) {
    const model = isObject(each) ? hubModel(each) : undefined;
    if (model !== undefined) models.set(model.identifier, model);
  }
  if (models.size === 0) throw refuse(`none of its ${list.length} entries has an Identifier`);
  return [...models.values()].sort((a, b) => (a.identifier < b.identifier ? -1 : 1));
}

function hubModel(card: Readonly<Record<string, unknown>>): HubModel | undefined {
  const identifier = fieldOf(card, "Identifier");
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/i.test(identifier)) return undefined;
  return {
    identifier,
    slug: fieldOf(card, "Slug"),
    title: fieldOf(card, "Title"),
    description: fieldOf(card, "Description"),
    status: fieldOf(card, "Status"),
    tasks: fieldsOf(card, "Task"),
    tags: fieldsOf(card, "Tag"),
    release: fieldOf(card, "Release"),
    license: fieldOf(card, "License"),
    publication: fieldOf(card, "Publication"),
    card,
  };
}

export function citedModel(card: Readonly<Record<string, unknown>>): CitedModel {
  return {
    identifier: fieldOf(card, "Identifier"),
    title: fieldOf(card, "Title"),
    release: fieldOf(card, "Release"),
    license: fieldOf(card, "License"),
    publication: fieldOf(card, "Publication"),
    publicationYear: fieldOf(card, "Publication Year"),
    sourceCode: fieldOf(card, "Source Code"),
    contributor: fieldOf(card, "Contributor"),
  };
}

function fieldOf(card: Readonly<Record<string, unknown>>, name: string): string {
  return fieldsOf(card, name).join(", ");
}

/** Printable words only: the list comes from elsewhere, and a terminal obeys control characters. */
function fieldsOf(card: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const value = Object.hasOwn(card, name) ? card[name] : card[`${name}s`];
  const items = Array.isArray(value) ? value : [value];
  return items.flatMap((item) =>
    typeof item === "string" || typeof item === "number"
      ? [
          String(item)
            .replaceAll(/\p{Cc}+/gu, " ")
            .trim(),
        ].filter((text) => text !== "")
      : [],
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
