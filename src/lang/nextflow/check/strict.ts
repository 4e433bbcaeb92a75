/** What the strict syntax does not have, which is that of Nextflow 26.04 unless the older parser is chosen. */
import type { Diagnostic, SourceText, Span } from "../../../kernel/index.ts";
import type { Item, Script } from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";
import type { Language } from "../versions.ts";

export function beyondStrict(scripts: readonly Script[], { version }: Language): readonly Diagnostic[] {
  return scripts.flatMap((script) => new StrictCheck(script.source, version).script(script));
}

class StrictCheck {
  readonly #source: SourceText;
  readonly #version: string;
  readonly #found: Diagnostic[] = [];

  constructor(source: SourceText, version: string) {
    this.#source = source;
    this.#version = version;
  }

  script({ items, imports }: Script): readonly Diagnostic[] {
    if (imports.size > 0)
      this.#refuse(
        importSpan(this.#source.text),
        "an import",
        "write the full name of the class where it is used",
      );
    const mixes = items.some(isDeclaration);
    for (const item of items) {
      if (mixes && isLoose(item))
        this.#refuse(
          item.span,
          "a statement next to declarations",
          "move it into a workflow, process or function",
        );
      if (item.kind === "include" && item.params.length > 0)
        this.#refuse(item.span, "parameters of an include", "give them to workflows and processes as inputs");
      if (item.kind === "class" && item.what === "class")
        this.#refuse(item.name.span, "a class", "move it into the folder lib of the project");
      this.#visit(item, "within");
    }
    return this.#found;
  }

  /** Assignments are statements, and nothing else. */
  #visit(node: unknown, place: "statement" | "within"): void {
    if (Array.isArray(node)) {
      for (const each of node) this.#visit(each, place);
      return;
    }
    if (typeof node !== "object" || node === null) return;
    const { kind, span, last, initial, operator } = node as {
      readonly kind?: string;
      readonly span: Span;
      readonly last?: unknown;
      readonly initial?: readonly unknown[];
      readonly operator?: string;
    };
    switch (kind) {
      case "while":
        this.#refuse(span, "a while loop", loopHelp);
        break;
      case "for-in":
        this.#refuse(span, "a for loop", loopHelp);
        break;
      case "for":
        // Several declarations in one statement are read as a loop without a body.
        if ((initial?.length ?? 0) > 1)
          this.#refuse(span, "more than one variable in a declaration", undefined);
        else this.#refuse(span, "a for loop", loopHelp);
        break;
      case "switch":
        this.#refuse(span, "a switch", "use if and else");
        break;
      case "spread":
        this.#refuse(span, "a list that is spread with *", "name its elements");
        break;
      case "step":
        this.#refuse(span, "++ or --", "use += and -=");
        break;
      case "try":
        if (last !== undefined) this.#refuse(span, "finally", undefined);
        break;
      case "assign":
        if (place === "within" && operator === undefined)
          this.#refuse(span, "an assignment within an expression", "assign in a separate statement");
        break;
    }
    // The expression of a statement is in the place of the statement; all others are within one.
    const inner = kind === "expression" ? "statement" : "within";
    for (const [name, each] of Object.entries(node)) if (name !== "source") this.#visit(each, inner);
  }

  #refuse(span: Span, what: string, help: string | undefined): void {
    this.#found.push(
      wrong.refused(
        { source: this.#source, span },
        `${what} in the strict syntax of Nextflow ${this.#version}`,
        help === undefined ? olderParser : `${help}, or ${olderParser}`,
      ),
    );
  }
}

const loopHelp = "use each, collect or another method of lists";
const olderParser = "choose the older parser with NXF_SYNTAX_PARSER=v1";

function importSpan(text: string): Span {
  const found = /^[ \t]*import\b.*/m.exec(text);
  const start = found?.index ?? 0;
  return { start, end: start + (found?.[0].length ?? 0) };
}

function isDeclaration(item: Item): boolean {
  return ["params", "process", "workflow", "output", "function"].includes(item.kind);
}

/** Neither a declaration, a switch such as `nextflow.enable.dsl = 2`, nor a default of a parameter. */
function isLoose(item: Item): boolean {
  if (isDeclaration(item) || item.kind === "include" || item.kind === "class") return false;
  if (item.kind !== "expression" || item.expression.kind !== "assign") return true;
  let { target } = item.expression;
  while (target.kind === "property") target = target.object;
  return !(target.kind === "name" && (target.name === "params" || target.name === "nextflow"));
}
