/** Makes tasks of one process: binds inputs, renders scripts, calls the host, and makes tuples of what comes back. */
import type { CallOutcome, Outputs } from "../../../task/index.ts";
import type { Rank } from "../channels/rank.ts";
import { several } from "../config/process-settings.ts";
import { contentOf } from "../stdlib/content.ts";
import type { ClassNode, Expression, ProcessNode, Statement } from "../syntax/ast.ts";
import { parseScript } from "../syntax/script.ts";
import { buildCall } from "../task/build-call.ts";
import { collectorOf } from "../task/collect.ts";
import type { Directives } from "../task/directives.ts";
import { needsImages } from "../task/executor-names.ts";
import { fileValue } from "../task/file-value.ts";
import type { InputSpec, PathInput, TypedInput } from "../task/input-spec.ts";
import { namedFiles } from "../task/named-files.ts";
import { type PlannedOutput, parseArity, planOutputs } from "../task/output-plan.ts";
import type { OutputSpec } from "../task/output-spec.ts";
import { shellText } from "../task/script-text.ts";
import { checkCollisions, stagedFiles } from "../task/staging-names.ts";
import { canBeStored, storedOutputs } from "../task/stored.ts";
import type { TaskContext } from "../task/task-context.ts";
import { checkNull, checkRecord, filesOfType, withStaged } from "../task/typed-inputs.ts";
import type { Closure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { Duration } from "../values/duration.ts";
import { FileList } from "../values/file-list.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { cleaned, Path, schemeOf } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail, ScriptFailure } from "../values/throwable.ts";
import { runExecTask } from "./exec-task.ts";
import type { Arrival } from "./input-queue.ts";
import type { Module } from "./module.ts";
import { TaskEmissions } from "./task-emissions.ts";
import { filesAmong, isThere, runsUnseen } from "./undeclared-files.ts";

export interface TaskMakerOptions {
  readonly node: ProcessNode;
  readonly module: Module;
  readonly names: { readonly alias: string; readonly qualified: string };
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly OutputSpec[];
  readonly directives: Directives;
}

export interface PreparedTask {
  readonly context: TaskContext;
  /** As people see it: `ALIGN (sample1)`. */
  readonly name: string;
  readonly staged: readonly Path[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** What goes in, for the path of its call. */
  readonly given: readonly Value[];
  readonly rank: Rank;
}

/** What the inputs of one task come to. */
interface Bound {
  readonly staged: Path[];
  readonly env: Map<string, string>;
  stdin: string | undefined;
  readonly typed: { readonly spec: TypedInput; readonly value: Value }[];
}

export class TaskMaker {
  readonly #options: TaskMakerOptions;
  readonly #closures = new Map<object, Closure>();

  readonly #emissions: TaskEmissions;

  constructor(options: TaskMakerOptions) {
    this.#options = options;
    this.#emissions = new TaskEmissions(options.module, (node, context) => this.#evaluate(node, context));
  }

  get #module(): Module {
    return this.#options.module;
  }

  /** Of an output: a name that nothing has is the name of a file, as in old scripts. */
  #pattern(node: Expression, context: TaskContext): Value {
    const unknown =
      node.kind === "name" &&
      !context.variables.has(node.name) &&
      this.#module.unit.globals.lookup(node.name) === undefined;
    return unknown ? node.name : this.#evaluate(node, context);
  }

  #evaluate(node: Expression, context: TaskContext): Value {
    return this.#run(node, [{ kind: "expression", span: node.span, expression: node }], context);
  }

  #run(id: object, statements: readonly Statement[], context: TaskContext): Value {
    let closure = this.#closures.get(id);
    if (closure === undefined) {
      closure = this.#module.closure(statements);
      this.#closures.set(id, closure);
    }
    return closure.bound(context, "delegate first").call([]);
  }

  wanted(context: TaskContext): boolean {
    const { when } = this.#options.node;
    const own = when === undefined ? true : truthOf(this.#evaluate(when, context));
    const directive = context.task.get("when") ?? null;
    return own && (directive === null || truthOf(directive));
  }

  // --- inputs

  prepare(context: TaskContext, arrival: Arrival, singleton: boolean): PreparedTask {
    const bound = {
      staged: [] as Path[],
      env: new Map<string, string>(),
      stdin: undefined as string | undefined,
      typed: [] as { spec: TypedInput; value: Value }[],
    };
    const { inputs, names } = this.#options;
    // Names of files may depend on values that come later.
    const files: (() => void)[] = [];
    for (const [index, spec] of inputs.entries())
      this.#bind(spec, arrival.values[index] ?? null, context, bound, files);
    for (const each of files) each();
    this.#stageTyped(context, bound);
    checkCollisions(bound.staged);
    const tag = tagOf(context);
    const index = context.task.facts.index;
    const suffix = tag !== null ? ` (${textOf(tag)})` : singleton ? "" : ` (${index})`;
    const name = names.qualified + suffix;
    context.task.name = name;
    const config = this.#module.session.config.at("env");
    const env: Record<string, string> = {};
    if (config instanceof GroovyMap)
      for (const [key, value] of config.entries()) env[String(key)] = textOf(value);
    for (const [key, value] of bound.env) env[key] = value;
    return {
      context,
      name,
      staged: bound.staged,
      env,
      stdin: bound.stdin,
      given: arrival.values,
      rank: arrival.rank,
    };
  }

  #bind(spec: InputSpec, value: Value, context: TaskContext, bound: Bound, files: (() => void)[]): void {
    switch (spec.kind) {
      case "typed":
        checkNull(value, spec, this.#options.names.qualified);
        checkRecord(value, spec, this.#recordOf);
        context.variables.set(spec.name, value);
        bound.typed.push({ spec, value });
        return;
      case "record":
        if (!(value instanceof GroovyMap))
          fail(
            "ProcessUnrecoverableException",
            `The process \`${this.#options.names.qualified}\` declares a record as input and was given ${textOf(value)}`,
          );
        for (const each of spec.items) this.#bind(each, value.at(each.name) ?? null, context, bound, files);
        return;
      case "val":
        if (spec.name !== undefined) context.variables.set(spec.name, value);
        return;
      case "env":
        bound.env.set(textOf(this.#evaluate(spec.name, context)), textOf(value));
        return;
      case "stdin":
        bound.stdin = value instanceof Path ? contentOf(value) : textOf(value);
        return;
      case "each":
        this.#bind(spec.item, value, context, bound, files);
        return;
      case "tuple": {
        const items = isList(value) ? value : [value];
        if (items.length !== spec.items.length)
          this.#module.session.outside.log(
            "warn",
            `Input tuple of process \`${this.#options.names.qualified}\` has ${items.length} element(s), and ${spec.items.length} are declared`,
          );
        for (const [index, each] of spec.items.entries())
          this.#bind(each, items[index] ?? null, context, bound, files);
        return;
      }
      case "path":
        if (spec.name !== undefined) context.variables.set(spec.name, value);
        files.push(() => this.#stage(spec, value, context, bound.staged));
    }
  }

  readonly #recordOf = (name: string): ClassNode | undefined => this.#module.classNode(name);

  /** `stage:` first, then the files that types name. */
  #stageTyped(context: TaskContext, bound: Bound): void {
    if (bound.typed.length === 0) return;
    const known = new Map<string, Path>();
    const stage = (value: Value, pattern: string | undefined) => {
      if (value === null) return;
      const paths = this.#pathsOf(value, { old: false }).filter((each) => !known.has(each.absolute));
      for (const each of stagedFiles(paths, pattern).staged) {
        known.set(each.absolute, each);
        bound.staged.push(each);
      }
    };
    for (const each of this.#options.node.stages) this.#stageDirective(each, context, bound, stage);
    for (const { spec, value } of bound.typed)
      for (const files of filesOfType(value, spec.type, this.#recordOf)) stage([...files], undefined);
    for (const { spec, value } of bound.typed) context.variables.set(spec.name, withStaged(value, known));
  }

  #stageDirective(
    node: Statement,
    context: TaskContext,
    bound: Bound,
    stage: (value: Value, pattern: string | undefined) => void,
  ): void {
    const call = node.kind === "expression" && node.expression.kind === "call" ? node.expression : undefined;
    const name = call?.callee.kind === "name" ? call.callee.name : "";
    const given = (call?.arguments ?? []).map(({ value }) => this.#evaluate(value, context));
    const [first = null, second = null] = given;
    if (name === "env" && given.length === 2) bound.env.set(textOf(first), textOf(second));
    else if (name === "stdin" && given.length === 1)
      bound.stdin = first instanceof Path ? contentOf(first) : textOf(first);
    else if (name === "stageAs" && given.length === 2) {
      // 25.10 had the pattern first.
      const [value, pattern] = typeof first === "string" ? [second, first] : [first, textOf(second)];
      stage(value, pattern);
    } else fail("IllegalArgumentException", "this is not a directive of `stage:`: env, stdin or stageAs");
  }

  #stage(spec: PathInput, value: Value, context: TaskContext, staged: Path[]): void {
    const pattern = spec.stageAs === undefined ? undefined : textOf(this.#evaluate(spec.stageAs, context));
    const paths = this.#pathsOf(value, spec);
    const result = stagedFiles(paths, pattern);
    const arity =
      spec.arity === undefined ? undefined : parseArity(textOf(this.#evaluate(spec.arity, context)));
    if (arity !== undefined && (paths.length < arity.least || paths.length > arity.most))
      fail(
        "ProcessUnrecoverableException",
        `Incorrect number of input files for process \`${this.#options.names.qualified}\` -- expected ${arity.least}..${arity.most}, found ${paths.length}`,
      );
    staged.push(...result.staged);
    if (spec.name === undefined) return;
    let shown = result.value;
    if (arity !== undefined && arity.most !== 1 && !isList(shown)) {
      const list = new FileList();
      list.push(shown);
      shown = list;
    }
    context.variables.set(spec.name, shown);
  }

  #pathsOf(value: Value, spec: Pick<PathInput, "old">): Path[] {
    if (value === null) return fail("ProcessUnrecoverableException", "Path value cannot be null");
    if (isList(value)) return value.flatMap((each) => this.#pathsOf(each, spec));
    if (value instanceof GroovySet) return value.items().flatMap((each) => this.#pathsOf(each, spec));
    if (value instanceof Path) {
      const { files } = this.#module.session.outside;
      return [
        value.isRemote || value.location.startsWith("/")
          ? value
          : new Path(value.absolute, files, undefined, value.source),
      ];
    }
    const text = textOf(value);
    if (typeof value === "string" && (text.startsWith("/") || schemeOf(text) !== undefined))
      return [new Path(text.replace(/^file:\/\//, ""), this.#module.session.outside.files)];
    if (spec.old) {
      const { outside } = this.#module.session;
      const target = `${outside.newFolder()}/input.1`;
      outside.files.write(target, text, "replace");
      return [new Path(target, outside.files)];
    }
    return fail("ProcessUnrecoverableException", `Not a valid path value: '${text}'`);
  }

  // --- scripts

  #script(context: TaskContext): string {
    const { node } = this.#options;
    const { session } = this.#module;
    const stub = session.stub ? node.stub : undefined;
    const statements = stub ?? node.script?.statements;
    if (statements === undefined)
      return fail(
        "ProcessUnrecoverableException",
        `the process ${this.#options.names.qualified} has no script`,
      );
    const value = this.#run(statements, statements, context);
    if (value === null)
      return fail(
        "ProcessUnrecoverableException",
        `the script of the process ${this.#options.names.qualified} is empty`,
      );
    const text = textOf(value);
    return stub === undefined && node.script?.kind === "shell"
      ? shellText(text, (each) => this.#embedded(each, context))
      : text;
  }

  /** An expression in a text that is read during the run. */
  #embedded(text: string, context: TaskContext): string {
    const { script, diagnostics } = parseScript({ name: "template", text });
    const [item] = script.items;
    if (diagnostics.length > 0 || item?.kind !== "expression")
      return fail("IllegalArgumentException", `\`${text}\` in a template cannot be read`);
    return textOf(this.#module.closure([item]).bound(context, "delegate first").call([]));
  }

  /** `template 'x.sh'`: a file in `templates/` of the module or the project. */
  template(name: string, context: TaskContext): string {
    const { session, folder } = this.#module;
    const places = name.startsWith("/")
      ? [name]
      : [`${folder}/templates/${name}`, `${session.projectDir}/templates/${name}`];
    const { files } = session.outside;
    const found = places.map((each) => cleaned(each)).find((each) => files.stat(each)?.kind === "file");
    if (found === undefined)
      return fail("ProcessUnrecoverableException", `the template ${name} is not there`);
    const text = Buffer.from(files.readBytes(found)).toString("utf8");
    if (this.#options.node.script?.kind === "shell") return text;
    const { script, diagnostics } = parseScript({
      name: found,
      // A quotation mark at the end would close the string too early.
      text: `"""${text.replaceAll('"""', '\\"\\"\\"').replace(/(?<!\\)"$/, '\\"')}"""`,
    });
    const [item] = script.items;
    if (diagnostics.length > 0 || item?.kind !== "expression")
      return fail(
        "IllegalArgumentException",
        `the template ${name} cannot be read: ${diagnostics[0]?.message ?? ""}`,
      );
    return textOf(this.#module.closure([item]).bound(context, "delegate first").call([]));
  }

  // --- calls

  async run(task: PreparedTask, attempt: number): Promise<CallOutcome> {
    const { node, names, outputs } = this.#options;
    const { session } = this.#module;
    const { context } = task;
    const stubbed = session.stub && node.stub !== undefined;
    if (node.script?.kind === "exec" && !stubbed) return this.#execute(task, attempt);
    const script = this.#script(context);
    const planned = planOutputs(outputs, (each) => this.#pattern(each, context));
    this.#planned.set(task, planned);
    const executor = session.executorOf(context.task.get("executor") ?? null);
    const container = session.containers.taskContainer(
      context.task.get("container") ?? null,
      context.task.get("containerOptions") ?? null,
      { always: session.host.needsImages === true || needsImages(executor) },
    );
    const conda = container === undefined ? (context.task.get("conda") ?? null) : null;
    const software = conda === null ? undefined : await session.conda.softwareFor(conda);
    // After waiting the limit on time has to begin again: directives are code of the script.
    const call = session.limit(() =>
      buildCall({
        software,
        executor,
        clusterOptions: this.#options.directives.all("clusterOptions", context),
        schedulerOptions: this.#module.session.schedulerOptions,
        process: node.name.text,
        script,
        task: context.task,
        isStub: stubbed,
        staged: task.staged,
        planned,
        env: task.env,
        stdin: task.stdin,
        modules: this.#options.directives.all("module", context),
        secrets: session.secrets.variables(
          // An empty name is none: `secret secrets.X ? 'X' : ''`.
          this.#options.directives
            .all("secret", context)
            .flatMap((each) => several(each).map(textOf))
            .filter((name) => name !== ""),
        ),
        shownSecret: (texts) => session.secrets.in(texts),
        named: (texts) =>
          namedFiles({
            texts,
            pipeline: [...new Set([session.projectDir, this.#module.folder])],
            launchDir: session.outside.files.launchDir,
            outputDir: session.outputDir,
            given: filesAmong([...task.given, session.params], session.outside.files),
            seesMachine: container === undefined,
            files: session.outside.files,
          }),
        bin: (texts) => this.#bin(texts, task.staged),
        container,
        resumes: session.resumes,
        rules: session.rules,
        home: session.outside.env("HOME"),
      }),
    );
    const files = task.staged.flatMap((each) => (isThere(each) ? [fileValue(each)] : []));
    const texts = call.literalFiles.map(({ content }) => content);
    const own = await session.host.pathOf(names.qualified, [texts, ...files], session.ask);
    const path = attempt === 1 ? own : `${own}.attempt${attempt}`;
    const collect = collectorOf({
      process: task.name,
      planned,
      staged: new Set(task.staged.map((each) => each.staged ?? "")),
    });
    const { debug, options } = await session.network.perform(() => {
      this.#named(task, { call: path, attempt });
      const store = this.storeOf(task);
      return {
        debug: truthOf(context.task.get("debug") ?? false),
        options: store === undefined ? {} : { stored: async () => store.look() },
      };
    });
    return session.host.call({ ...call, path }, debug ? withStdout(collect) : collect, session.ask, options);
  }

  /** Says what people call it, and what it asks for. */
  #named(
    task: PreparedTask,
    about: { readonly call: string; readonly attempt: number; readonly own?: true },
  ): void {
    const tag = tagOf(task.context);
    const facts: Record<string, string | number> = {};
    for (const name of ["cpus", "memory", "disk", "time", "queue", "container", "module", "scratch"]) {
      const value = factOf(task.context, name);
      if (value instanceof MemoryUnit) facts[name] = value.bytes;
      else if (value instanceof Duration) facts[name] = value.ms;
      else if (typeof value === "number") facts[name] = value;
      else if (value !== null && truthOf(value)) facts[name] = textOf(value);
    }
    this.#module.session.host.emit({
      kind: "call.named",
      ...about,
      title: task.name,
      process: this.#options.names.qualified,
      ...(tag !== null && { tag: textOf(tag) }),
      facts,
    });
  }

  /** Where its results are kept by `storeDir`, and what is there of them. */
  storeOf(
    task: PreparedTask,
  ): { readonly folder: string; readonly look: () => Outputs | undefined } | undefined {
    const value = task.context.task.get("storeDir") ?? null;
    const planned = this.#planned.get(task) ?? [];
    if (!truthOf(value) || !canBeStored(planned)) return undefined;
    const { files } = this.#module.session.outside;
    const folder = new Path(value instanceof Path ? value.location : textOf(value), files).absolute;
    return { folder, look: () => storedOutputs(folder, planned, files) };
  }

  readonly #planned = new WeakMap<PreparedTask, readonly PlannedOutput[]>();

  /**
   * Programs of the project and of the module are there where a text names one of them, or where what it runs cannot be
   * seen in it: not always, since tasks with equal inputs are shared between pipelines whose programs differ.
   */
  #bin(texts: readonly string[], staged: readonly Path[]): readonly Path[] {
    const { session, folder } = this.#module;
    const { files } = session.outside;
    const text = texts.join("\n");
    const words = new Set(text.split(/[\s()[\]{};&|<>`"'$=]+/));
    const isHidden = runsUnseen(text, staged);
    return [`${session.projectDir}/bin`, `${folder}/resources/usr/bin`]
      .filter((each) => {
        if (files.stat(each)?.kind !== "directory") return false;
        const names = files.list(each);
        return isHidden ? names.length > 0 : names.some((name) => words.has(name));
      })
      .map((each) => new Path(each, files));
  }

  /** `exec:` runs here. */
  #execute(task: PreparedTask, attempt: number): Promise<CallOutcome> {
    const { node, outputs, names } = this.#options;
    return runExecTask({
      node,
      module: this.#module,
      context: task.context,
      name: task.name,
      qualified: names.qualified,
      attempt,
      run: () => this.#run(node.script ?? node, node.script?.statements ?? [], task.context),
      plan: () => {
        const planned = planOutputs(outputs, (each) => this.#pattern(each, task.context));
        this.#planned.set(task, planned);
        return planned;
      },
      named: (call) => this.#named(task, { call, attempt, own: true }),
      pathOf: (value) => this.#emissions.pathsOf(value)[0],
    });
  }

  // --- outputs

  /** One value for each output; undefined: nothing is sent to it. */
  emissions(task: PreparedTask, outputs: Outputs): readonly (Value | undefined)[] {
    return this.#emissions.of(this.#planned.get(task) ?? [], task.context, outputs);
  }
}

/** A tag may name what only the script sets: the task is called by its number then. */
function tagOf(context: TaskContext): Value {
  try {
    return context.task.get("tag") ?? null;
  } catch (error) {
    if (error instanceof ScriptFailure && error.thrown.isA("MissingPropertyException")) return null;
    throw error;
  }
}

/** What cannot be known yet is not reported. */
function factOf(context: TaskContext, name: string): Value {
  try {
    return context.task.get(name) ?? null;
  } catch (error) {
    if (error instanceof ScriptFailure) return null;
    throw error;
  }
}

function withStdout(collect: ReturnType<typeof collectorOf>): ReturnType<typeof collectorOf> {
  return async (finished, ask) => {
    const found = await collect(finished, ask);
    if (found.kind === "missing") return found;
    return {
      ...found,
      outputs: { ...found.outputs, stdout: await finished.files.readText("/mnt/memoir/stdout") },
    };
  };
}
