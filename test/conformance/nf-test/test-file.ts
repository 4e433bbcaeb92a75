/**
 * Reads `….nf.test` files with the parser and evaluator of the front end: what a test gives to a process or workflow,
 * and a closure that looks at what came out.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { renderDiagnostic } from "../../../src/kernel/index.ts";
import { prototypeOf, ScriptClosure } from "../../../src/lang/nextflow/eval/script-closure.ts";
import { compilers } from "../../../src/lang/nextflow/eval/statement.ts";
import { type Globals, Limits, type Unit } from "../../../src/lang/nextflow/eval/unit.ts";
import { classOf, PackageValue } from "../../../src/lang/nextflow/run/package-value.ts";
import { classNames } from "../../../src/lang/nextflow/stdlib/statics.ts";
import type { Statement } from "../../../src/lang/nextflow/syntax/ast.ts";
import { parseScript } from "../../../src/lang/nextflow/syntax/script.ts";
import { Closure, type Delegate } from "../../../src/lang/nextflow/values/closure.ts";
import { GroovyMap } from "../../../src/lang/nextflow/values/map.ts";
import { textOf } from "../../../src/lang/nextflow/values/text.ts";
import type { Value } from "../../../src/lang/nextflow/values/thing.ts";

/** A process or workflow that runs before the one that is tested. */
export interface Dependency {
  readonly name: string;
  readonly alias: string;
  readonly script: string;
  /** Statements that set `input`, with the folders of the test that runs. */
  mapping(): string;
}

export interface NfTest {
  readonly name: string;
  /** Words of the command line: `-stub`. */
  readonly options: string;
  /** Absolute, later ones win. */
  readonly configs: readonly string[];
  readonly setup: readonly Dependency[];
  readonly params: GroovyMap;
  /** As in a dependency. */
  mapping(): string;
  readonly check: Closure | undefined;
}

export interface NfTestFile {
  readonly path: string;
  readonly kind: "process" | "workflow" | "pipeline" | "function";
  /** Of the process or workflow. */
  readonly subject: string;
  /** Absolute. */
  readonly script: string;
  readonly tests: readonly NfTest[];
}

/** Names that code of the file may use: what a test looks at, helpers, folders. */
export interface TestNames extends Pick<Delegate, "lookup" | "method"> {
  create(type: string, given: readonly Value[]): Value;
}

interface Open {
  readonly what: "file" | "run" | "test";
  readonly configs: string[];
  readonly setup: Dependency[];
  readonly params: GroovyMap;
  options: string;
  script: string;
  subject: string;
  alias: string;
  mapping: Closure | undefined;
  check: Closure | undefined;
}

function opened(what: Open["what"]): Open {
  return {
    what,
    configs: [],
    setup: [],
    params: new GroovyMap(),
    options: "",
    script: "",
    subject: "",
    alias: "",
    mapping: undefined,
    check: undefined,
  };
}

/**
 * `root`: of the repository, from which paths start that do not begin with a dot.
 * @throws Error for text that is not read, and ScriptFailure for code that fails
 */
export function readTestFile(path: string, root: string, names: TestNames): NfTestFile {
  const { script, diagnostics } = parseScript({ name: path, text: readFileSync(path, "utf8") });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(renderDiagnostic).join("\n"));
  const reader = new TestFileReader(dirname(path), root, names);
  const variables = new Map<string, Value>();
  const globals: Globals = {
    lookup: (name) => {
      const own = variables.get(name);
      if (own !== undefined) return own;
      const found = names.lookup(name);
      if (found !== undefined) return found;
      if (name === "java" || name === "groovy") return new PackageValue(name);
      const imported = script.imports.get(name);
      return imported !== undefined || classNames.has(name) ? classOf(imported ?? name) : undefined;
    },
    assign: (name, value) => {
      variables.set(name, value);
      return true;
    },
    method: (name, given) => {
      // null is an answer.
      const answer = reader.method(name, given);
      return answer === undefined ? names.method(name, given) : answer;
    },
    create: (type, given) => names.create(type, given),
    convert: () => undefined,
  };
  const unit: Unit = { source: script.source, limits: new Limits(), compilers, globals };
  const functions = script.items.filter(({ kind }) => kind === "function");
  for (const each of functions)
    if (each.kind === "function")
      variables.set(
        each.name.text,
        new ScriptClosure(prototypeOf(unit, undefined, each, each.name.text), undefined),
      );
  const body = script.items.filter((each) => !functions.includes(each)) as readonly Statement[];
  new ScriptClosure(prototypeOf(unit, undefined, { parameters: [], body }, ""), undefined).call([]);
  return { path, ...reader.file() };
}

/** The words of a test file, as it calls them one within the other. */
class TestFileReader {
  readonly #folder: string;
  readonly #root: string;
  readonly #names: TestNames;
  readonly #tests: NfTest[] = [];
  readonly #file = opened("file");
  #kind: NfTestFile["kind"] = "process";
  #open: Open = this.#file;

  constructor(folder: string, root: string, names: TestNames) {
    this.#folder = folder;
    this.#root = root;
    this.#names = names;
  }

  file(): Omit<NfTestFile, "path"> {
    const { subject, script } = this.#file;
    return { kind: this.#kind, subject, script, tests: this.#tests };
  }

  method(name: string, given: readonly Value[]): Value | undefined {
    const last = given.at(-1);
    const block = last instanceof Closure ? last : undefined;
    const text = () => textOf(given.find((each) => typeof each === "string") ?? "");
    const open = this.#open;
    switch (name) {
      case "nextflow_process":
      case "nextflow_workflow":
      case "nextflow_pipeline":
      case "nextflow_function":
        this.#kind = name.slice("nextflow_".length) as NfTestFile["kind"];
        block?.call([]);
        return null;
      case "name":
      case "tag":
      case "profile":
      case "topics":
      case "autoSort":
      case "debug":
      case "cleanup":
      case "stage":
        return given.length === 0 ? undefined : null;
      case "options":
        open.options = text();
        return null;
      case "config":
        open.configs.push(this.#place(text()));
        return null;
      case "script":
        open.script = this.#place(text());
        return null;
      case "process":
      case "workflow":
      case "function":
      case "pipeline":
        if (block === undefined) open.subject = text();
        else open.mapping = block;
        return null;
      case "setup":
        // Of several in one place the last counts.
        open.setup.length = 0;
        block?.call([]);
        return null;
      case "when":
        block?.call([]);
        return null;
      case "params":
        block?.bound(paramsOf(open.params, this.#names), "delegate first").call([]);
        return null;
      case "then":
        open.check = block;
        return null;
      case "run":
        this.#run(given, block);
        return null;
      case "test":
        this.#test(text(), block);
        return null;
    }
    return undefined;
  }

  #place(path: string): string {
    return resolve(path.startsWith(".") ? this.#folder : this.#root, path);
  }

  #run(given: readonly Value[], block: Closure | undefined): void {
    const outer = this.#open;
    const run = opened("run");
    const named = given.find((each) => each instanceof GroovyMap);
    const name = textOf(given.find((each) => typeof each === "string") ?? "");
    this.#open = run;
    block?.call([]);
    this.#open = outer;
    outer.configs.push(...run.configs);
    outer.setup.push({
      name,
      alias: textOf((named instanceof GroovyMap ? named.at("alias") : undefined) ?? name),
      script: run.script === "" ? this.#file.script : run.script,
      mapping: () => textOf(run.mapping?.call([]) ?? ""),
    });
  }

  #test(name: string, block: Closure | undefined): void {
    const test = opened("test");
    for (const [key, value] of this.#file.params.entries()) test.params.put(key, value);
    this.#open = test;
    block?.call([]);
    this.#open = this.#file;
    this.#tests.push({
      name,
      options: `${this.#file.options} ${test.options}`.trim(),
      configs: [...this.#file.configs, ...test.configs],
      setup: [...this.#file.setup, ...test.setup],
      params: test.params,
      mapping: () => textOf(test.mapping?.call([]) ?? ""),
      check: test.check,
    });
  }
}

/** What a block `params { … }` sets; blocks within it are maps. */
function paramsOf(map: GroovyMap, names: TestNames): Delegate {
  return {
    // It is a map: what is not in it is null.
    lookup: (name) => map.at(name) ?? (name === "params" ? map : (names.lookup(name) ?? null)),
    assign: (name, value) => {
      map.put(name, value);
      return true;
    },
    method: (name, given) => {
      const [block] = given;
      if (given.length !== 1 || !(block instanceof Closure)) return names.method(name, given);
      const inner = map.at(name);
      const kept = inner instanceof GroovyMap ? inner : new GroovyMap();
      map.put(name, kept);
      block.bound(paramsOf(kept, names), "delegate first").call([]);
      return null;
    },
  };
}
