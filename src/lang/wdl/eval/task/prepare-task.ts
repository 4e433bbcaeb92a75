/**
 * Makes the language-neutral call of a WDL task: inputs staged, declarations evaluated, command rendered, attributes
 * read, outputs described as rules. What does not reach command, environment or outputs leaves no trace in the call, so that
 * it cannot make a recorded result look different.
 */
import { type Ask, defined, type TaskPath } from "../../../../kernel/index.ts";
import type {
  CachePolicy,
  CanonicalJson,
  LiteralFile,
  OutputRule,
  TaskCall,
} from "../../../../task/index.ts";
import type { FileAccess, OutputCollector } from "../../../core/index.ts";
import type { CheckedDeclaration, CheckedDocument } from "../../check/checked.ts";
import type { Expression } from "../../syntax/ast.ts";
import { printExpression } from "../../syntax/printer.ts";
import { atLeast } from "../../syntax/version.ts";
import { coerce } from "../../values/coerce.ts";
import { isPrimitive } from "../../values/compare.ts";
import { EvaluationFailure } from "../../values/failure.ts";
import { toJsonText } from "../../values/json.ts";
import type { ValueBounds } from "../../values/limits.ts";
import { render } from "../../values/render.ts";
import { isNone, mapPaths, type WdlValue } from "../../values/value.ts";
import { evaluate, evaluateParts } from "../evaluate.ts";
import { type PathSettler, settleValue } from "../files/scoped-files.ts";
import { TaskFiles } from "../files/task-files.ts";
import { libraryOf, scopeOf } from "../library.ts";
import { type EvaluationScope, located } from "../scope.ts";
import { everyExpression } from "../walk.ts";
import { AttributeFailure, type Attributes, type TaskSettings, taskSettingsOf } from "./attributes.ts";
import { outputCollector } from "./collect-outputs.ts";
import { factOf, typeText } from "./facts.ts";
import type { PlannedOutput, TaskPlan } from "./task-plan.ts";
import { type TaskFacts, taskVariable } from "./task-variable.ts";

/** Raised when equal documents come to mean something else. */
export const frontEndVersion = "1.0.0";

export interface TaskRequest {
  readonly plan: TaskPlan;
  /** Unique within the run: `main.align[3]`. */
  readonly path: string;
  /** The inputs that were given, None included. */
  readonly given: ReadonlyMap<string, WdlValue>;
  /** Attributes from the inputs; they win over the document's. */
  readonly overrides: Attributes;
  readonly host: FileAccess;
  /** The attempt before, where attempts are their own calls. */
  readonly previous?: TaskFacts;
  readonly bounds: ValueBounds;
  /** Folders that relative paths in the document are looked up in. */
  readonly folders: readonly string[];
}

export interface PreparedTask {
  readonly call: TaskCall;
  readonly collect: OutputCollector;
  readonly facts: TaskFacts;
}

export async function prepareTask(request: TaskRequest, ask: Ask): Promise<PreparedTask> {
  const { plan, path } = request;
  const { task } = plan;
  const { document } = task;
  const files = new TaskFiles({ host: request.host, ask, folders: request.folders });
  const values = new Map<string, WdlValue>();
  const scope = scopeOf(document, libraryOf(document, files, request.bounds), values);

  await bindDeclarations(request, files, values, scope);
  for (const { name } of task.inputs) {
    const value = plan.reachable.has(name) ? undefined : values.get(name);
    if (value !== undefined)
      values.set(
        name,
        mapPaths(value, (path) => files.stageAlso(path)),
      );
  }

  if (plan.usesTask) {
    values.set("task", taskVariable(plan, factsOf(request, taskSettingsOf(request.overrides))));
  }
  const settings = await readAttributes(request, scope);
  const facts = factsOf(request, settings);
  if (plan.usesTask) values.set("task", taskVariable(plan, facts));

  const command = await evaluateParts(task.node.command?.parts ?? [], scope);
  const env = environment(plan, values);
  const outputRules = await Promise.all(plan.outputs.map((output) => ruleOf(output, scope)));
  values.delete("task");

  const call: TaskCall = {
    name: task.name,
    path,
    language: "wdl",
    frontEndVersion,
    command,
    shell: ["/bin/bash"],
    inputs: files.staging.inputs(),
    literalFiles: namedFiles(files.literalFiles(), [command, ...Object.values(env)], outputRules),
    env,
    images: settings.images,
    resources: settings.resources,
    ...defined({ timeoutMs: settings.timeoutMs }),
    maxRetries: plan.rendersAttempts ? 0 : settings.maxRetries,
    acceptedExit: settings.acceptedExit,
    network: settings.network,
    outputRules,
    cachePolicy: policyOf(plan, settings),
    ...disksOf(settings, document, [command, ...Object.values(env), JSON.stringify(outputRules)]),
    ...extraKeyOf(settings),
  };
  return {
    call,
    facts,
    collect: outputCollector({
      ...{ plan, values, facts },
      bounds: request.bounds,
      failOnStderr: settings.failOnStderr,
    }),
  };
}

/**
 * Mount points are part of the specification since 1.1; before, other engines mounted them where they could and
 * continued where not. A call that never names a disk's place can do without.
 */
function disksOf(
  { disks }: TaskSettings,
  { version }: CheckedDocument,
  texts: readonly string[],
): Pick<TaskCall, "disks"> {
  const paths = [...disks.keys()].filter((path) => path !== undefined);
  if (paths.length === 0) return {};
  const isNamed = (path: string) => texts.some((text) => text.includes(path));
  return {
    disks: paths.map((path) => ({
      path: path as TaskPath,
      needed: atLeast(version, "1.1") && isNamed(path),
    })),
  };
}

/** A command can see whether a mount point is there, but nothing of the disk's size that it could rely on. */
function extraKeyOf({ failOnStderr, disks }: TaskSettings): Pick<TaskCall, "extraKey"> {
  const mounts = [...disks.keys()].filter((path) => path !== undefined).sort();
  if (!failOnStderr && mounts.length === 0) return {};
  return {
    extraKey: {
      ...(failOnStderr ? { failOnStderr: true } : {}),
      ...(mounts.length === 0 ? {} : { mounts }),
    },
  };
}

/** The written files that something of the call names. A written file may list other written files. */
function namedFiles(
  written: readonly LiteralFile[],
  texts: readonly string[],
  rules: readonly OutputRule[],
): readonly LiteralFile[] {
  if (written.length === 0) return written;
  const all = [...texts, JSON.stringify(rules), ...written.map((each) => each.content)];
  return written.filter((each) => all.some((text) => text.includes(each.path)));
}

/** Inputs and private declarations, each after what it depends on. */
async function bindDeclarations(
  request: TaskRequest,
  files: TaskFiles,
  values: Map<string, WdlValue>,
  scope: EvaluationScope,
): Promise<void> {
  const { plan, given } = request;
  const { task } = plan;
  const inputs = new Set(task.inputs.map((input) => input.name));
  const stageInput: PathSettler = {
    settle: (path) => (path.source === undefined ? files.stageText(path) : files.stage(path)),
  };
  const leave: PathSettler = { settle: (path) => path };
  for (const declaration of task.evaluationOrder) {
    const { name, type, node } = declaration;
    const isInput = inputs.has(name);
    const from = isInput ? given.get(name) : undefined;
    const useDefault =
      node.expression !== undefined && (from === undefined || (isNone(from) && !type.optional));
    const settler = !isInput ? files : plan.reachable.has(name) ? stageInput : leave;
    try {
      const value =
        useDefault && node.expression !== undefined
          ? await evaluate(node.expression, scope)
          : (from ?? noValue);
      values.set(
        name,
        await settleValue(coerce(value, type, whatIs(declaration, isInput, task.name)), type, settler),
      );
    } catch (error) {
      throw located(error, task.document, (useDefault ? node.expression?.span : undefined) ?? node.name.span);
    }
  }
}

const noValue: WdlValue = { kind: "none" };

function whatIs(declaration: CheckedDeclaration, isInput: boolean, task: string): string {
  return isInput ? `input "${declaration.name}" of ${task}` : `"${declaration.name}"`;
}

async function readAttributes(
  { plan, overrides }: TaskRequest,
  scope: EvaluationScope,
): Promise<TaskSettings> {
  const { node, document } = plan.task;
  const requirements = new Map<string, WdlValue>();
  for (const [name, expression] of plan.requirements) {
    if (!overrides.requirements.has(name)) requirements.set(name, await evaluate(expression, scope));
  }
  const hints = new Map<string, WdlValue>();
  for (const [name, expression] of plan.hints) {
    const value = await evaluateHint(expression, scope);
    if (value !== undefined) hints.set(name, value);
  }
  for (const [name, value] of overrides.requirements) requirements.set(name, value);
  for (const [name, value] of overrides.hints) hints.set(name, value);
  try {
    return taskSettingsOf({ requirements, hints });
  } catch (error) {
    const sections = [node.runtime, node.requirements, node.hints].filter((section) => section !== undefined);
    const attribute = sections
      .flatMap((section) => section.attributes)
      .find(({ name }) => error instanceof AttributeFailure && name.text === error.attribute);
    throw located(error, document, (attribute?.expression ?? sections[0] ?? node.name).span);
  }
}

/** Hints are advice: one that cannot be evaluated is none. */
async function evaluateHint(expression: Expression, scope: EvaluationScope): Promise<WdlValue | undefined> {
  try {
    return await evaluate(expression, scope);
  } catch (error) {
    if (error instanceof EvaluationFailure) return undefined;
    throw error;
  }
}

function factsOf({ path, previous }: TaskRequest, settings: TaskSettings): TaskFacts {
  return {
    id: path,
    container: settings.images[0],
    resources: settings.resources,
    disks: settings.disks,
    maxRetries: settings.maxRetries,
    attempt: previous === undefined ? 0 : previous.attempt + 1,
    ...defined({ previous }),
  };
}

/** Primitive values as text, others as JSON; None is not exported. */
function environment(plan: TaskPlan, values: ReadonlyMap<string, WdlValue>): Record<string, string> {
  const env: [string, string][] = [];
  for (const { name, node } of plan.task.evaluationOrder) {
    const value = values.get(name);
    if (!node.env || value === undefined || isNone(value)) continue;
    env.push([name, isPrimitive(value) ? render(value) : toJsonText(value, plan.task.document.version)]);
  }
  return Object.fromEntries(env);
}

async function ruleOf(output: PlannedOutput, scope: EvaluationScope): Promise<OutputRule> {
  const { declaration, form } = output;
  const rule = { name: declaration.name, type: output.typeText };
  switch (form.kind) {
    case "stdout":
    case "stderr":
      return { ...rule, from: { kind: form.kind } };
    case "path":
    case "glob": {
      const expression = form.kind === "path" ? form.expression : form.pattern;
      const text = await knownText(expression, scope);
      if (text === undefined) return { ...rule, from: expressionRule(declaration, scope, []) };
      return form.kind === "path"
        ? { ...rule, from: { kind: "path", path: text } }
        : { ...rule, from: { kind: "glob", pattern: text } };
    }
    case "expression":
      return { ...rule, from: expressionRule(declaration, scope, form.names) };
  }
}

/** undefined: it fails or is None now, and will be seen to fail where outputs are collected. */
async function knownText(expression: Expression, scope: EvaluationScope): Promise<string | undefined> {
  try {
    const value = await evaluate(expression, scope);
    return isPrimitive(value) ? render(value) : undefined;
  } catch (error) {
    if (error instanceof EvaluationFailure) return undefined;
    throw error;
  }
}

function expressionRule(
  { node }: CheckedDeclaration,
  scope: EvaluationScope,
  names: readonly string[],
): OutputRule["from"] {
  const { document } = scope;
  const facts: [string, CanonicalJson][] = [];
  for (const name of names) {
    const value = scope.lookup(name);
    if (name === "task") facts.push(...taskFacts(node.expression, scope));
    else if (value !== undefined) facts.push([name, factOf(value)]);
    else facts.push(...enumFacts(document, name));
  }
  for (const each of node.expression === undefined ? [] : everyExpression(node.expression)) {
    const struct =
      each.kind === "object" && each.type !== undefined ? document.structs.get(each.type.text) : undefined;
    if (struct !== undefined) facts.push([`struct ${struct.name}`, typeText(struct)]);
  }
  return {
    kind: "expression",
    // The same text may mean another thing in another version.
    language: `wdl ${document.version}`,
    text: node.expression === undefined ? "" : printExpression(node.expression),
    facts: Object.fromEntries(facts),
  };
}

/** Only the members that are looked at, and of them those that are known before the command runs. */
function taskFacts(expression: Expression | undefined, scope: EvaluationScope): [string, CanonicalJson][] {
  const task = scope.lookup("task");
  if (expression === undefined || task?.kind !== "object") return [];
  const facts: [string, CanonicalJson][] = [];
  for (const each of everyExpression(expression)) {
    if (each.kind !== "member" || each.object.kind !== "name" || each.object.name !== "task") continue;
    const member = task.members.get(each.name.text);
    const later = each.name.text === "return_code" || each.name.text === "attempt";
    if (member !== undefined && !later) facts.push([`task.${each.name.text}`, factOf(member)]);
  }
  return facts;
}

function enumFacts(document: CheckedDocument, name: string): [string, CanonicalJson][] {
  const found = document.enums.get(name);
  if (found === undefined) return [];
  const choices = found.node.choices.map(
    (choice): CanonicalJson => [
      choice.name.text,
      choice.value === undefined ? null : printExpression(choice.value),
    ],
  );
  return [[`enum ${name}`, choices]];
}

function policyOf(plan: TaskPlan, settings: TaskSettings): CachePolicy {
  if (plan.volatile) return { kind: "never", reason: "meta says volatile: true" };
  if (settings.neverReuse) return { kind: "never", reason: "the hint cacheable is false" };
  return { kind: "reusable" };
}
