/** The scripts of a run: what each includes, and their statements, which run in the order in which they are written. */
import { dirname } from "node:path";
import { pluginFunction } from "../plugins/registry.ts";
import type { Argument, Expression, IncludeNode, Item, Statement } from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";
import { GroovyMap } from "../values/map.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { ConfigProblem } from "./config-problem.ts";
import { Module } from "./module.ts";
import { Params } from "./params.ts";
import type { ProgramParts } from "./program-parts.ts";
import { scriptStatements } from "./script-statements.ts";
import type { Session } from "./session.ts";
import { start } from "./workflow.ts";
import { WorkflowScope } from "./workflow-scope.ts";

interface Entry {
  readonly module: Module;
  /** Of scripts that are included with other parameters, and of what these include; else empty. */
  readonly family: string;
  readonly targets: ReadonlyMap<IncludeNode, Entry>;
}

export class Modules {
  readonly #parts: ProgramParts;
  readonly #session: Session;
  readonly #entries = new Map<string, Entry>();
  readonly #ran = new Set<Entry>();

  constructor(parts: ProgramParts, session: Session) {
    this.#parts = parts;
    this.#session = session;
  }

  /** A script with all that it includes; nothing of it has run. */
  load(uri: string): Module {
    return this.#entry(uri, "", this.#session.params).module;
  }

  /** Runs the statements of a script that was loaded, and before them those of what it includes. */
  run(uri: string): { readonly used: boolean } {
    const entry = this.#entries.get(uri);
    if (entry === undefined) return fail("NoSuchFileException", uri);
    return this.#run(entry);
  }

  #entry(uri: string, family: string, params: Params): Entry {
    const known = this.#entries.get(family + uri);
    if (known !== undefined) return known;
    const loaded = this.#parts.loaded.scripts.get(uri);
    if (loaded === undefined) return fail("NoSuchFileException", uri);
    const folder = dirname(this.#parts.hostPathOf(uri) ?? uri);
    const module = new Module(loaded.script, folder, this.#session, params);
    const targets = new Map<IncludeNode, Entry>();
    const entry = { module, family, targets };
    this.#entries.set(family + uri, entry);
    for (const item of loaded.script.items) {
      if (item.kind !== "include") continue;
      const target = loaded.includes.get(item);
      if (target?.kind === "plugin") this.#plugin(module, item, target.name);
      if (target?.kind !== "script") continue;
      const own = item.params.length > 0;
      const included = own
        ? this.#entry(target.uri, `${family}${uri}#${item.span.start}\n`, new Params())
        : this.#entry(target.uri, family, params);
      targets.set(item, included);
      for (const { name, alias } of item.names) {
        const other = included.module.definitions.get(name.text);
        if (other !== undefined) module.definitions.set((alias ?? name).text, other);
      }
    }
    return entry;
  }

  #plugin(module: Module, { names }: IncludeNode, plugin: string): void {
    for (const { name, alias } of names) {
      // It is used as `Channel.fromSamplesheet(…)`.
      if (name.text === "fromSamplesheet") continue;
      const run = pluginFunction(plugin, name.text, this.#session);
      if (run === undefined)
        throw new ConfigProblem(
          wrong.refused(
            { source: module.script.source, span: name.span },
            `${name.text} of the plugin ${plugin}`,
          ),
        );
      module.definitions.set((alias ?? name).text, { kind: "native", run });
    }
  }

  #run(entry: Entry): { readonly used: boolean } {
    if (this.#ran.has(entry)) return { used: false };
    this.#ran.add(entry);
    const { module, targets } = entry;
    const { session } = module;
    const main = module.script === this.#parts.main.script;
    let used = false;
    let waiting: Item[] = [];
    const flush = () => {
      const statements = scriptStatements(waiting);
      waiting = [];
      if (statements.length === 0) return;
      // Scripts that are included set only parameters that nothing has set.
      session.params.keepsAll = !main;
      this.#statements(module, statements);
      session.params.keepsAll = false;
      used ||= statements.some((each) => each.kind === "expression" && each.expression.kind === "call");
    };
    for (const item of module.script.items) {
      const target = item.kind === "include" ? targets.get(item) : undefined;
      if (item.kind !== "include" || target === undefined) {
        waiting.push(item);
        continue;
      }
      flush();
      if (item.params.length > 0) this.#giveParameters(module, item, target.module.params);
      this.#run(target);
    }
    flush();
    return { used };
  }

  /** `addParams(x: 1)` adds to the parameters of the script that includes, `params(x: 1)` replaces them. */
  #giveParameters(owner: Module, item: IncludeNode, into: Params): void {
    if (item.addsParams) into.give(new GroovyMap(owner.params.entries()));
    for (const each of argumentMaps(item.params)) {
      const value = owner.closure([{ kind: "expression", span: each.span, expression: each }]).call([]);
      if (value instanceof GroovyMap) into.give(value);
    }
  }

  /** Channels may be used at the top of a script as in a workflow. */
  #statements(module: Module, statements: readonly Statement[]): void {
    const { network } = this.#session;
    const scope = new WorkflowScope(module, "", start);
    network.assign = (name, value) => module.unit.globals.assign(name, value);
    const delegate = {
      lookup: (name: string) => scope.lookup(name),
      assign: (name: string, value: Value) => module.unit.globals.assign(name, value),
      method: (name: string, given: readonly Value[]) => scope.method(name, given),
    };
    module.closure(statements).bound(delegate, "owner first").call([]);
  }
}

/** Named arguments as one map, others as they are. */
function argumentMaps(given: readonly Argument[]): readonly Expression[] {
  const entries = given.flatMap(({ name, value }) =>
    name === undefined
      ? []
      : [{ key: { kind: "string" as const, span: name.span, value: name.text }, value }],
  );
  const others = given.flatMap(({ name, value }) => (name === undefined ? [value] : []));
  const [first] = entries;
  if (first === undefined) return others;
  return [...others, { kind: "map", span: first.key.span, entries }];
}
