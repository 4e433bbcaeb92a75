/**
 * What the checker answers: the document with every name resolved and every expression typed, ready for the evaluator.
 * The tree itself is not copied; `typeOf` and `signatureOf` are tables next to it.
 */
import type { SourceText } from "../../../kernel/index.ts";
import type { ResolvedSignature } from "../stdlib/signature.ts";
import type {
  ApplyNode,
  CallInput,
  CallNode,
  ConditionalNode,
  Declaration,
  DocumentNode,
  EnumNode,
  Expression,
  ScatterNode,
  TaskNode,
  WorkflowNode,
} from "../syntax/ast.ts";
import type { WdlVersion } from "../syntax/version.ts";
import type { EnumType, StructType, WdlType } from "../types/type.ts";

export interface CheckedDocument {
  /** As the source tree resolved it. */
  readonly uri: string;
  readonly source: SourceText;
  readonly version: WdlVersion;
  readonly tree: DocumentNode;
  /** By namespace. */
  readonly imports: ReadonlyMap<string, CheckedDocument>;
  /** Own and imported, by the name that this document uses. */
  readonly structs: ReadonlyMap<string, StructType>;
  readonly enums: ReadonlyMap<string, CheckedEnum>;
  /** Own tasks only; imported ones are reached through `imports`. */
  readonly tasks: ReadonlyMap<string, CheckedTask>;
  readonly workflow?: CheckedWorkflow;
  /** The inferred type of any expression of this document; `any` where it could not be inferred. */
  typeOf(expression: Expression): WdlType;
  /** undefined when the application is in error, which stops a document from being run. */
  signatureOf(apply: ApplyNode): ResolvedSignature | undefined;
}

export interface CheckedEnum {
  readonly type: EnumType;
  readonly node: EnumNode;
  /** The document that declares it: its expressions are typed there. */
  readonly document: CheckedDocument;
}

export interface CheckedDeclaration {
  readonly name: string;
  /** The declared type, structs resolved. */
  readonly type: WdlType;
  readonly node: Declaration;
  /** Names of the same scope, and of the scopes around it, that its expression refers to. */
  readonly dependsOn: ReadonlySet<string>;
}

/** An input: `required` when it has neither default nor `?`. */
export interface CheckedInput extends CheckedDeclaration {
  readonly required: boolean;
}

export interface CheckedTask {
  readonly kind: "task";
  readonly name: string;
  readonly node: TaskNode;
  /** The document it is in. */
  readonly document: CheckedDocument;
  /** In textual order. */
  readonly inputs: readonly CheckedInput[];
  /** Private declarations in textual order. */
  readonly declarations: readonly CheckedDeclaration[];
  /** Inputs and private declarations so that each comes after what it depends on. */
  readonly evaluationOrder: readonly CheckedDeclaration[];
  /** In textual order. */
  readonly outputs: readonly CheckedDeclaration[];
  readonly outputOrder: readonly CheckedDeclaration[];
}

export interface CheckedWorkflow {
  readonly kind: "workflow";
  readonly name: string;
  readonly node: WorkflowNode;
  readonly document: CheckedDocument;
  /** In textual order. Defaults may refer to anything in the body. */
  readonly inputs: readonly CheckedInput[];
  readonly body: readonly CheckedBodyNode[];
  /** In textual order. They may refer to each other. draft-2 selectors have become declarations named `call.x`. */
  readonly outputs: readonly CheckedOutput[];
  /** Whether inputs of its calls may be given from outside (`allowNestedInputs`, `allow_nested_inputs`). */
  readonly nestedInputs: "allowed" | "refused" | "not mentioned";
  /**
   * Whether sections wait for each other in a circle although no declarations do: one scatter gathers what another
   * needs, whose results the first one needs. Then every shard has to be started before any of them can end.
   */
  readonly interwoven: boolean;
}

export interface CheckedOutput {
  readonly name: string;
  readonly type: WdlType;
  readonly expression: Expression;
  readonly dependsOn: ReadonlySet<string>;
}

/**
 * Names are unique within a workflow (except scatter variables, which do not leave their scatter), so a node's
 * `exports` is what it adds to the scope around it, and `dependsOn` what it waits for: names that are exported by
 * other nodes, inputs, or scatter variables around it. A scatter exports arrays of what its body exports, a
 * conditional optionals.
 */
export type CheckedBodyNode = CheckedBodyDeclaration | CheckedCall | CheckedScatter | CheckedConditional;

export interface CheckedBodyDeclaration {
  readonly kind: "declaration";
  readonly declaration: CheckedDeclaration;
  readonly dependsOn: ReadonlySet<string>;
  readonly exports: ReadonlyMap<string, WdlType>;
}

export interface CheckedCall {
  readonly kind: "call";
  /** The name by which its outputs are reached: the alias, or the callee's own name. */
  readonly name: string;
  readonly node: CallNode;
  /** Never a workflow that calls itself: import cycles are errors. */
  readonly callee: CheckedTask | CheckedWorkflow;
  readonly inputs: ReadonlyMap<string, CheckedCallInput>;
  /** Calls that must have ended first although nothing of them is used. */
  readonly after: ReadonlySet<string>;
  /** Includes `after`. */
  readonly dependsOn: ReadonlySet<string>;
  /** One entry: the call's name, of type `call`. */
  readonly exports: ReadonlyMap<string, WdlType>;
}

export interface CheckedCallInput {
  readonly node: CallInput;
  /** The callee's input that it fills. */
  readonly target: CheckedInput;
}

export interface CheckedScatter {
  readonly kind: "scatter";
  readonly node: ScatterNode;
  readonly variable: string;
  readonly variableType: WdlType;
  readonly body: readonly CheckedBodyNode[];
  readonly dependsOn: ReadonlySet<string>;
  readonly exports: ReadonlyMap<string, WdlType>;
}

export interface CheckedConditional {
  readonly kind: "conditional";
  readonly node: ConditionalNode;
  /** As the node's clauses, in order. */
  readonly clauses: readonly {
    readonly condition?: Expression;
    readonly body: readonly CheckedBodyNode[];
  }[];
  readonly dependsOn: ReadonlySet<string>;
  readonly exports: ReadonlyMap<string, WdlType>;
}
