/** What the parts of the checker share while they check one document. */
import type { Diagnostic, SourceText, Span } from "../../../kernel/index.ts";
import type { ResolvedSignature } from "../stdlib/signature.ts";
import type { ApplyNode, Declaration, Expression } from "../syntax/ast.ts";
import { atLeast, type WdlVersion } from "../syntax/version.ts";
import type { CoercionRules } from "../types/coercion.ts";
import { anyType, type StructType, type WdlType } from "../types/type.ts";
import type { CheckedEnum, CheckedInput, CheckedTask, CheckedWorkflow } from "./checked.ts";
import type { Place } from "./diagnostics.ts";
import type { FunctionTable } from "./overloads.ts";

/** What other engines accept although the specification does not: warnings in lenient mode. */
const lenientCodes: ReadonlySet<string> = new Set([
  "wdl-optional-for-required",
  "wdl-loose-conversion",
  "wdl-shadowing-variable",
  "wdl-extra-member",
  "wdl-duplicate-input",
  "wdl-name-clash",
  "wdl-struct-clash",
  "wdl-placeholder-option-type",
  "wdl-placeholder-type",
  "wdl-only-in-outputs",
  "wdl-missing-input",
  "wdl-needs-version",
  "wdl-unbound-declaration",
  "wdl-duplicate-attribute",
  "wdl-unknown-requirement",
  "wdl-requirement-type",
  "wdl-attribute-value",
  "wdl-no-common-type",
]);

export function soften(diagnostic: Diagnostic): Diagnostic {
  return diagnostic.severity === "error" && lenientCodes.has(diagnostic.code)
    ? { ...diagnostic, severity: "warning" }
    : diagnostic;
}

/** A callee by the names of its parts: made once, since a task of thousands of inputs may be called as often. */
export interface CalleeNames {
  readonly inputs: ReadonlyMap<string, CheckedInput>;
  readonly required: readonly CheckedInput[];
  readonly outputs: ReadonlyMap<string, WdlType>;
  /** Of a task, outside its input section. */
  readonly declarations: ReadonlyMap<string, Declaration>;
}

function firstOfEach<T>(all: readonly T[], nameOf: (each: T) => string): ReadonlyMap<string, T> {
  const byName = new Map<string, T>();
  for (const each of all) if (!byName.has(nameOf(each))) byName.set(nameOf(each), each);
  return byName;
}

export class Context {
  readonly source: SourceText;
  readonly version: WdlVersion;
  readonly lenient: boolean;
  readonly functions: FunctionTable;
  readonly structs = new Map<string, StructType>();
  readonly enums = new Map<string, CheckedEnum>();
  /** Namespaces whose document could not be read: what they hold is unknown, and reported once, at the import. */
  readonly missingNamespaces: ReadonlySet<string>;
  readonly types = new Map<Expression, WdlType>();
  readonly signatures = new Map<ApplyNode, ResolvedSignature>();
  readonly diagnostics: Diagnostic[] = [];
  readonly rules: CoercionRules = { lenient: false };
  readonly #callees = new Map<CheckedTask | CheckedWorkflow, CalleeNames>();

  constructor(given: {
    readonly source: SourceText;
    readonly version: WdlVersion;
    readonly lenient: boolean;
    readonly functions: FunctionTable;
    readonly missingNamespaces: ReadonlySet<string>;
  }) {
    this.source = given.source;
    this.version = given.version;
    this.lenient = given.lenient;
    this.functions = given.functions;
    this.missingNamespaces = given.missingNamespaces;
  }

  has(since: WdlVersion): boolean {
    return atLeast(this.version, since);
  }

  place(span: Span): Place {
    return { source: this.source, span };
  }

  report(diagnostic: Diagnostic): void {
    this.diagnostics.push(this.lenient ? soften(diagnostic) : diagnostic);
  }

  calleeOf(callee: CheckedTask | CheckedWorkflow): CalleeNames {
    const known = this.#callees.get(callee);
    if (known !== undefined) return known;
    const declarations = callee.kind === "task" ? callee.declarations.map((each) => each.node) : [];
    const names: CalleeNames = {
      inputs: firstOfEach(callee.inputs, (each) => each.name),
      required: callee.inputs.filter((each) => each.required),
      outputs: new Map(callee.outputs.map((each) => [each.name, each.type])),
      declarations: firstOfEach(declarations, (each) => each.name.text),
    };
    this.#callees.set(callee, names);
    return names;
  }

  typeOf(expression: Expression): WdlType {
    return this.types.get(expression) ?? anyType;
  }
}
