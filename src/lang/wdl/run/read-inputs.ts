/**
 * Reads the inputs of a run: which input of which call each key names, whether it may be given, and its value. Answers
 * everything that is wrong, not only the first thing.
 */
import {
  breathe,
  type Diagnostic,
  defined,
  didYouMean,
  type SourceText,
  type Span,
} from "../../../kernel/index.ts";
import type { ParameterValues } from "../../core/index.ts";
import type { CheckedCall, CheckedInput, CheckedWorkflow } from "../check/checked.ts";
import { taskSettingsOf } from "../eval/task/attributes.ts";
import { printType } from "../types/type.ts";
import { ValueFailure } from "../values/failure.ts";
import type { WdlValue } from "../values/value.ts";
import { inputFaults } from "./input-faults.ts";
import { InputPlaces } from "./input-places.ts";
import { callsOf, type InputTree, type Target } from "./input-tree.ts";
import { type InputPlace, inputValue, plainValue } from "./input-values.ts";

export interface ReadInputs {
  readonly tree: InputTree;
  readonly diagnostics: readonly Diagnostic[];
}

interface Branch {
  readonly target: Target;
  /** `main.sub.`: what its keys start with. */
  readonly prefix: string;
  /** Inputs that the call sets itself. */
  readonly fixed: ReadonlySet<string>;
  /** Whether inputs may be given here: always at the top, below as the outermost workflow that does not allow it says. */
  readonly nested: CheckedWorkflow["nestedInputs"];
  readonly values: Map<string, WdlValue>;
  readonly requirements: Map<string, WdlValue>;
  readonly hints: Map<string, WdlValue>;
  readonly calls: Map<string, Branch>;
  /** What may be named here; looked up for every key. */
  readonly inputs: ReadonlyMap<string, CheckedInput>;
  readonly callees: ReadonlyMap<string, CheckedCall>;
  /** Made once for each target, which may be called thousands of times. */
  readonly names: Map<Target, Pick<Branch, "inputs" | "callees">>;
  /** Given, whether the value was good or not. */
  readonly named: Set<string>;
}

/** Workflows that call each other multiply the inputs that they leave open. */
const mostMissing = 10_000;

const sections: ReadonlySet<string> = new Set(["runtime", "requirements", "hints"]);

/** https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#requirements-attributes, with the aliases that it names. */
const requirementNames: ReadonlySet<string> = new Set(
  "container docker cpu memory gpu fpga disks max_retries maxRetries return_codes returnCodes".split(" "),
);

export async function readInputs(
  target: Target,
  given: ParameterValues,
  within: Omit<InputPlace, "baseDir">,
): Promise<ReadInputs> {
  const diagnostics: Diagnostic[] = [];
  const source = given.source ?? { name: "inputs", text: "" };
  const places = new InputPlaces(source);
  const report = (key: string, message: string, help?: Diagnostic["help"], of: "name" | "value" = "name") =>
    diagnostics.push(wrong(source, places.spanOf([key], of), message, help));
  const notice = (key: string, message: string, of: "name" | "value") =>
    diagnostics.push({ ...wrong(source, places.spanOf([key], of), message, undefined), severity: "warning" });
  const root = branchOf({
    target,
    prefix: `${target.name}.`,
    fixed: new Set(),
    nested: "allowed",
    names: new Map(),
  });
  const placeOf = (key: string): InputPlace => ({
    ...within,
    baseDir: given.baseDir,
    ...(given.fallbackDir === undefined
      ? {}
      : { fallback: { folder: given.fallbackDir, warn: (message) => notice(key, message, "value") } }),
  });

  for (const [key, value] of Object.entries(given.values)) {
    const turn = breathe();
    if (turn !== undefined) await turn;
    // JSON has no comments; such keys stand for them in inputs files of every engine.
    if (key.startsWith("#")) continue;
    const found = resolveKey(root, key);
    switch (found.kind) {
      case "unknown":
        report(key, found.message, found.help);
        break;
      case "ignored":
        notice(key, found.message, "name");
        break;
      case "attribute":
        try {
          found.into.set(found.name, attributeValue(found.section, found.name, value));
        } catch (error) {
          if (!(error instanceof ValueFailure)) throw error;
          report(key, error.message, error.help, "value");
        }
        break;
      case "input": {
        const { branch, input } = found;
        if (branch.named.has(input.name))
          report(key, `the input "${branch.prefix}${input.name}" is given twice`);
        branch.named.add(input.name);
        try {
          branch.values.set(input.name, await boundValue(value, input, key, placeOf(key)));
        } catch (error) {
          if (!(error instanceof ValueFailure)) throw error;
          const faults = await inputFaults(value, input.type, `"${key}"`, placeOf(key));
          for (const { path, of, message, help } of faults)
            diagnostics.push(wrong(source, places.spanOf([key, ...path], of), message, help));
        }
      }
    }
  }
  let missing = 0;
  for (const { name, type } of missingInputs(root, new Map())) {
    if (++missing > mostMissing) break;
    const turn = breathe();
    if (turn !== undefined) await turn;
    diagnostics.push(
      wrong(
        source,
        places.spanOf([], "name"),
        `the input "${name}" of type ${type} is missing`,
        `add "${name}" to the inputs`,
      ),
    );
  }
  return { tree: treeOf(root), diagnostics };
}

/** None stands for the default where the type has no None (spec: "Optional inputs with defaults"). */
async function boundValue(
  value: unknown,
  input: CheckedInput,
  key: string,
  place: InputPlace,
): Promise<WdlValue> {
  if (value === null && !input.type.optional && input.node.expression !== undefined) return { kind: "none" };
  return inputValue(value, input.type, `"${key}"`, place);
}

/** Refuses what no task could be run with. Hints and unknown runtime attributes are advice, so anything goes there. */
function attributeValue(section: string, name: string, given: unknown): WdlValue {
  const value = plainValue(given);
  if (section === "hints") return value;
  if (section === "requirements" && !requirementNames.has(name)) {
    const near = didYouMean(name, requirementNames);
    throw new ValueFailure(
      `there is no requirement "${name}"`,
      near === undefined ? `requirements are ${[...requirementNames].join(", ")}` : `did you mean "${near}"?`,
    );
  }
  taskSettingsOf({ requirements: new Map([[name, value]]), hints: new Map() });
  return value;
}

function branchOf(start: Pick<Branch, "target" | "prefix" | "fixed" | "nested" | "names">): Branch {
  const { target, names } = start;
  const known = names.get(target) ?? {
    inputs: new Map(target.inputs.map((input) => [input.name, input] as const)),
    callees: target.kind === "workflow" ? callsOf(target) : new Map(),
  };
  names.set(target, known);
  return {
    ...start,
    ...known,
    values: new Map(),
    requirements: new Map(),
    hints: new Map(),
    calls: new Map(),
    named: new Set(),
  };
}

type Resolved =
  | { readonly kind: "input"; readonly branch: Branch; readonly input: CheckedInput }
  | {
      readonly kind: "attribute";
      readonly section: string;
      readonly into: Map<string, WdlValue>;
      readonly name: string;
    }
  | { readonly kind: "ignored"; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string; readonly help?: Diagnostic["help"] };

function resolveKey(root: Branch, key: string): Resolved {
  const unqualified = key.startsWith(root.prefix) ? key.slice(root.prefix.length) : key;
  let branch = root;
  let parts = unqualified.split(".");
  for (;;) {
    const [first = "", second] = parts;
    if (second === undefined) return inputOf(branch, first, key);
    if (branch.target.kind === "task") {
      const attribute = parts.slice(1).join(".");
      if (!sections.has(first)) return unknown(branch, key);
      return {
        kind: "attribute",
        section: first,
        into: first === "hints" ? branch.hints : branch.requirements,
        name: attribute,
      };
    }
    const next = enter(branch, first);
    if (next === undefined) return unknown(branch, key, first);
    branch = next;
    parts = parts.slice(1);
  }
}

function enter(branch: Branch, callName: string): Branch | undefined {
  const known = branch.calls.get(callName);
  if (known !== undefined) return known;
  if (branch.target.kind === "task") return undefined;
  const call = branch.callees.get(callName);
  if (call === undefined) return undefined;
  const made = branchOf({
    target: call.callee,
    prefix: `${branch.prefix}${callName}.`,
    fixed: new Set(call.inputs.keys()),
    nested: branch.nested === "allowed" ? branch.target.nestedInputs : branch.nested,
    names: branch.names,
  });
  branch.calls.set(callName, made);
  return made;
}

function inputOf(branch: Branch, name: string, key: string): Resolved {
  const input = branch.inputs.get(name);
  if (input === undefined) return unknown(branch, key);
  if (branch.fixed.has(name)) {
    return {
      kind: "unknown",
      message: `the input "${key}" cannot be given: the workflow sets it in the call`,
    };
  }
  // https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#allow_nested_inputs: either refused, or ignored with a warning.
  if (branch.nested === "refused") {
    return {
      kind: "ignored",
      message: `the input "${key}" is ignored: it belongs to a call, and the workflow says that nested inputs are not allowed`,
    };
  }
  if (branch.nested === "not mentioned") {
    return {
      kind: "unknown",
      message: `the input "${key}" belongs to a call, and the workflow does not allow nested inputs`,
      help: "add `allow_nested_inputs: true` to the workflow's hints (1.2), or `allowNestedInputs: true` to its meta section",
    };
  }
  return { kind: "input", branch, input };
}

function unknown(branch: Branch, key: string, call?: string): Resolved {
  const what =
    call === undefined ? `there is no input "${key}"` : `there is no call "${call}" for the input "${key}"`;
  return { kind: "unknown", message: what, help: () => nearestInput(branch, key, call) };
}

function nearestInput(branch: Branch, key: string, call: string | undefined): string {
  const nearCall = call === undefined ? undefined : didYouMean(call, branch.callees.keys());
  if (nearCall !== undefined) return `did you mean the call "${nearCall}"?`;
  const names = branch.target.inputs.map((input) => `${branch.prefix}${input.name}`);
  const near = didYouMean(key, names) ?? didYouMean(`${branch.prefix}${key}`, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  if (names.length === 0) return `${branch.target.kind} ${branch.target.name} has no inputs`;
  return `inputs are ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}`;
}

/** Also of calls, at any depth, that neither the workflow nor the inputs give a value. */
function* missingInputs(
  branch: Branch,
  known: Map<Target, boolean>,
): Iterable<{ readonly name: string; readonly type: string }> {
  for (const input of branch.target.inputs) {
    if (input.required && !branch.fixed.has(input.name) && !branch.named.has(input.name)) {
      yield { name: branch.prefix + input.name, type: printType(input.type) };
    }
  }
  for (const [name, call] of branch.callees) {
    // What needs nothing is not entered: calls of calls are many where workflows import each other.
    if (!branch.calls.has(name) && !leavesOpen(call, known)) continue;
    const next = enter(branch, name);
    if (next !== undefined) yield* missingInputs(next, known);
  }
}

/** Whether a call leaves a required input open, at any depth, unless the run gives it. */
function leavesOpen(call: CheckedCall, known: Map<Target, boolean>): boolean {
  const { callee } = call;
  if (callee.inputs.some((input) => input.required && !call.inputs.has(input.name))) return true;
  if (callee.kind === "task") return false;
  let below = known.get(callee);
  if (below === undefined) {
    below = [...callsOf(callee).values()].some((each) => leavesOpen(each, known));
    known.set(callee, below);
  }
  return below;
}

function treeOf(branch: Branch): InputTree {
  return {
    values: branch.values,
    attributes: { requirements: branch.requirements, hints: branch.hints },
    calls: new Map([...branch.calls].map(([name, call]) => [name, treeOf(call)] as const)),
  };
}

function wrong(
  source: SourceText,
  span: Span,
  message: string,
  help: Diagnostic["help"] | undefined,
): Diagnostic {
  return {
    code: "wdl-input",
    severity: "error",
    message,
    source,
    span,
    ...defined({ help }),
  };
}
