/** Reads a script and everything that it includes. */
import { type Ask, breathe, type Diagnostic, didYouMean, type SourceText } from "../../../kernel/index.ts";
import type { SourceTree } from "../../core/index.ts";
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
): Promise<LoadedScripts> {
  const scripts = new Map<string, LoadedScript>();
  const diagnostics: Diagnostic[] = [];
  const queue = [uri];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (scripts.has(next)) continue;
    const text = await source.read(next, ask);
    if (text === undefined) continue;
    const parsed = parsedWithin(limit, text);
    diagnostics.push(...parsed.diagnostics);
    const includes = new Map<IncludeNode, IncludeTarget>();
    for (const item of parsed.script.items) {
      if (item.kind !== "include") continue;
      const target = await targetOf(item, next, source, ask);
      if (target === undefined)
        diagnostics.push(
          wrong.missing(
            { source: text, span: item.from.span },
            `there is no script ${item.from.text}`,
            "paths of includes are relative to the script, and `.nf` may be left out",
          ),
        );
      else {
        includes.set(item, target);
        if (target.kind === "script") queue.push(target.uri);
      }
    }
    scripts.set(next, { uri: next, script: parsed.script, includes });
    await breathe();
  }
  diagnostics.push(...unknownNames(scripts));
  const library = await loadLibrary(source, uri, limit, ask);
  diagnostics.push(...library.flatMap((each) => each.diagnostics));
  return { main: scripts.get(uri), scripts, library: library.map(({ script }) => script), diagnostics };
}

/** A text that takes too long to read is refused as one with errors is. */
function parsedWithin(limit: TimeLimit, text: SourceText): Parsed {
  try {
    return limit(() => parseScript(text));
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    return {
      script: { source: text, items: [], imports: new Map() },
      diagnostics: [wrong.evaluation({ source: text, span: { start: 0, end: 0 } }, error.message)],
    };
  }
}

async function loadLibrary(
  source: SourceTree,
  main: string,
  limit: TimeLimit,
  ask: Ask,
): Promise<readonly Parsed[]> {
  const members = await source.listFolder(source.resolve("lib", main), ask);
  const found: Parsed[] = [];
  for (const { name, uri, kind } of members ?? []) {
    if (kind !== "file" || !name.endsWith(".groovy")) continue;
    const text = await source.read(uri, ask);
    if (text !== undefined) found.push(parsedWithin(limit, text));
  }
  return found;
}

async function targetOf(
  node: IncludeNode,
  from: string,
  source: SourceTree,
  ask: Ask,
): Promise<IncludeTarget | undefined> {
  const { text } = node.from;
  if (text.startsWith("plugin/")) return { kind: "plugin", name: text.slice("plugin/".length) };
  const candidates = text.endsWith(".nf")
    ? [text]
    : [`${text}.nf`, `${text.replace(/\/+$/, "")}/main.nf`, text];
  for (const each of candidates) {
    const uri = source.resolve(each, from);
    try {
      if ((await source.read(uri, ask)) !== undefined) return { kind: "script", uri };
    } catch (error) {
      // A folder of this name: its main.nf is looked for.
      if (each === candidates.at(-1)) throw error;
    }
  }
  return undefined;
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
