/** Workflow outputs: `publish:` of the entry and `output { … }`. */
import type { FileValue } from "../../../task/index.ts";
import type { PublishOrder } from "../../core/index.ts";
import { asChannel } from "../channels/channel-out.ts";
import { byRank, type Rank } from "../channels/rank.ts";
import { writeJson } from "../stdlib/json.ts";
import { writeYaml } from "../stdlib/yaml.ts";
import type { OutputNode } from "../syntax/ast.ts";
import { pathMember } from "../task/collect.ts";
import { fileValue } from "../task/file-value.ts";
import { absolute, modeOf } from "../task/publish.ts";
import { Closure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { cleaned, lastPart, Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import type { Module } from "./module.ts";

export interface PublishedOutput {
  readonly name: string;
  readonly values: readonly Value[];
  /** Where its files are brought below the output folder, unless it says otherwise. */
  readonly folder: string;
}

interface Settings {
  /** Below the output folder; index files are there. */
  readonly folder: string;
  readonly path: Value;
  readonly mode: PublishOrder["mode"];
  readonly overwrite: PublishOrder["overwrite"];
  readonly enabled: boolean;
  readonly ignoreErrors: boolean;
  readonly index: GroovyMap | undefined;
}

/** Answers what is to be done at the end: index files, and what the run's outputs are. */
export function publishOutputs(
  published: readonly PublishedOutput[],
  nodes: readonly OutputNode[],
  module: Module,
): () => void {
  const ends: (() => void)[] = [];
  const outputs = nodes.flatMap((each) => each.outputs);
  if (nodes.length > 0) checkNames(published, outputs);
  for (const { name, values, folder } of published) {
    const node = outputs.find((each) => each.name.text === name);
    const settings = settingsOf(node?.body ?? [], folder, module);
    checkSettings(name, settings);
    if (!settings.enabled) continue;
    const rows: { readonly value: Value; readonly rank: Rank }[] = [];
    const take = (item: Value, rank: Rank) => {
      rows.push({ value: publishItem(item, settings, module), rank });
    };
    const single = values.every((each) => asChannel(each)?.kind !== "queue");
    for (const value of values) {
      const channel = asChannel(value);
      if (channel === undefined) take(value, []);
      else channel.subscribe({ next: take, end: () => undefined });
    }
    const { index } = settings;
    ends.push(() => {
      const items = rows.sort(byRank).map(({ value: row }) => row);
      // Of a value channel the value itself, not a list of one.
      const value = single && values.length === 1 ? (items[0] ?? null) : items;
      const path = index === undefined ? undefined : writeIndex(items, value, index, settings, module);
      module.session.published.output(name, { value, index: path });
    });
  }
  return () => {
    for (const each of ends) each();
  };
}

/** What is declared is assigned, and the other way round. */
function checkNames(published: readonly PublishedOutput[], outputs: OutputNode["outputs"]): void {
  const assigned = new Set(published.map(({ name }) => name));
  const declared = new Set(outputs.map(({ name }) => name.text));
  for (const name of declared)
    if (!assigned.has(name) && published.every(({ folder }) => folder === ""))
      fail(
        "ScriptRuntimeException",
        `Workflow output '${name}' was declared in the output block but not assigned in the workflow`,
      );
  for (const { name, folder } of published)
    if (!declared.has(name) && folder === "")
      fail(
        "ScriptRuntimeException",
        `Workflow output '${name}' was assigned in the workflow but not declared in the output block`,
      );
}

function checkSettings(name: string, { path, index }: Settings): void {
  if (typeof path === "string" && path.startsWith("/"))
    fail(
      "ScriptRuntimeException",
      `Invalid path '${path}' for workflow output '${name}' -- it must be a relative path`,
    );
  if (index !== undefined && (index.at("path") ?? null) === null)
    fail(
      "ScriptRuntimeException",
      `Index file definition for workflow output '${name}' is missing \`path\` option`,
    );
}

function settingsOf(body: OutputNode["outputs"][number]["body"], folder: string, module: Module): Settings {
  const found = new Map<string, Value>();
  const config = module.session.config.at("workflow");
  const defaults = config instanceof GroovyMap ? config.at("output") : undefined;
  if (defaults instanceof GroovyMap)
    for (const [key, value] of defaults.entries()) found.set(String(key), value);
  module.closure(body).bound(collector(found), "delegate first").call([]);
  const mode = found.get("mode") ?? null;
  const overwrite = found.get("overwrite") ?? null;
  const enabled = found.get("enabled") ?? true;
  const index = found.get("index");
  return {
    folder,
    path: found.get("path") ?? (folder === "" ? null : folder),
    mode: modeOf(mode),
    overwrite:
      overwrite === null || overwrite === true
        ? "always"
        : truthOf(overwrite) && typeof overwrite === "string"
          ? "if different"
          : "never",
    enabled: truthOf(enabled),
    ignoreErrors: truthOf(found.get("ignoreErrors") ?? null),
    index: index instanceof GroovyMap ? index : undefined,
  };
}

/** `path 'x'`, `index { path 'x'; header true }` */
function collector(into: Map<string, Value>): Parameters<Closure["bound"]>[0] {
  return {
    lookup: () => undefined,
    assign: (name, value) => {
      into.set(name, value);
      return true;
    },
    method: (name, given) => {
      const [first = null] = given;
      if (name === "index" && first instanceof Closure) {
        const inner = new Map<string, Value>();
        first.bound(collector(inner), "delegate first").call([]);
        into.set(name, GroovyMap.of(Object.fromEntries(inner)));
      } else if (name === "label") into.set(name, first);
      else if (known.has(name)) into.set(name, first);
      else return undefined;
      return null;
    },
  };
}

const known = new Set([
  "path",
  "mode",
  "overwrite",
  "enabled",
  "ignoreErrors",
  "contentType",
  "tags",
  "storageClass",
  "header",
  "sep",
  "mapper",
  "copyAttributes",
]);

// --- items

/** Publishes the files of an item; answers the item with its files where they are published. */
function publishItem(item: Value, settings: Settings, module: Module): Value {
  const { session } = module;
  const base = absolute(session.outputDir, session.outside.files.launchDir);
  const targets = new Map<string, string>();
  let folder = "";
  let named = false;
  const { path } = settings;
  if (path instanceof Closure) {
    const delegate = {
      lookup: () => undefined,
      assign: () => false,
      method: () => undefined,
    };
    const wrapped = wrap(item, (file, target) => {
      named = true;
      if (target === null) return;
      const text = textOf(target);
      targets.set(file.location, cleaned(`${base}/${text.endsWith("/") ? text + inTask(file) : text}`));
    });
    const answer = path.bound(delegate, "owner first").call(spread(wrapped, path));
    // In the preview each file may have a separate path, as with `saveAs`.
    if (!named && answer instanceof Closure)
      for (const file of filesOf(item)) {
        const name = answer.call([inTask(file)]);
        if (name !== null) targets.set(file.location, cleaned(`${base}/${textOf(name)}`));
        named = true;
      }
    else if (!named) {
      if (answer === null) return item;
      folder = textOf(answer);
    }
  } else if (path !== null) folder = textOf(path);
  return published(item, (file) => {
    // What no task has made is not published, and stays in the index.
    if (file.source === undefined) return file;
    const target = named ? targets.get(file.location) : cleaned(`${base}/${folder}/${inTask(file)}`);
    if (target === undefined) return null;
    send(file, target, settings, module);
    const { kind } = file.source;
    return new Path(target, file.files, undefined, { kind, location: target, basename: lastPart(target) });
  });
}

/** Where it is in the folder of its task. */
function inTask(file: Path): string {
  const path = file.source?.extra?.[pathMember];
  return typeof path === "string" ? path : file.name;
}

function filesOf(value: Value): readonly Path[] {
  if (value instanceof Path) return [value];
  if (isList(value)) return value.flatMap(filesOf);
  return value instanceof GroovyMap ? value.values().flatMap(filesOf) : [];
}

function send(file: Path, target: string, settings: Settings, module: Module): void {
  const { session } = module;
  const value: FileValue = fileValue(file);
  session.network.begin();
  session.host
    .publish(value, { target, mode: settings.mode, overwrite: settings.overwrite }, session.ask)
    .then(
      () => undefined,
      (error: unknown) => {
        if (!settings.ignoreErrors) session.network.fail(error);
        else session.outside.log("warn", `Failed to publish file: ${target}`);
      },
    )
    .finally(() => session.network.finish());
}

function published(value: Value, publish: (file: Path) => Path | null): Value {
  if (value instanceof Path) return publish(value);
  if (isList(value)) return Array.from(value, (each) => published(each, publish));
  if (value instanceof GroovyMap)
    return new GroovyMap(
      Array.from(value.entries(), ([key, each]): [Value, Value] => [key, published(each, publish)]),
      value.type,
    );
  return value;
}

/** Files that know `>>`. The members of a tuple stay members of a list. */
function wrap(value: Value, target: (file: Path, target: Value) => void): Value {
  return isList(value) ? Array.from(value, (each) => wrapMember(each, target)) : wrapMember(value, target);
}

function wrapMember(value: Value, target: (file: Path, target: Value) => void): Value {
  if (value instanceof Path) return new PublishedFile(value, target);
  if (isList(value))
    return value.every((each) => each instanceof Path) ? new PublishedFiles(value, target) : value;
  if (value instanceof GroovyMap)
    return new GroovyMap(
      Array.from(value.entries(), ([key, each]): [Value, Value] => [key, wrapMember(each, target)]),
      value.type,
    );
  return value;
}

class PublishedFile extends Path {
  readonly #target: (file: Path, target: Value) => void;

  constructor(file: Path, target: (file: Path, target: Value) => void) {
    super(file.location, file.files, file.staged, file.source);
    this.#target = target;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name !== "rightShift") return undefined;
    this.#target(this, given[0] ?? null);
    return null;
  }
}

class PublishedFiles extends Unique {
  readonly type = "Files";
  override readonly kinds = ["List", "Collection"];
  readonly #files: readonly Value[];
  readonly #target: (file: Path, target: Value) => void;

  constructor(files: readonly Value[], target: (file: Path, target: Value) => void) {
    super();
    this.#files = files;
    this.#target = target;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "rightShift") {
      const [target = null] = given;
      if (target !== null && !textOf(target).endsWith("/"))
        fail(
          "ScriptRuntimeException",
          `Invalid publish target '${textOf(target)}' -- should be a directory (end with a \`/\`) when publishing a collection of files`,
        );
      for (const each of this.#files) if (each instanceof Path) this.#target(each, given[0] ?? null);
      return null;
    }
    if (name === "each" && given[0] instanceof Closure) {
      for (const each of this.#files)
        if (each instanceof Path) given[0].call([new PublishedFile(each, this.#target)]);
      return null;
    }
    return undefined;
  }
}

// --- index files

function writeIndex(
  rows: readonly Value[],
  value: Value,
  index: GroovyMap,
  settings: Settings,
  module: Module,
): Path {
  const { session } = module;
  const path = index.at("path") ?? fail("IllegalArgumentException", "an index needs a path");
  const base = absolute(session.outputDir, session.outside.files.launchDir);
  const folder =
    settings.folder === "" || typeof settings.path !== "string" ? settings.folder : settings.path;
  const target = cleaned(`${base}/${folder}/${textOf(path)}`);
  const mapper = index.at("mapper");
  const mapped = mapper instanceof Closure ? rows.map((each) => mapper.call(spread(each, mapper))) : rows;
  const content = contentOf(
    mapped,
    mapper instanceof Closure || rows === value ? [...mapped] : value,
    target,
    index,
  );
  session.network.begin();
  session.host.files
    .writeTo(target, content, session.ask)
    .catch((error: unknown) => session.network.fail(error))
    .finally(() => session.network.finish());
  return new Path(target, session.outside.files, undefined, {
    kind: "file",
    location: target,
    basename: lastPart(target),
  });
}

function spread(value: Value, closure: Closure): readonly Value[] {
  return Array.isArray(value) && closure.arity > 1 ? value : [value];
}

function contentOf(rows: readonly Value[], value: Value, target: string, index: GroovyMap): string {
  if (/\.json$/.test(target)) return `${writeJson(value, "pretty")}\n`;
  if (/\.ya?ml$/.test(target)) return writeYaml(value);
  if (!/\.[ct]sv$/.test(target))
    fail(
      "ScriptRuntimeException",
      `Invalid extension '${/[^./]*$/.exec(target)?.[0] ?? ""}' for index file '${target}' -- should be CSV, JSON, or YAML`,
    );
  const separator = textOf(index.at("sep") ?? (/\.tsv$/.test(target) ? "\t" : ","));
  const header = index.at("header") ?? false;
  const [first] = rows;
  if (header === true && first !== undefined && !(first instanceof GroovyMap))
    fail("IllegalArgumentException", "Records must be map objects when header=true");
  const names = isList(header)
    ? header.map(textOf)
    : header === true && first instanceof GroovyMap
      ? first.keys().map(textOf)
      : undefined;
  const cell = (value: Value) => `"${(value === null ? "" : textOf(value)).replaceAll('"', '""')}"`;
  const lines = rows.map((row) => {
    if (row instanceof GroovyMap)
      return (names === undefined ? row.values() : names.map((name) => row.at(name) ?? null))
        .map(cell)
        .join(separator);
    return (isList(row) ? row : [row]).map(cell).join(separator);
  });
  if (truthOf(header) && names !== undefined) lines.unshift(names.map(cell).join(separator));
  return lines.map((line) => `${line}\n`).join("");
}
