/**
 * The syntax tree of a WDL document. Immutable data with spans (half-open UTF-16 ranges of the document's text), no
 * trivia. The parser always answers a tree: what could not be read is an `error` expression or type, or is left out.
 */
import type { Span } from "../../../kernel/index.ts";
import type { WdlVersion } from "./version.ts";

export interface Name {
  readonly text: string;
  readonly span: Span;
}

export interface DocumentNode {
  readonly version: WdlVersion;
  /** The `version` statement's value; absent in draft-2. */
  readonly versionSpan?: Span;
  readonly imports: readonly ImportNode[];
  readonly structs: readonly StructNode[];
  readonly enums: readonly EnumNode[];
  readonly tasks: readonly TaskNode[];
  /** At most one is legal; the checker reports the others. */
  readonly workflows: readonly WorkflowNode[];
}

/** `import "uri" as ns alias A as B` */
export interface ImportNode {
  readonly span: Span;
  readonly uri: string;
  readonly uriSpan: Span;
  readonly namespace?: Name;
  readonly aliases: readonly { readonly from: Name; readonly to: Name }[];
}

export interface StructNode {
  readonly span: Span;
  readonly name: Name;
  readonly members: readonly Declaration[];
  readonly meta?: MetaSection;
  readonly parameterMeta?: MetaSection;
}

/** `enum Name[String] { A = "a", B }` (1.3) */
export interface EnumNode {
  readonly span: Span;
  readonly name: Name;
  readonly valueType?: TypeNode;
  readonly choices: readonly { readonly name: Name; readonly value?: Expression }[];
}

export interface TaskNode {
  readonly span: Span;
  readonly name: Name;
  /** draft-2: the unbound declarations of the body are here too. */
  readonly inputs: readonly Declaration[];
  readonly inputSection?: Span;
  /** Private declarations, in textual order. */
  readonly declarations: readonly Declaration[];
  readonly command?: CommandNode;
  readonly outputs: readonly Declaration[];
  readonly outputSection?: Span;
  readonly runtime?: AttributeSection;
  readonly requirements?: AttributeSection;
  readonly hints?: AttributeSection;
  readonly meta?: MetaSection;
  readonly parameterMeta?: MetaSection;
}

export interface WorkflowNode {
  readonly span: Span;
  readonly name: Name;
  /** draft-2: the unbound declarations of the body are here too. */
  readonly inputs: readonly Declaration[];
  readonly inputSection?: Span;
  readonly body: readonly BodyNode[];
  readonly outputs: readonly Declaration[];
  readonly outputSection?: Span;
  /** draft-2 only: `call.*` and `call.x` lines of the output section. */
  readonly outputSelectors: readonly OutputSelector[];
  readonly hints?: AttributeSection;
  readonly meta?: MetaSection;
  readonly parameterMeta?: MetaSection;
}

export interface OutputSelector {
  readonly span: Span;
  readonly path: readonly Name[];
  /** `call.*` */
  readonly wildcard: boolean;
}

/** What is in a workflow body, a scatter or a conditional. */
export type BodyNode = Declaration | CallNode | ScatterNode | ConditionalNode;

export interface Declaration {
  readonly kind: "declaration";
  readonly span: Span;
  readonly type: TypeNode;
  readonly name: Name;
  readonly expression?: Expression;
  /** `env` modifier (1.2): the value is exported to the command's environment. */
  readonly env: boolean;
}

export interface CallNode {
  readonly kind: "call";
  readonly span: Span;
  /** `ns.task` is two names. */
  readonly callee: readonly Name[];
  readonly alias?: Name;
  readonly after: readonly Name[];
  readonly inputs: readonly CallInput[];
}

export interface CallInput {
  readonly span: Span;
  readonly name: Name;
  /** For the shorthand `{ x }` this is the name expression `x`. */
  readonly expression: Expression;
  readonly shorthand: boolean;
}

export interface ScatterNode {
  readonly kind: "scatter";
  readonly span: Span;
  readonly variable: Name;
  readonly collection: Expression;
  readonly body: readonly BodyNode[];
}

/** `if` with its `else if` and `else` clauses (1.3); before 1.3 there is always exactly one clause. */
export interface ConditionalNode {
  readonly kind: "conditional";
  readonly span: Span;
  readonly clauses: readonly ConditionalClause[];
}

export interface ConditionalClause {
  readonly span: Span;
  /** Absent in the final `else`. */
  readonly condition?: Expression;
  readonly body: readonly BodyNode[];
}

/** `runtime`, `requirements` and `hints`. */
export interface AttributeSection {
  readonly span: Span;
  readonly attributes: readonly Attribute[];
}

export interface Attribute {
  readonly span: Span;
  readonly name: Name;
  readonly expression: Expression;
}

export interface CommandNode {
  readonly span: Span;
  readonly style: "braces" | "heredoc";
  /** Ready to be rendered: dedented before evaluation, `\>>>` unescaped. Adjacent texts are merged. */
  readonly parts: readonly StringPart[];
  /** Lines are indented with tabs here and spaces there: nothing was dedented beyond what is common. */
  readonly mixedIndent: boolean;
}

export type StringPart =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "placeholder";
      readonly span: Span;
      readonly options: readonly PlaceholderOption[];
      readonly expression: Expression;
    };

export type PlaceholderOption =
  | {
      readonly kind: "sep" | "default";
      readonly span: Span;
      readonly value: Expression;
    }
  | { readonly kind: "true" | "false"; readonly span: Span; readonly value: Expression };

/** Types as they are written. `optional` is the `?`, `nonEmpty` the `+` of arrays. */
export type TypeNode =
  | {
      readonly kind: "boolean" | "int" | "float" | "string" | "file" | "directory" | "object";
      readonly span: Span;
      readonly optional: boolean;
    }
  | {
      readonly kind: "array";
      readonly span: Span;
      readonly optional: boolean;
      readonly nonEmpty: boolean;
      readonly item: TypeNode;
    }
  | {
      readonly kind: "map";
      readonly span: Span;
      readonly optional: boolean;
      readonly key: TypeNode;
      readonly value: TypeNode;
    }
  | {
      readonly kind: "pair";
      readonly span: Span;
      readonly optional: boolean;
      readonly left: TypeNode;
      readonly right: TypeNode;
    }
  /** A struct or an enum. */
  | { readonly kind: "named"; readonly span: Span; readonly optional: boolean; readonly name: string }
  /** Could not be read; already reported. */
  | { readonly kind: "error"; readonly span: Span; readonly optional: boolean };

export type Expression =
  | { readonly kind: "boolean"; readonly span: Span; readonly value: boolean }
  /** Not yet range-checked against 64 bits: `-9223372036854775808` is a negated literal. */
  | { readonly kind: "int"; readonly span: Span; readonly value: bigint }
  | { readonly kind: "float"; readonly span: Span; readonly value: number }
  | { readonly kind: "none"; readonly span: Span }
  | StringNode
  | { readonly kind: "array"; readonly span: Span; readonly items: readonly Expression[] }
  | { readonly kind: "pair"; readonly span: Span; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "map"; readonly span: Span; readonly entries: readonly MapEntry[] }
  | ObjectNode
  | HintsNode
  | NameNode
  | MemberNode
  | { readonly kind: "index"; readonly span: Span; readonly object: Expression; readonly index: Expression }
  | ApplyNode
  | {
      readonly kind: "unary";
      readonly span: Span;
      readonly operator: UnaryOperator;
      readonly operand: Expression;
    }
  | BinaryNode
  | {
      readonly kind: "conditional";
      readonly span: Span;
      readonly condition: Expression;
      readonly then: Expression;
      readonly else: Expression;
    }
  /** Could not be read; already reported. */
  | { readonly kind: "error"; readonly span: Span };

export interface StringNode {
  readonly kind: "string";
  readonly span: Span;
  readonly style: "double" | "single" | "multiline";
  /** Escapes are resolved, multi-line strings dedented and their `\`-newlines joined. Adjacent texts are merged. */
  readonly parts: readonly StringPart[];
}

export interface MapEntry {
  readonly key: Expression;
  readonly value: Expression;
}

/** `object {a: 1}` (`type` absent) and struct literals `Name {a: 1}`. */
export interface ObjectNode {
  readonly kind: "object";
  readonly span: Span;
  readonly type?: Name;
  readonly members: readonly { readonly name: Name; readonly value: Expression }[];
}

/** `hints {…}`, `input {…}` and `output {…}` inside a hints section (1.2). Member names may be dotted. */
export interface HintsNode {
  readonly kind: "hints";
  readonly span: Span;
  readonly form: "hints" | "input" | "output";
  readonly members: readonly { readonly name: Name; readonly value: Expression }[];
}

export interface NameNode {
  readonly kind: "name";
  readonly span: Span;
  readonly name: string;
}

export interface MemberNode {
  readonly kind: "member";
  readonly span: Span;
  readonly object: Expression;
  readonly name: Name;
}

/** A call of a standard-library function. */
export interface ApplyNode {
  readonly kind: "apply";
  readonly span: Span;
  readonly function: Name;
  readonly arguments: readonly Expression[];
}

export interface BinaryNode {
  readonly kind: "binary";
  readonly span: Span;
  readonly operator: BinaryOperator;
  readonly operatorSpan: Span;
  readonly left: Expression;
  readonly right: Expression;
}

export type UnaryOperator = "-" | "!" | "+";
export type BinaryOperator =
  | "||"
  | "&&"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "**";

/** `meta` and `parameter_meta`: JSON-like data, no expressions. */
export interface MetaSection {
  readonly span: Span;
  readonly entries: readonly MetaEntry[];
}

export interface MetaEntry {
  readonly name: Name;
  readonly value: MetaValue;
}

export type MetaValue =
  | { readonly kind: "null"; readonly span: Span }
  | { readonly kind: "boolean"; readonly span: Span; readonly value: boolean }
  | { readonly kind: "int"; readonly span: Span; readonly value: bigint }
  | { readonly kind: "float"; readonly span: Span; readonly value: number }
  | { readonly kind: "string"; readonly span: Span; readonly value: string }
  | { readonly kind: "array"; readonly span: Span; readonly items: readonly MetaValue[] }
  | { readonly kind: "object"; readonly span: Span; readonly entries: readonly MetaEntry[] };
