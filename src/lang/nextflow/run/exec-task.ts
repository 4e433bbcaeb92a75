/**
 * A task with `exec:`, whose code runs in Memoir itself. Its key holds the text of the process, the functions that it
 * calls, and the values of everything that these texts name; while the code runs, all else that it touches is noticed, and
 * its result is not recorded then. What it has set is recorded with its files.
 */
import type { TaskPath } from "../../../kernel/index.ts";
import type {
  CallOutcome,
  CanonicalJson,
  FileValue,
  Value as NeutralValue,
  Outputs,
  StagedInput,
  TaskCall,
} from "../../../task/index.ts";
import { taskInputs } from "../../../task/index.ts";
import type { OutputCollector } from "../../core/index.ts";
import type { ProcessNode } from "../syntax/ast.ts";
import { collectorOf, pathMember } from "../task/collect.ts";
import { fileValue } from "../task/file-value.ts";
import { keptValue, valueOfKept } from "../task/kept-values.ts";
import type { PlannedOutput } from "../task/output-plan.ts";
import { ExtMap, type TaskContext } from "../task/task-context.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { ScriptFailure } from "../values/throwable.ts";
import { ExecReads } from "./exec-reads.ts";
import { type Module, variableOf } from "./module.ts";

export interface ExecTaskParts {
  readonly node: ProcessNode;
  readonly module: Module;
  readonly context: TaskContext;
  /** `ALIGN (sample1)` */
  readonly name: string;
  readonly qualified: string;
  readonly attempt: number;
  readonly run: () => void;
  readonly plan: () => readonly PlannedOutput[];
  /** Says what people call it. */
  readonly named: (call: string) => void;
  readonly pathOf: (value: FileValue) => Path | undefined;
}

/** Name of the output that holds what the code has set. */
const variablesOutput = "variables";

/** Raised when equal code comes to mean something else. */
const frontEndVersion = "1";

interface ExecKey {
  readonly texts: readonly string[];
  readonly values: CanonicalJson;
  readonly files: readonly Path[];
  /** Values that tasks share: variables of scripts. */
  readonly shared: readonly Value[];
  readonly held: ReadonlySet<unknown>;
  /** Why it is not known what decides the result. */
  readonly unknown: string | undefined;
}

export async function runExecTask(parts: ExecTaskParts): Promise<CallOutcome> {
  const { module, context } = parts;
  const { session } = module;
  // The code sees files where they are.
  for (const [name, value] of context.variables) context.variables.set(name, unstagedDeep(value));
  const given = new Map(context.variables);
  const key = session.limit(() => keyOf(parts));
  const { cache, own } = session.limit(() => ({
    cache: context.task.get("cache") ?? null,
    own: [...key.texts, JSON.stringify(key.values)],
  }));
  const shown = session.secrets.in([...key.texts, ...textsIn(key.values)]);
  const never =
    cache === false || cache === "false"
      ? "the process says `cache false`"
      : shown !== undefined
        ? `it is given the value of the secret ${shown}, which is not kept`
        : key.unknown;
  const files = never === undefined ? key.files.map(fileValue) : [];
  const base = await session.host.pathOf(parts.qualified, [own, ...files], session.ask);
  const path = parts.attempt === 1 ? base : `${base}.attempt${parts.attempt}`;
  const inputs = files.map(
    (source, index): StagedInput => ({
      path: `${taskInputs}/${index + 1}/${source.basename}` as TaskPath,
      source,
    }),
  );
  const call: TaskCall = {
    name: parts.node.name.text,
    path,
    language: "nextflow",
    family: "nextflow exec",
    frontEndVersion,
    command: key.texts.join("\n\n"),
    shell: ["exec"],
    inputs,
    literalFiles: [],
    env: {},
    images: [],
    resources: { cpu: 1, memoryBytes: 0, gpu: 0 },
    maxRetries: 0,
    toleratedFailures: ["exit-code", "output-missing", "input-unavailable", "lost"],
    acceptedExit: { kind: "codes", codes: [0] },
    network: false,
    outputRules: [],
    ...(shown === undefined && { extraKey: { values: key.values } }),
    cachePolicy:
      never === undefined ? { kind: "reusable", withoutOutputs: true } : { kind: "never", reason: never },
    ...(cache === "lenient" && { identity: "lenient" as const }),
  };
  const outcome = await perform(parts, call, key, given);
  if (outcome.kind !== "reused") return outcome;
  const kept = outcome.outputs[variablesOutput];
  if (typeof kept === "string" && restore(parts, kept, outcome.outputs)) return outcome;
  // An equal task of this run has done it, and what it has set could not be kept.
  const alone = {
    ...call,
    path: `${path}.alone`,
    cachePolicy: { kind: "never" as const, reason: "its values cannot be kept" },
  };
  return perform(parts, alone, key, given);
}

async function perform(
  parts: ExecTaskParts,
  call: TaskCall,
  key: ExecKey,
  given: ReadonlyMap<string, Value>,
): Promise<CallOutcome> {
  const { module, context } = parts;
  const { session } = module;
  const { files } = session.outside;
  let thrown: { readonly error: unknown } | undefined;
  let ran:
    | {
        readonly doubt: string | undefined;
        readonly folder: string;
        readonly planned: readonly PlannedOutput[];
      }
    | undefined;
  const state = () => keptAll([...given.values(), ...key.shared], locationOf);
  const before = state();
  const work = async (folder: string): Promise<number> => {
    const reads = new ExecReads({
      folder,
      inputs: key.files.map((each) => each.absolute),
      held: key.held,
    });
    const giveBack = files.lend(folder);
    context.variables.clear();
    for (const [name, value] of given) context.variables.set(name, value);
    context.task.workDir = new Path(folder, files);
    try {
      const planned = await session.network.perform(() => {
        session.reads = reads;
        context.task.reads = reads;
        try {
          parts.run();
          return parts.plan();
        } finally {
          session.reads = undefined;
          context.task.reads = undefined;
        }
      });
      const doubt =
        reads.doubt ?? (state() === before ? undefined : "its code changes values that others share");
      ran = { doubt, folder, planned };
      return 0;
    } catch (error) {
      thrown = { error };
      return 1;
    } finally {
      giveBack();
    }
  };
  const collect: OutputCollector = async (finished, ask) => {
    if (ran === undefined) return { kind: "missing", message: "its code has not run" };
    const { doubt, planned, folder } = ran;
    const found = await collectorOf({ process: parts.name, planned, staged: new Set() })(finished, ask);
    if (found.kind === "missing") return found;
    const variables = keptVariables(context.variables, given, {
      outputs: found.outputs,
      folder,
      needed: namesRead(parts),
    });
    const why =
      doubt ??
      (variables === undefined ? "its code sets what cannot be kept" : undefined) ??
      (await namingFile(finished.files, found.outputs, folder));
    return {
      kind: "collected",
      outputs:
        variables === undefined || why !== undefined
          ? found.outputs
          : { ...found.outputs, [variablesOutput]: variables },
      ...(why !== undefined && { doubt: why }),
    };
  };
  parts.named(call.path);
  const outcome = await session.host.call(call, collect, session.ask, { work });
  if (outcome.kind !== "failed" || thrown === undefined) return outcome;
  const { error } = thrown;
  // An exception of the code is a failure of the task, for which errorStrategy decides; all else ends the run.
  if (!(error instanceof ScriptFailure)) throw error;
  const { exitCode: _, ...failure } = outcome.failure;
  return { kind: "failed", failure: { ...failure, message: error.message, cause: error } };
}

// --- keys

function keyOf({ node, module, context }: ExecTaskParts): ExecKey {
  const held = new Set<unknown>();
  const texts = textsOf(node, module, held);
  const unknown: string[] = [];
  const files = new Map<string, Path>();
  const written = (value: Value, what: string): CanonicalJson => {
    const kept = keptValue(value, (file) => {
      if (file.isRemote || file.files.stat(file.absolute) === undefined) return undefined;
      files.set(file.absolute, file);
      return locationOf(file);
    });
    if (kept === undefined) unknown.push(what);
    return kept ?? null;
  };
  const text = texts.map((each) => each.text).join("\n");
  const inputs = entriesOf(context.variables, (name, value) => written(value, `the value of ${name}`));
  const task: Record<string, CanonicalJson> = {};
  for (const [, name = "", member = ""] of text.matchAll(/\btask\s*\??\.\s*(\w+)(?:\s*\??\.\s*(\w+))?/g)) {
    if (name === "workDir") continue;
    const label = name === "ext" ? `task.ext.${member}` : `task.${name}`;
    const own = context.task.get(name) ?? null;
    held.add(label);
    if (name !== "ext") task[label] = written(own, label);
    // Called without what the script gives it a closure would fail, or answer something else.
    else if (own instanceof ExtMap && own.takesArguments(member)) unknown.push(label);
    else if (own instanceof ExtMap) task[label] = written(own.get(member) ?? null, label);
  }
  const shared: Value[] = [];
  const others: Record<string, CanonicalJson> = {};
  for (const each of texts) {
    for (const word of wordsOf(each.text)) {
      if (!each.module.hasVariable(word)) continue;
      const name = variableOf(each.module, word);
      held.add(name);
      const value = each.module.variable(word) ?? null;
      shared.push(value);
      others[word] = written(value, `the value of ${word}`);
    }
    Object.assign(others, paramsIn(each, held, written));
  }
  if (/\blastModified\b|\bgetLastModified\b/.test(text)) unknown.push("when files were changed");
  return {
    texts: texts.map((each) => each.text),
    values: { inputs, task, others, version: textOf(module.session.nextflow.get("version") ?? null) },
    files: [...files.values()],
    shared,
    held,
    unknown: unknown[0] === undefined ? undefined : `it is not known what ${unknown[0]} is`,
  };
}

interface Text {
  readonly text: string;
  readonly module: Module;
}

/** The process, and every function that it may call, by name. */
function textsOf(node: ProcessNode, module: Module, held: Set<unknown>): readonly Text[] {
  const texts: Text[] = [{ text: module.textOf(node.span), module }];
  for (const each of texts)
    for (const word of wordsOf(each.text)) {
      const defined = each.module.definitions.get(word);
      if (defined?.kind !== "function" || held.has(defined)) continue;
      held.add(defined);
      texts.push({ text: defined.closure.source, module: defined.module });
    }
  return texts;
}

/** Parameters that the text names; all of them where it does anything else with `params`. */
function paramsIn(
  { text, module }: Text,
  held: Set<unknown>,
  written: (value: Value, what: string) => CanonicalJson,
): Readonly<Record<string, CanonicalJson>> {
  const all = [...text.matchAll(/\bparams\b/g)].length;
  if (all === 0) return {};
  held.add(module.params);
  const named = [...text.matchAll(/\bparams\s*\??\.\s*([A-Za-z_]\w*)(?!\w|\s*[({])/g)];
  if (named.length === all)
    return Object.fromEntries(
      named.map(([, name = ""]) => [
        `params.${name}`,
        written(module.params.at(name) ?? null, `the parameter ${name}`),
      ]),
    );
  const entries = Array.from(module.params.entries(), ([name, value]): Value => [name, value]);
  return { params: written(entries, "params") };
}

function textsIn(value: CanonicalJson): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.match(/[A-Za-z_$][\w$]*/g) ?? []);
}

function entriesOf(
  values: ReadonlyMap<string, Value>,
  write: (name: string, value: Value) => CanonicalJson,
): CanonicalJson {
  return Object.fromEntries(Array.from(values, ([name, value]) => [name, write(name, value)]));
}

// --- what the code has set

/**
 * Where it is, which the content in the key does not make superfluous: the code sees a file in its place, so that its
 * text, its parent and what is made of them differ for equal files.
 */
function locationOf(file: Path): CanonicalJson {
  return [file.location, file.name];
}

function keptAll(values: Iterable<Value>, path: (file: Path) => CanonicalJson): string {
  return JSON.stringify(Array.from(values, (each) => keptValue(each, path) ?? null));
}

/** Names that outputs and directives read, which are evaluated again. */
function namesRead({ node }: ExecTaskParts): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) {
      for (const each of part) visit(each);
      return;
    }
    if (typeof part !== "object" || part === null) return;
    const { kind, name } = part as { readonly kind?: unknown; readonly name?: unknown };
    if (kind === "name" && typeof name === "string") names.add(name);
    for (const [member, each] of Object.entries(part)) if (member !== "span") visit(each);
  };
  visit([node.outputs, node.topics, node.directives]);
  return names;
}

/** undefined: something that is needed cannot be kept. */
function keptVariables(
  values: ReadonlyMap<string, Value>,
  given: ReadonlyMap<string, Value>,
  {
    outputs,
    folder,
    needed,
  }: { readonly outputs: Outputs; readonly folder: string; readonly needed: ReadonlySet<string> },
): string | undefined {
  const made = new Map<string, CanonicalJson>();
  for (const [id, files] of Object.entries(outputs))
    for (const [index, file] of filesOf(files).entries()) {
      const path = file.extra?.[pathMember];
      if (typeof path === "string") made.set(`${folder}/${path}`, [id, index]);
    }
  const kept: Record<string, CanonicalJson> = {};
  for (const [name, value] of values) {
    if (given.has(name) && given.get(name) === value) continue;
    const one = keptValue(value, (file) => made.get(file.absolute));
    if (one !== undefined) kept[name] = one;
    else if (needed.has(name)) return undefined;
  }
  const text = JSON.stringify(kept);
  // Another time the folder is another one.
  return text.includes(folder) ? undefined : text;
}

/** Whether everything could be set as it was recorded. */
function restore({ context, plan, pathOf }: ExecTaskParts, text: string, outputs: Outputs): boolean {
  const found = new Map<string, Value>();
  for (const [name, kept] of Object.entries(JSON.parse(text) as Record<string, CanonicalJson>)) {
    const value = valueOfKept(kept, (place) => {
      const [id = "", index = 0] = Array.isArray(place) ? place : [];
      const file = filesOf(outputs[String(id)])[Number(index)];
      return file === undefined ? undefined : pathOf(file);
    });
    if (value === undefined) return false;
    found.set(name, value);
  }
  for (const [name, value] of found) context.variables.set(name, value);
  plan();
  return true;
}

/** Larger files are not looked through. */
const mostScanned = 64 << 20;

/** A file that the code has written may name the folder, which is another one another time. */
async function namingFile(
  files: Parameters<OutputCollector>[0]["files"],
  outputs: Outputs,
  folder: string,
): Promise<string | undefined> {
  const look = async (path: string): Promise<string | undefined> => {
    const found = await files.stat(`/mnt/memoir/work/${path}`);
    if (found?.kind === "directory") {
      for (const { name } of (await files.list(`/mnt/memoir/work/${path}`)) ?? []) {
        const why = await look(`${path}/${name}`);
        if (why !== undefined) return why;
      }
      return undefined;
    }
    if (found?.kind !== "file") return undefined;
    if (found.sizeBytes > mostScanned) return `${path} is too large to be looked through`;
    const bytes = Buffer.from(await files.read(`/mnt/memoir/work/${path}`));
    return bytes.includes(folder) ? `${path} names the folder of the task` : undefined;
  };
  for (const found of Object.values(outputs))
    for (const file of filesOf(found)) {
      const path = file.extra?.[pathMember];
      const why = typeof path === "string" ? await look(path) : undefined;
      if (why !== undefined) return why;
    }
  return undefined;
}

function filesOf(value: NeutralValue | undefined): readonly FileValue[] {
  if (value === undefined || value === null || typeof value !== "object") return [];
  if (Array.isArray(value)) return value.flatMap((each) => filesOf(each));
  return "location" in value ? [value as FileValue] : [];
}

/** Files as they are outside the task. */
function unstagedDeep(value: Value): Value {
  if (value instanceof Path)
    return value.staged === undefined
      ? value
      : new Path(value.location, value.files, undefined, value.source);
  if (isList(value) && value.some((each) => unstagedDeep(each) !== each))
    return Array.from(value, unstagedDeep);
  if (value instanceof GroovySet && value.items().some((each) => unstagedDeep(each) !== each))
    return value.like(value.items().map(unstagedDeep));
  if (value instanceof GroovyMap && value.values().some((each) => unstagedDeep(each) !== each))
    return new GroovyMap(
      Array.from(value.entries(), ([key, each]): [Value, Value] => [key, unstagedDeep(each)]),
      value.type,
    );
  return value;
}
