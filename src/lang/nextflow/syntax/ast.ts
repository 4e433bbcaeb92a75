/** The tree of a script or configuration file. Every node knows its place. */
import type { SourceText, Span } from "../../../kernel/index.ts";

export interface Name {
  readonly text: string;
  readonly span: Span;
}

export interface TypeName {
  /** As written, without type arguments: `List`, `java.nio.file.Path`. */
  readonly name: string;
  readonly arguments: readonly TypeName[];
  readonly optional: boolean;
  readonly array: boolean;
  readonly span: Span;
}

// --- expressions

export type Expression =
  | { readonly kind: "null"; readonly span: Span }
  | { readonly kind: "boolean"; readonly span: Span; readonly value: boolean }
  | { readonly kind: "number"; readonly span: Span; readonly text: string }
  | { readonly kind: "string"; readonly span: Span; readonly value: string }
  | GStringNode
  | { readonly kind: "name"; readonly span: Span; readonly name: string }
  | PropertyNode
  | {
      readonly kind: "index";
      readonly span: Span;
      readonly object: Expression;
      readonly index: readonly Expression[];
    }
  | CallNode
  | ClosureNode
  | { readonly kind: "list"; readonly span: Span; readonly items: readonly Expression[] }
  | { readonly kind: "map"; readonly span: Span; readonly entries: readonly MapEntryNode[] }
  /** `*list` among list items and arguments. */
  | { readonly kind: "spread"; readonly span: Span; readonly value: Expression }
  | {
      readonly kind: "unary";
      readonly span: Span;
      readonly operator: "!" | "~" | "-" | "+";
      readonly value: Expression;
    }
  | {
      readonly kind: "binary";
      readonly span: Span;
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "and" | "or" | "elvis";
      readonly span: Span;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "ternary";
      readonly span: Span;
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | {
      readonly kind: "as" | "instanceof";
      readonly span: Span;
      readonly value: Expression;
      readonly type: TypeName;
    }
  | {
      readonly kind: "new";
      readonly span: Span;
      readonly type: TypeName;
      readonly arguments: readonly Argument[];
    }
  | {
      readonly kind: "assign";
      readonly span: Span;
      /** undefined: plain `=`. */
      readonly operator: BinaryOperator | "?:" | undefined;
      readonly target: Expression;
      readonly value: Expression;
    }
  | {
      readonly kind: "step";
      readonly span: Span;
      readonly target: Expression;
      readonly by: 1 | -1;
      readonly answers: "before" | "after";
    }
  /** `x.&m` */
  | { readonly kind: "method"; readonly span: Span; readonly object: Expression; readonly name: string }
  /** What could not be read; a diagnostic says so. */
  | { readonly kind: "broken"; readonly span: Span };

export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "**"
  | "<<"
  | ">>"
  | ">>>"
  | ".."
  | "..<"
  | "<"
  | "<="
  | ">"
  | ">="
  | "in"
  | "!in"
  | "=="
  | "!="
  | "==="
  | "!=="
  | "<=>"
  | "=~"
  | "==~"
  | "&"
  | "^"
  | "|";

export interface GStringNode {
  readonly kind: "gstring";
  readonly span: Span;
  readonly parts: readonly (string | Expression)[];
}

export interface PropertyNode {
  readonly kind: "property";
  readonly span: Span;
  readonly object: Expression;
  readonly name: string | GStringNode;
  readonly nameSpan: Span;
  /** `safe`: `?.`; `spread`: `*.` */
  readonly how: "plain" | "safe" | "spread";
}

export interface CallNode {
  readonly kind: "call";
  readonly span: Span;
  /** A property: a method of an object. A name: a function. Otherwise a closure. */
  readonly callee: Expression;
  readonly arguments: readonly Argument[];
  /** Written without parentheses, as directives are. */
  readonly command: boolean;
}

export interface Argument {
  /** Given: a named argument. */
  readonly name?: Name;
  readonly value: Expression;
}

export interface MapEntryNode {
  /** undefined: `*: map`. */
  readonly key: Expression | undefined;
  readonly value: Expression;
}

export interface ClosureNode {
  readonly kind: "closure";
  readonly span: Span;
  /** undefined: no arrow, so there may be an `it`. */
  readonly parameters: readonly ParameterNode[] | undefined;
  readonly body: readonly Statement[];
}

export interface ParameterNode {
  readonly name: Name;
  readonly type?: TypeName;
  readonly initial?: Expression;
  /** `String... names` */
  readonly variadic: boolean;
}

// --- statements

export type Statement =
  | { readonly kind: "expression"; readonly span: Span; readonly expression: Expression }
  | DeclarationNode
  | {
      readonly kind: "destructure";
      readonly span: Span;
      readonly names: readonly Name[];
      readonly value: Expression;
      /** With `def`; otherwise existing variables are set. */
      readonly declares: boolean;
    }
  | {
      readonly kind: "if";
      readonly span: Span;
      readonly condition: Expression;
      readonly yes: readonly Statement[];
      readonly no: readonly Statement[] | undefined;
    }
  | { readonly kind: "return"; readonly span: Span; readonly value: Expression | undefined }
  | { readonly kind: "throw"; readonly span: Span; readonly value: Expression }
  | {
      readonly kind: "assert";
      readonly span: Span;
      readonly condition: Expression;
      readonly message: Expression | undefined;
    }
  | TryNode
  | { readonly kind: "labeled"; readonly span: Span; readonly label: Name; readonly statement: Statement }
  | {
      readonly kind: "while";
      readonly span: Span;
      readonly condition: Expression;
      readonly body: readonly Statement[];
      /** `do … while`: the body runs once before. */
      readonly first: "condition" | "body";
    }
  | {
      readonly kind: "for-in";
      readonly span: Span;
      readonly variable: Name;
      readonly values: Expression;
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "for";
      readonly span: Span;
      readonly initial: readonly Statement[];
      readonly condition: Expression | undefined;
      readonly update: readonly Expression[];
      readonly body: readonly Statement[];
    }
  | SwitchNode
  /** With the label of the loop that is meant, where it is not the innermost. */
  | { readonly kind: "break" | "continue"; readonly span: Span; readonly label?: string }
  /** A function in a script or configuration. */
  | FunctionNode
  /** `enum`, `record` and classes in old scripts. */
  | ClassNode;

export interface DeclarationNode {
  readonly kind: "declare";
  readonly span: Span;
  readonly name: Name;
  readonly type?: TypeName;
  readonly value: Expression | undefined;
}

export interface TryNode {
  readonly kind: "try";
  readonly span: Span;
  readonly body: readonly Statement[];
  readonly catches: readonly {
    readonly types: readonly TypeName[];
    readonly name: Name;
    readonly body: readonly Statement[];
  }[];
  readonly last: readonly Statement[] | undefined;
}

export interface SwitchNode {
  readonly kind: "switch";
  readonly span: Span;
  readonly value: Expression;
  readonly cases: readonly {
    /** undefined: `default`. */
    readonly match: Expression | undefined;
    readonly body: readonly Statement[];
  }[];
}

export interface FunctionNode {
  readonly kind: "function";
  readonly span: Span;
  readonly name: Name;
  readonly parameters: readonly ParameterNode[];
  readonly body: readonly Statement[];
  readonly isStatic: boolean;
}

export interface ClassNode {
  readonly kind: "class";
  readonly span: Span;
  readonly name: Name;
  readonly what: "class" | "enum" | "record";
  readonly parent: TypeName | undefined;
  readonly fields: readonly {
    readonly name: Name;
    readonly type?: TypeName;
    readonly value: Expression | undefined;
    readonly isStatic: boolean;
  }[];
  readonly methods: readonly FunctionNode[];
  /** Names of an enum. */
  readonly constants: readonly Name[];
  /** Classes within the class. */
  readonly nested: readonly ClassNode[];
}

// --- declarations of a script

export interface IncludeNode {
  readonly kind: "include";
  readonly span: Span;
  readonly names: readonly { readonly name: Name; readonly alias: Name | undefined }[];
  readonly from: { readonly text: string; readonly span: Span };
  /** `addParams(…)` and `params(…)` of old scripts. */
  readonly params: readonly Argument[];
  /** They are added to those of the script that includes. */
  readonly addsParams: boolean;
}

export interface TypedParameter {
  readonly name: Name;
  readonly type?: TypeName;
  readonly value: Expression | undefined;
}

export interface ParamsNode {
  readonly kind: "params";
  readonly span: Span;
  readonly parameters: readonly TypedParameter[];
}

export interface ProcessNode {
  readonly kind: "process";
  readonly span: Span;
  readonly name: Name;
  readonly directives: readonly Statement[];
  readonly inputs: readonly Statement[];
  /** `stage:` of typed processes. */
  readonly stages: readonly Statement[];
  readonly outputs: readonly Statement[];
  readonly topics: readonly Statement[];
  readonly when: Expression | undefined;
  readonly script: ProcessBody | undefined;
  readonly stub: readonly Statement[] | undefined;
  /** Inputs and outputs with types, which 25.10 has as a preview. */
  readonly typed: boolean;
}

export interface ProcessBody {
  readonly kind: "script" | "shell" | "exec";
  readonly statements: readonly Statement[];
}

export interface WorkflowNode {
  readonly kind: "workflow";
  readonly span: Span;
  /** undefined: the entry workflow. */
  readonly name: Name | undefined;
  readonly takes: readonly Name[];
  readonly main: readonly Statement[];
  readonly emits: readonly EmitNode[];
  readonly publishes: readonly EmitNode[];
  readonly onComplete: readonly Statement[] | undefined;
  readonly onError: readonly Statement[] | undefined;
}

export interface EmitNode {
  /** undefined: an expression without a name. */
  readonly name: Name | undefined;
  readonly value: Expression;
  /** `publish: channel >> target` of the preview of workflow outputs. */
  readonly target?: Expression;
  readonly span: Span;
}

/** `output { … }` */
export interface OutputNode {
  readonly kind: "output";
  readonly span: Span;
  readonly outputs: readonly { readonly name: Name; readonly body: readonly Statement[] }[];
}

export type Item = IncludeNode | ParamsNode | ProcessNode | WorkflowNode | OutputNode | Statement;

export interface Script {
  readonly source: SourceText;
  readonly items: readonly Item[];
  /** Simple name -> qualified name, of `import`. */
  readonly imports: ReadonlyMap<string, string>;
}

// --- configuration

export type ConfigItem =
  /** `a.b.c = value` */
  | {
      readonly kind: "assign";
      readonly span: Span;
      readonly path: readonly Name[];
      readonly value: Expression;
    }
  /** `a.b { … }` */
  | {
      readonly kind: "block";
      readonly span: Span;
      readonly path: readonly Name[];
      readonly body: readonly ConfigItem[];
    }
  /** `withName: 'X' { … }` */
  | {
      readonly kind: "selector";
      readonly span: Span;
      readonly by: "withName" | "withLabel";
      readonly pattern: string;
      readonly body: readonly ConfigItem[];
    }
  | { readonly kind: "include"; readonly span: Span; readonly from: Expression }
  /** `id 'nf-schema@2.3.0'` and directives without `=`. */
  | {
      readonly kind: "directive";
      readonly span: Span;
      readonly name: Name;
      readonly arguments: readonly Argument[];
    }
  /** `if` of old configuration: its branches hold items again. */
  | {
      readonly kind: "if";
      readonly span: Span;
      readonly condition: Expression;
      readonly yes: readonly ConfigItem[];
      readonly no: readonly ConfigItem[];
    }
  /** `try { … } catch (…) { … }` around includes, in old configuration. */
  | {
      readonly kind: "try";
      readonly span: Span;
      readonly body: readonly ConfigItem[];
      readonly otherwise: readonly ConfigItem[];
    }
  /** Functions, variables and whatever else is run. */
  | { readonly kind: "statement"; readonly span: Span; readonly statement: Statement };

export interface ConfigFile {
  readonly source: SourceText;
  readonly items: readonly ConfigItem[];
  readonly imports: ReadonlyMap<string, string>;
}
