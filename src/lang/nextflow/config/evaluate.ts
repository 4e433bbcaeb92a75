/** Configuration files, evaluated to one tree of settings. Closures stay closures: they are called for each task. */
import type { Diagnostic, SourceText, Span } from "../../../kernel/index.ts";
import { prototypeOf, ScriptClosure } from "../eval/script-closure.ts";
import { compilers } from "../eval/statement.ts";
import { type Frame, Limits, Scope, type Unit } from "../eval/unit.ts";
import { classOf, PackageValue } from "../run/package-value.ts";
import { Params } from "../run/params.ts";
import { PrintStream } from "../run/print-stream.ts";
import { construct } from "../stdlib/constructors.ts";
import type { Outside } from "../stdlib/outside.ts";
import { classNames } from "../stdlib/statics.ts";
import type { ConfigItem, Name, Statement } from "../syntax/ast.ts";
import { parseConfig } from "../syntax/config.ts";
import * as wrong from "../syntax/diagnostics.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { cleaned, Path, schemeOf } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { ExitRequest, fail, ScriptFailure } from "../values/throwable.ts";
import type { Rules } from "../versions.ts";

export interface ConfigOptions {
  readonly rules: Pick<Rules, "bareEnvironment" | "profileOrder" | "strictSyntax">;
  /** Chosen profiles, in order. */
  readonly profiles: readonly string[];
  /** Profiles become members of `profiles` and are not chosen. */
  readonly showProfiles?: boolean;
  /** Receives `params`, and keeps what was given from outside. */
  readonly params: GroovyMap;
  readonly projectDir: string;
  readonly launchDir: string;
  readonly workDir: string;
  readonly outside: Outside;
  /** Names that closures may use once the run has begun. */
  late(name: string): Value | undefined;
  /** Default: none. */
  readonly secrets?: Value;
  /** undefined: there is no such file. */
  read(path: string): SourceText | undefined;
}

export interface EvaluatedConfig {
  readonly settings: GroovyMap;
  /** Names of all profiles. */
  readonly profiles: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The type of a map that is written as a block, not as a value. */
export const blockType = "ConfigObject";

/** A configuration that needs more is one that includes itself again and again. */
const deepestIncludes = 40;
const mostIncludes = 2000;

export function evaluateConfig(paths: readonly string[], options: ConfigOptions): EvaluatedConfig {
  const reader = new ConfigReader(options);
  for (const path of paths) reader.file(path, undefined);
  return { settings: reader.settings, profiles: [...reader.profiles], diagnostics: reader.diagnostics };
}

class ConfigReader {
  readonly settings: GroovyMap;
  readonly profiles = new Set<string>();
  readonly diagnostics: Diagnostic[] = [];
  readonly #options: ConfigOptions;
  /** Of all files: closures of a file that is included call those of the file that includes it, wherever they are. */
  readonly #functions = new Map<string, Value>();
  /** Files that are being read, from the outermost. */
  readonly #open: string[] = [];
  #count = 0;

  constructor(options: ConfigOptions) {
    this.#options = options;
    this.settings = new GroovyMap([["params", options.params]]);
  }

  /** `overlay`: what chosen profiles have set, where a profile includes the file. */
  file(
    path: string,
    place: wrong.Place | undefined,
    target: GroovyMap = this.settings,
    overlay?: GroovyMap,
  ): void {
    if (place !== undefined && (this.#open.includes(path) || this.#open.length >= deepestIncludes)) {
      this.diagnostics.push(wrong.misplaced(place, "an inclusion of files that include each other"));
      return;
    }
    if (place !== undefined && ++this.#count > mostIncludes) {
      if (this.#count === mostIncludes + 1)
        this.diagnostics.push(wrong.misplaced(place, `more than ${mostIncludes} inclusions`));
      return;
    }
    const source = this.#options.read(path);
    if (source === undefined) {
      if (place !== undefined)
        this.diagnostics.push(wrong.missing(place, `the configuration file ${path} is not there`));
      return;
    }
    const { file, diagnostics } = parseConfig(source);
    this.diagnostics.push(...diagnostics);
    if (diagnostics.some(({ severity }) => severity === "error")) return;
    const context = new FileContext(source, cleaned(`${path}/..`), this.#options, this.settings, {
      imports: file.imports,
      functions: this.#functions,
    });
    context.overlay = overlay;
    this.#open.push(path);
    try {
      this.#items(file.items, target, context, []);
      for (const [name, value] of context.overrides.entries()) assignSetting(target, textOf(name), value);
    } catch (error) {
      this.diagnostics.push(problem(error, source, file.items[0]?.span ?? { start: 0, end: 0 }));
    }
    this.#open.pop();
  }

  #items(items: readonly ConfigItem[], target: GroovyMap, context: FileContext, at: readonly string[]): void {
    for (const item of items) {
      try {
        this.#item(item, target, context, at);
      } catch (error) {
        if (error instanceof ExitRequest) throw error;
        this.diagnostics.push(problem(error, context.source, item.span));
      }
    }
  }

  #item(item: ConfigItem, target: GroovyMap, context: FileContext, at: readonly string[]): void {
    const { strictSyntax } = this.#options.rules;
    if (strictSyntax && (item.kind === "if" || item.kind === "try" || item.kind === "statement")) {
      this.diagnostics.push(
        wrong.refused(
          { source: context.source, span: item.span },
          "a statement of a configuration file in the strict syntax of Nextflow",
          "write settings and blocks, or choose the older parser with NXF_SYNTAX_PARSER=v1",
        ),
      );
      return;
    }
    switch (item.kind) {
      case "assign": {
        const into = item.path.length > 1 ? this.#targetOf(item.path[0], target, context, at) : target;
        const { map, last } = this.#place(item.path, into);
        assignSetting(map, last, context.evaluate(item.value));
        return;
      }
      case "block":
        this.#block(item, target, context, at);
        return;
      case "selector": {
        const name = `${item.by}:${item.pattern}`;
        this.#items(item.body, child(target, name), context, [...at, name]);
        return;
      }
      case "include":
        this.#include(item, context, at.length === 0 ? target : (context.overlay ?? this.settings));
        return;
      case "directive": {
        const given = context.evaluateArguments(item.arguments);
        if (at[0] === "plugins" && item.name.text === "id") {
          target.put(textOf(given[0] ?? null), true);
          return;
        }
        assignSetting(target, item.name.text, given.length === 1 ? (given[0] ?? null) : [...given]);
        return;
      }
      case "if":
        this.#items(truthOf(context.evaluate(item.condition)) ? item.yes : item.no, target, context, at);
        return;
      case "try": {
        const before = this.diagnostics.length;
        this.#items(item.body, target, context, at);
        if (this.diagnostics.length > before) {
          this.diagnostics.length = before;
          this.#items(item.otherwise, target, context, at);
        }
        return;
      }
      case "statement":
        context.run(item.statement);
        return;
    }
  }

  #block(
    item: ConfigItem & { kind: "block" },
    target: GroovyMap,
    context: FileContext,
    at: readonly string[],
  ): void {
    const [first] = item.path;
    if (at.length === 0 && first?.text === "profiles" && item.path.length === 1) {
      for (const each of item.body) this.#declare(each);
      for (const each of this.#ordered(item.body)) this.#profile(each, context);
      return;
    }
    const { map, last } = this.#place(item.path, this.#targetOf(first, target, context, at));
    this.#items(item.body, child(map, last), context, [...at, ...item.path.map(({ text }) => text)]);
  }

  /**
   * A profile of the older parser continues scopes that are there, so that what follows the profiles in the file sees it
   * and may replace it. Other scopes and single names count when the file has been read.
   */
  #targetOf(
    scope: Name | undefined,
    target: GroovyMap,
    context: FileContext,
    at: readonly string[],
  ): GroovyMap {
    if (scope === undefined || at.length > 0 || target !== context.overlay) return target;
    const found = this.settings.at(scope.text);
    return found instanceof GroovyMap && found.size > 0 ? this.settings : target;
  }

  /** Profiles in the order in which they apply. */
  #ordered(items: readonly ConfigItem[]): readonly ConfigItem[] {
    const { rules, profiles } = this.#options;
    if (rules.profileOrder === "of the file" || profiles.length === 0) return items;
    const rank = (item: ConfigItem) => {
      const name = item.kind === "assign" || item.kind === "block" ? item.path[0]?.text : undefined;
      return name === undefined ? -1 : profiles.indexOf(name);
    };
    return [...items].sort((a, b) => rank(a) - rank(b));
  }

  #profile(item: ConfigItem, context: FileContext): void {
    if (item.kind === "assign" || item.kind === "block") {
      const [name, ...rest] = item.path;
      if (name === undefined) return;
      this.#declare(item);
      if (this.#options.showProfiles === true) {
        const shown = child(child(this.settings, "profiles"), name.text);
        if (rest.length > 0) this.#item({ ...item, path: rest }, shown, context, []);
        else if (item.kind === "block") this.#items(item.body, shown, context, []);
        return;
      }
      if (!this.#chosen(name.text)) return;
      const outer = context.overlay;
      const target =
        outer ?? (this.#options.rules.profileOrder === "of the file" ? context.overrides : this.settings);
      if (target !== this.settings) context.overlay = target;
      // `test.params.x = 1`, `test { … }`
      if (rest.length > 0) this.#item({ ...item, path: rest }, target, context, []);
      else if (item.kind === "block") this.#items(item.body, target, context, []);
      context.overlay = outer;
      return;
    }
    this.#item(item, this.settings, context, []);
  }

  #declare(item: ConfigItem): void {
    const name = profileOf(item);
    if (name !== undefined) this.profiles.add(name);
  }

  #chosen(name: string): boolean {
    const { profiles } = this.#options;
    return profiles.length === 0 ? name === "standard" : profiles.includes(name);
  }

  #include(item: ConfigItem & { kind: "include" }, context: FileContext, target: GroovyMap): void {
    const from = textOf(context.evaluate(item.from));
    if (from === "/dev/null") return;
    const place = { source: context.source, span: item.span };
    if (schemeOf(from) !== undefined) {
      this.diagnostics.push(
        wrong.warning(
          place,
          "config-not-read",
          `${from} is not on this machine and is not read`,
          "set NXF_OFFLINE=true where a pipeline knows it",
        ),
      );
      return;
    }
    const path = from.startsWith("/") ? cleaned(from) : cleaned(`${context.folder}/${from}`);
    this.file(path, place, target, context.overlay);
  }

  #place(path: readonly Name[], target: GroovyMap): { readonly map: GroovyMap; readonly last: string } {
    let map = target;
    for (const { text } of path.slice(0, -1)) map = child(map, text);
    return { map, last: path.at(-1)?.text ?? "" };
  }
}

function profileOf(item: ConfigItem): string | undefined {
  return item.kind === "assign" || item.kind === "block" ? item.path[0]?.text : undefined;
}

/** What profiles have set on top of what is there, for reading. */
function overlaid(below: Value | undefined, above: Value): Value {
  if (!(below instanceof GroovyMap) || !(above instanceof GroovyMap)) return above;
  const both = new GroovyMap(below.entries());
  for (const [key, value] of above.entries())
    if (!(below instanceof Params && below.isGiven(textOf(key))))
      both.put(key, overlaid(below.at(key), value));
  return both;
}

/** Maps are merged; lists and closures replace. */
function assignSetting(map: GroovyMap, name: string, value: Value): void {
  const before = map.at(name);
  if (before instanceof GroovyMap && value instanceof GroovyMap && name !== "publishDir") {
    for (const [key, each] of value.entries()) assignSetting(before, textOf(key), each);
    return;
  }
  map.put(name, value instanceof GroovyMap ? new GroovyMap(value.entries(), value.type) : value);
}

/** A block of the same name is continued. */
function child(map: GroovyMap, name: string): GroovyMap {
  const found = map.at(name);
  if (found instanceof GroovyMap) return found;
  const made = new GroovyMap([], blockType);
  map.put(name, made);
  const kept = map.at(name);
  return kept instanceof GroovyMap ? kept : made;
}

function problem(error: unknown, source: SourceText, span: Span): Diagnostic {
  if (!(error instanceof ScriptFailure)) throw error;
  return wrong.evaluation(error.place ?? { source, span }, error.thrown.message ?? error.thrown.type);
}

interface FileNames {
  readonly imports: ReadonlyMap<string, string>;
  readonly functions: Map<string, Value>;
}

/** Names that a configuration file may use. */
class FileContext {
  readonly source: SourceText;
  readonly folder: string;
  /** What the profiles of this file set: it counts when the file has been read. */
  readonly overrides = new GroovyMap([], blockType);
  /** Within a profile: what profiles have set, which wins over the settings for those who read them. */
  overlay: GroovyMap | undefined;
  readonly #unit: Unit;
  readonly #scope = new Scope(undefined);
  readonly #frame: Frame = { slots: [], parent: undefined, closure: undefined, result: null };
  readonly #variables = new Map<string, Value>();
  readonly #functions: Map<string, Value>;

  constructor(
    source: SourceText,
    folder: string,
    options: ConfigOptions,
    settings: GroovyMap,
    { imports, functions }: FileNames,
  ) {
    this.source = source;
    this.folder = folder;
    this.#functions = functions;
    const { outside } = options;
    const pathOf = (location: string) => new Path(location, outside.files);
    const system = (method: string, given: readonly Value[]): Value | undefined => {
      if (method === "getenv")
        return given.length === 0
          ? GroovyMap.of(outside.environment)
          : (outside.env(textOf(given[0] ?? null)) ?? null);
      if (method === "currentTimeMillis") return BigInt(outside.nowMs());
      if (method === ".out" || method === ".err")
        return new PrintStream((text) =>
          outside.log(method === ".out" ? "info" : "warn", text.replace(/\n$/, "")),
        );
      return method === "getProperty" ? null : undefined;
    };
    this.#unit = {
      source,
      limits: new Limits(),
      compilers,
      globals: {
        lookup: (name) => {
          const own = this.#variables.get(name);
          if (own !== undefined) return own;
          const above = this.overlay?.at(name);
          if (above !== undefined)
            return overlaid(name === "params" ? options.params : settings.at(name), above);
          switch (name) {
            case "params":
              // With the defaults of scripts, once the run has begun.
              return options.late(name) ?? options.params;
            case "projectDir":
            case "baseDir":
              return pathOf(options.projectDir);
            case "launchDir":
              return pathOf(options.launchDir);
            case "workDir":
              return pathOf(options.workDir);
            case "outputDir":
              return settings.at("outputDir") ?? null;
            case "secrets":
              return options.secrets ?? new GroovyMap();
            case "System":
              return classOf("System", system);
            case "java":
            case "groovy":
              return new PackageValue(name);
          }
          const imported = imports.get(name);
          if (imported !== undefined || classNames.has(name)) return classOf(imported ?? name);
          const found = functions.get(name) ?? options.late(name);
          if (found !== undefined) return found;
          return settings.at(name) ?? (options.rules.bareEnvironment ? outside.env(name) : undefined);
        },
        assign: (name, value) => {
          this.#variables.set(name, value);
          return true;
        },
        method: (name, given) => {
          if (name === "env") return outside.env(textOf(given[0] ?? null)) ?? null;
          if (name === "file" || name === "path") return pathOf(textOf(given[0] ?? null));
          if (name === "println" || name === "print") {
            outside.print(given.map(textOf).join("") + (name === "println" ? "\n" : ""));
            return null;
          }
          return undefined;
        },
        create: (type, given) =>
          construct(type, given, outside) ??
          fail("MissingMethodException", `the class ${type} is not supported`),
        convert: () => undefined,
      },
    };
  }

  evaluate(node: Parameters<typeof compilers.expression>[2]): Value {
    return this.#within(compilers.expression(this.#unit, this.#scope, node));
  }

  evaluateArguments(
    nodes: readonly { readonly name?: Name; readonly value: Parameters<typeof compilers.expression>[2] }[],
  ): readonly Value[] {
    const named = new GroovyMap();
    const given: Value[] = [];
    for (const { name, value } of nodes) {
      if (name === undefined) given.push(this.evaluate(value));
      else named.put(name.text, this.evaluate(value));
    }
    return named.size > 0 ? [named, ...given] : given;
  }

  /** Functions and variables stay known to what follows. */
  run(statement: Statement): void {
    if (statement.kind === "function") {
      const made = new ScriptClosure(
        prototypeOf(this.#unit, undefined, statement, statement.name.text),
        undefined,
      );
      this.#variables.set(statement.name.text, made);
      this.#functions.set(statement.name.text, made);
      return;
    }
    if (statement.kind === "declare") {
      this.#variables.set(
        statement.name.text,
        statement.value === undefined ? null : this.evaluate(statement.value),
      );
      return;
    }
    this.#within(compilers.open(this.#unit, this.#scope, [statement]));
  }

  #within(code: (frame: Frame) => Value): Value {
    while (this.#frame.slots.length < this.#scope.size) this.#frame.slots.push(null);
    return code(this.#frame);
  }
}
