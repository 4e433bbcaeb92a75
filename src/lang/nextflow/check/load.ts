/** Reads a script and everything that it includes. */
import {
  type Ask,
  breathe,
  type Diagnostic,
  didYouMean,
  mapBounded,
  type SourceText,
} from "../../../kernel/index.ts";
import { createFolderSource, type SourceTree } from "../../core/index.ts";
import type { TimeLimit } from "../eval/time-limit.ts";
import type { IncludeNode, Item, Script } from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";
import { type Parsed, parseScript } from "../syntax/script.ts";
import { ScriptFailure } from "../values/throwable.ts";

export interface LoadedScript {
  readonly uri: string;
  readonly script: Script;
  /** What its includes lead to. */
  readonly includes: ReadonlyMap<IncludeNode, IncludeTarget>;
}

export type IncludeTarget =
  | { readonly kind: "script"; readonly uri: string }
  | { readonly kind: "plugin"; readonly name: string };

export interface LoadedScripts {
  /** Classes of `lib/`, by file. */
  readonly library: readonly Script[];
  /** undefined: the main script is not there. */
  readonly main: LoadedScript | undefined;
  readonly scripts: ReadonlyMap<string, LoadedScript>;
  readonly diagnostics: readonly Diagnostic[];
}

export async function loadScripts(
  source: SourceTree,
  uri: string,
  limit: TimeLimit,
  ask: Ask,
  /** Absolute folders of classes, in place of the project's `lib`. */
  libraries?: readonly string[],
): Promise<LoadedScripts> {
  const scripts = new Map<string, LoadedScript>();
  const diagnostics: Diagnostic[] = [];
  const documents = new Documents(source, ask);
  let wave: readonly string[] = [uri];
  while (wave.length > 0) {
    const texts: { readonly uri: string; readonly text: SourceText }[] = [];
    for (const each of new Set(wave)) {
      const text = scripts.has(each) ? undefined : await documents.read(each);
      if (text !== undefined) texts.push({ uri: each, text });
    }
    const parsed = await parsedWithin(
      limit,
      texts.map(({ text }) => text),
    );
    const further: string[] = [];
    for (const [index, { uri: own, text }] of texts.entries()) {
      const { script, diagnostics: found } = parsed[index] ?? emptyScript(text);
      diagnostics.push(...found);
      const includes = new Map<IncludeNode, IncludeTarget>();
      const nodes = script.items.filter((each) => each.kind === "include");
      const targets = await mapBounded(nodes, readAtOnce, (each) =>
        targetOf(each, { from: own, main: uri }, source, documents),
      );
      for (const [at, item] of nodes.entries()) {
        const target = targets[at];
        if (target === undefined)
          diagnostics.push(
            wrong.missing(
              { source: text, span: item.from.span },
              `there is no script ${item.from.text}`,
              isRegistryName(item.from.text)
                ? `a module of the registry is looked for at modules/${item.from.text}/main.nf of the project: Memoir installs none, \`nextflow module install ${item.from.text}\` does`
                : "paths of includes are relative to the script, and `.nf` may be left out",
            ),
          );
        else {
          includes.set(item, target);
          if (target.kind === "script") further.push(target.uri);
        }
      }
      scripts.set(own, { uri: own, script, includes });
    }
    wave = further;
  }
  diagnostics.push(...unknownNames(scripts));
  const places = libraries?.map((folder) => ({ source: createFolderSource({ folder }), folder }));
  const library: Parsed[] = [];
  for (const each of places ?? [{ source, folder: source.resolve("lib", uri) }])
    library.push(...(await loadLibrary(each, limit, ask)));
  diagnostics.push(...library.flatMap((each) => each.diagnostics));
  return { main: scripts.get(uri), scripts, library: library.map(({ script }) => script), diagnostics };
}

const readAtOnce = 8;

/** Each is read once, however many include it. */
class Documents {
  readonly #source: SourceTree;
  readonly #ask: Ask;
  readonly #texts = new Map<string, Promise<SourceText | undefined>>();

  constructor(source: SourceTree, ask: Ask) {
    this.#source = source;
    this.#ask = ask;
  }

  /** undefined: there is no such document. */
  read(uri: string): Promise<SourceText | undefined> {
    const found = this.#texts.get(uri) ?? this.#source.read(uri, this.#ask);
    this.#texts.set(uri, found);
    return found;
  }
}

/** How long texts are read within one limit: setting a limit takes as long as reading a small one. */
const pieceMs = 20;

/** A text that takes too long to read is refused as one with errors is. */
async function parsedWithin(limit: TimeLimit, texts: readonly SourceText[]): Promise<readonly Parsed[]> {
  const parsed: Parsed[] = [];
  while (parsed.length < texts.length) {
    const first = parsed.length;
    try {
      limit(() => {
        const end = performance.now() + pieceMs;
        do {
          const text = texts[parsed.length];
          if (text !== undefined) parsed.push(parseScript(text));
        } while (parsed.length < texts.length && performance.now() < end);
      });
    } catch (error) {
      if (!(error instanceof ScriptFailure)) throw error;
      // Others have had a part of the time: alone it may be short enough.
      const text = texts[first];
      if (parsed.length > first || text === undefined) continue;
      const message = wrong.evaluation({ source: text, span: { start: 0, end: 0 } }, error.message);
      parsed.push({ ...emptyScript(text), diagnostics: [message] });
    }
    await breathe();
  }
  return parsed;
}

function emptyScript(text: SourceText): Parsed {
  return { script: { source: text, items: [], imports: new Map() }, diagnostics: [] };
}

interface LibraryPlace {
  readonly source: SourceTree;
  readonly folder: string;
}

/** Classes of a folder, and of those within it, which are packages. */
async function loadLibrary(
  { source, folder }: LibraryPlace,
  limit: TimeLimit,
  ask: Ask,
  depth = 0,
): Promise<readonly Parsed[]> {
  const found: SourceText[] = [];
  const packages: Parsed[] = [];
  for (const { name, uri, kind } of (await source.listFolder(folder, ask)) ?? []) {
    if (kind === "directory" && depth < deepestPackage)
      packages.push(...(await loadLibrary({ source, folder: uri }, limit, ask, depth + 1)));
    if (kind !== "file" || !name.endsWith(".groovy")) continue;
    const text = await source.read(uri, ask);
    if (text !== undefined) found.push(text);
  }
  return [...(await parsedWithin(limit, found)), ...packages];
}

const deepestPackage = 20;

async function targetOf(
  node: IncludeNode,
  { from, main }: { readonly from: string; readonly main: string },
  source: SourceTree,
  documents: Documents,
): Promise<IncludeTarget | undefined> {
  const { text } = node.from;
  if (text.startsWith("plugin/")) return { kind: "plugin", name: text.slice("plugin/".length) };
  const candidates = text.endsWith(".nf")
    ? [text]
    : [`${text}.nf`, `${text.replace(/\/+$/, "")}/main.nf`, text];
  for (const each of candidates) {
    const uri = source.resolve(each, from);
    try {
      if ((await documents.read(uri)) !== undefined) return { kind: "script", uri };
    } catch (error) {
      // A folder of this name: its main.nf is looked for.
      if (each === candidates.at(-1)) throw error;
    }
  }
  if (!isRegistryName(text)) return undefined;
  const installed = source.resolve(`modules/${text}/main.nf`, main);
  return (await documents.read(installed)) === undefined ? undefined : { kind: "script", uri: installed };
}

/** `nf-core/fastqc`: a module as the registry calls it, since 26.04. */
function isRegistryName(text: string): boolean {
  return /^[a-z0-9][\w.-]*(?:\/[\w.-]+)+$/i.test(text) && !/\.nf$|(?:^|\/)\.\.?(?:\/|$)/.test(text);
}

/** Includes of names that their scripts do not define. */
function unknownNames(scripts: ReadonlyMap<string, LoadedScript>): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const { script, includes } of scripts.values())
    for (const [node, target] of includes) {
      const other = target.kind === "script" ? scripts.get(target.uri) : undefined;
      if (other === undefined) continue;
      const names = new Set(other.script.items.flatMap((each) => definedNames(each)));
      for (const { name } of node.names) {
        if (names.has(name.text)) continue;
        const near = didYouMean(name.text, names);
        found.push(
          wrong.missing(
            { source: script.source, span: name.span },
            `${node.from.text} has no process, workflow or function ${name.text}`,
            near === undefined ? undefined : `did you mean ${near}?`,
          ),
        );
      }
    }
  return found;
}

export function definedNames(item: Item): readonly string[] {
  switch (item.kind) {
    case "process":
    case "function":
    case "class":
      return [item.name.text];
    case "workflow":
      return item.name === undefined ? [] : [item.name.text];
    case "include":
      return item.names.map(({ name, alias }) => (alias ?? name).text);
    default:
      return [];
  }
}
