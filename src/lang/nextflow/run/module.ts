/** One script while it runs: its names, its functions, and what it includes. */
import type { Span } from "../../../kernel/index.ts";
import { ChannelFactory } from "../channels/factories.ts";
import { switchesIn } from "../check/features.ts";
import { ClassValue } from "../eval/class-value.ts";
import { prototypeOf, ScriptClosure } from "../eval/script-closure.ts";
import { compilers } from "../eval/statement.ts";
import { type Globals, Limits, type Unit } from "../eval/unit.ts";
import { pluginFactory } from "../plugins/registry.ts";
import { construct } from "../stdlib/constructors.ts";
import { classNames } from "../stdlib/statics.ts";
import type { ClassNode, ProcessNode, Script, Statement, WorkflowNode } from "../syntax/ast.ts";
import { GroovyMap } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { Thing, Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { scriptFunctions } from "./functions.ts";
import { classOf, PackageValue } from "./package-value.ts";
import type { Params } from "./params.ts";
import type { Session } from "./session.ts";
import { TemplateEngine } from "./template-engine.ts";
import { UserClass } from "./user-class.ts";

/** What a script defines under a name, and what an include brings. */
export type Definition =
  | { readonly kind: "process"; readonly node: ProcessNode; readonly module: Module }
  | { readonly kind: "workflow"; readonly node: WorkflowNode; readonly module: Module }
  | { readonly kind: "function"; readonly closure: ScriptClosure; readonly module: Module }
  | { readonly kind: "native"; readonly run: (given: readonly Value[]) => Value };

/** `this`: the script, whose functions are its methods. */
class ScriptObject extends Unique {
  readonly type = "Script";
  readonly #call: (name: string, given: readonly Value[]) => Value | undefined;

  constructor(call: (name: string, given: readonly Value[]) => Value | undefined) {
    super();
    this.#call = call;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    return this.#call(name, given);
  }
}

/** How a variable of a script is named among what the key of an `exec:` task holds. */
export function variableOf(module: Module, name: string): string {
  return `${module.script.source.name} ${name}`;
}

export class Module {
  readonly script: Script;
  readonly session: Session;
  readonly unit: Unit;
  /** Its own and included ones, by the name that they have here. */
  readonly definitions = new Map<string, Definition>();
  readonly classes = new Map<string, UserClass>();
  readonly #variables = new Map<string, Value>();
  readonly #folder: string;

  /** `params` of the script: those of the run, unless it is included with its own. */
  readonly params: Params;

  constructor(script: Script, folder: string, session: Session, params = session.params) {
    this.script = script;
    this.session = session;
    this.params = params;
    this.#folder = folder;
    this.unit = { source: script.source, globals: this.#globals(), limits: new Limits(), compilers };
    for (const item of script.items) {
      switch (item.kind) {
        case "process":
          this.definitions.set(item.name.text, { kind: "process", node: item, module: this });
          break;
        case "workflow":
          if (item.name !== undefined)
            this.definitions.set(item.name.text, { kind: "workflow", node: item, module: this });
          break;
        case "function":
          this.definitions.set(item.name.text, {
            kind: "function",
            closure: new ScriptClosure(prototypeOf(this.unit, undefined, item, item.name.text), undefined),
            module: this,
          });
          break;
        case "class":
          this.classes.set(
            item.name.text,
            new UserClass(item, this.unit, (name) => this.classes.get(name) ?? session.libraryClass(name)),
          );
          break;
      }
    }
  }

  /** Its processes declare inputs and outputs with types. */
  get typed(): boolean {
    return switchesIn(this.script).some(
      (each) => each === "nextflow.enable.types" || each === "nextflow.preview.types",
    );
  }

  /** How a class of the script, or of `lib/`, is defined. */
  classNode(name: string): ClassNode | undefined {
    return (this.classes.get(name) ?? this.session.libraryClass(name))?.node;
  }

  /** Set by a statement of the script. */
  hasVariable(name: string): boolean {
    return this.#variables.has(name);
  }

  /** As `hasVariable`. */
  variable(name: string): Value | undefined {
    return this.#variables.get(name);
  }

  /** Its own text between two places. */
  textOf({ start, end }: Span): string {
    return this.script.source.text.slice(start, end);
  }

  get folder(): string {
    return this.#folder;
  }

  /** Statements of the script as a closure without parameters. */
  closure(statements: readonly Statement[]): ScriptClosure {
    return new ScriptClosure(
      prototypeOf(this.unit, undefined, { parameters: [], body: statements }, ""),
      undefined,
    );
  }

  #globals(): Globals {
    return {
      lookup: (name) => this.#lookup(name),
      assign: (name, value) => {
        this.#variables.set(name, value);
        return true;
      },
      method: (name, given) => this.#call(name, given),
      create: (type, given) => this.#create(type, given),
      convert: (value, type) => this.#convert(value, type),
    };
  }

  #lookup(name: string): Value | undefined {
    const found = this.#find(name);
    if (found !== undefined) this.#noteRead(name);
    return found;
  }

  /** Code of `exec:` reaches everything outside it through here. */
  #noteRead(name: string): void {
    const { reads } = this.session;
    if (reads === undefined || name === "log") return;
    const defined = this.definitions.get(name);
    if (this.#variables.has(name)) reads.held(variableOf(this, name), `the variable ${name}`);
    else if (name === "params") reads.held(this.params, "parameters that it does not name");
    else if (defined?.kind === "function") reads.held(defined, `the function ${name}`);
    else if (!classNames.has(name) || name === "UUID") reads.note(`its code uses ${name}`);
  }

  #find(name: string): Value | undefined {
    const own = this.#variables.get(name);
    if (own !== undefined) return own;
    const { session } = this;
    switch (name) {
      case "params":
        return this.params;
      case "channel":
      case "Channel":
        return new ChannelFactory(session.network, (factory) => pluginFactory(factory, session));
      case "workflow":
        return session.workflow;
      case "nextflow":
        return session.nextflow;
      case "log":
        return session.log;
      case "projectDir":
      case "baseDir":
        return this.#path(session.projectDir);
      case "launchDir":
        return this.#path(session.outside.files.launchDir);
      case "workDir":
        return this.#path(session.workDir);
      case "moduleDir":
        return this.#path(this.#folder);
      case "secrets":
        return session.secrets;
      case "stdin":
        return session.standardInput();
      case "args":
        return [...session.arguments];
      case "System":
        return classOf("System", (method, given) => session.system(method, given));
      case "Files":
      case "Paths":
        return classOf(name, (method, given) => session.fileClass(method, given));
      case "java":
      case "groovy":
      case "org":
        return new PackageValue(name);
    }
    const defined = this.definitions.get(name);
    if (defined?.kind === "function") return defined.closure;
    const userClass = this.classes.get(name) ?? session.libraryClass(name);
    if (userClass !== undefined) return userClass.value;
    const imported = this.script.imports.get(name);
    if (imported !== undefined || classNames.has(name)) return classOf(imported ?? name);
    if (/^[A-Z]\w*(?:Exception|Error)$/.test(name)) return new ClassValue(name);
    if (name === "this") return new ScriptObject((method, given) => this.#call(method, given));
    // Old scripts name environment variables as they are.
    return session.rules.bareEnvironment ? session.outside.env(name) : undefined;
  }

  #path(location: string): Path {
    return new Path(location, this.session.outside.files);
  }

  #call(name: string, given: readonly Value[]): Value | undefined {
    const defined = this.definitions.get(name);
    const { reads } = this.session;
    if (defined?.kind === "function") {
      reads?.held(defined, `the function ${name}`);
      return defined.closure.call(given);
    }
    if (defined?.kind === "native") {
      reads?.note(`its code uses the function ${name} of a plugin`);
      return defined.run(given);
    }
    if (defined !== undefined)
      return fail("MissingMethodException", `the ${defined.kind} ${name} can only be called in a workflow`);
    const builtIn = Object.hasOwn(scriptFunctions, name) ? scriptFunctions[name] : undefined;
    return builtIn === undefined ? this.#imported(name, given) : builtIn(given, this.session.outside);
  }

  /** `import static java.lang.Math.max` */
  #imported(name: string, given: readonly Value[]): Value | undefined {
    const path = this.script.imports.get(name)?.split(".");
    const method = path?.pop();
    const type = path?.at(-1);
    if (path === undefined || method === undefined || type === undefined || !/^[A-Z]/.test(type))
      return undefined;
    const own = this.classes.get(type) ?? this.session.libraryClass(type);
    this.session.reads?.note(`its code uses ${name} of ${type}`);
    return own === undefined ? classOf(path.join(".")).invoke(method, given) : own.static(method, given);
  }

  #create(type: string, given: readonly Value[]): Value {
    const simple = type.split(".").at(-1) ?? type;
    const own = this.classes.get(simple) ?? this.session.libraryClass(simple);
    if (own !== undefined) {
      this.session.reads?.note(`its code uses the class ${simple}`);
      return own.create(given);
    }
    if (simple === "SimpleTemplateEngine" || simple === "GStringTemplateEngine")
      return new TemplateEngine((statements) => this.closure(statements));
    return (
      construct(type, given, this.session.outside) ??
      fail("MissingMethodException", `the class ${type} is not supported`)
    );
  }

  #convert(value: Value, type: string): Value | undefined {
    const simple = type.split(".").at(-1) ?? type;
    if (simple === "Path" || simple === "File")
      return value === null || value instanceof Path
        ? value
        : new Path(textOf(value), this.session.outside.files);
    const own = this.classes.get(simple);
    if (own?.node.what === "record" && value instanceof GroovyMap)
      return new GroovyMap(value.entries(), simple);
    if (own?.node.what === "enum") return own.value.invoke("valueOf", [value]);
    if (simple === "Record" && value instanceof Thing) return value;
    return undefined;
  }
}
