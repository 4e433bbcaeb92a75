/** What scripts use that the Nextflow of the run does not have yet, or only as a preview that is switched on. */
import type { Diagnostic, SourceText, Span } from "../../../kernel/index.ts";
import type { CallNode, Expression, ProcessNode, Script, Statement } from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";
import type { Language } from "../versions.ts";

/** `switches`: `nextflow.preview.topic` and the like that the configuration sets to true. */
export function missingFeatures(
  scripts: readonly Script[],
  language: Language,
  switches: ReadonlySet<string>,
): readonly Diagnostic[] {
  const on = new Set([...switches, ...scripts.flatMap(switchesIn)]);
  return scripts.flatMap((script) => new FeatureCheck(script.source, language, on).script(script));
}

/** `nextflow.preview.topic = true` at the top of a script. */
export function switchesIn({ items }: Script): readonly string[] {
  return items.flatMap((item) => {
    if (item.kind !== "expression" || item.expression.kind !== "assign") return [];
    const { target, value } = item.expression;
    const name = pathOf(target);
    return name?.startsWith("nextflow.") && value.kind === "boolean" && value.value ? [name] : [];
  });
}

function pathOf(node: Expression): string | undefined {
  if (node.kind === "name") return node.name;
  if (node.kind !== "property" || typeof node.name !== "string") return undefined;
  const object = pathOf(node.object);
  return object === undefined ? undefined : `${object}.${node.name}`;
}

class FeatureCheck {
  readonly #source: SourceText;
  readonly #language: Language;
  readonly #on: ReadonlySet<string>;
  readonly #found: Diagnostic[] = [];

  constructor(source: SourceText, language: Language, on: ReadonlySet<string>) {
    this.#source = source;
    this.#language = language;
    this.#on = on;
  }

  script({ items }: Script): readonly Diagnostic[] {
    const { rules } = this.#language;
    for (const item of items) {
      if (item.kind === "params" && !rules.parameterBlock)
        this.#later(item.span, "the block params", "25.10");
      else if (item.kind === "output")
        this.#stage(rules.workflowOutputs, item.span, "the block output", "output");
      else if (item.kind === "process") this.#process(item);
      else if (item.kind === "workflow") {
        const handlers = item.onComplete ?? item.onError;
        if (handlers !== undefined && !rules.handlerSections)
          this.#later(handlers[0]?.span ?? item.span, "a section onComplete or onError", "25.10");
        const [publish] = item.publishes;
        if (publish !== undefined)
          this.#stage(rules.workflowOutputs, publish.span, "the section publish", "output");
      }
    }
    return this.#found;
  }

  #process(node: ProcessNode): void {
    const { rules } = this.#language;
    if (node.typed && !rules.typedProcesses)
      this.#later(node.name.span, "inputs and outputs with types", "25.10");
    for (const call of node.outputs.flatMap(callsIn)) {
      if (!rules.evalOutputs && call.callee.kind === "name" && call.callee.name === "eval")
        this.#later(call.span, "the output eval", "24.04");
      if (call.arguments.some(({ name }) => name?.text === "topic"))
        this.#stage(rules.topics, call.span, "the option topic of an output", "topic");
    }
  }

  #stage(stage: "none" | "preview" | "final", span: Span, what: string, name: "output" | "topic"): void {
    if (stage === "none") this.#later(span, what, "24.04");
    else if (stage === "preview" && !this.#on.has(`nextflow.preview.${name}`))
      this.#found.push(
        wrong.refused(
          { source: this.#source, span },
          `${what} in Nextflow ${this.#language.version} without nextflow.preview.${name} = true`,
          `write nextflow.preview.${name} = true at the top of the script, or choose 25.10 with NXF_VER`,
        ),
      );
  }

  #later(span: Span, what: string, since: string): void {
    this.#found.push(
      wrong.refused(
        { source: this.#source, span },
        `${what} in Nextflow ${this.#language.version}`,
        `it exists since ${since}: choose another version with NXF_VER or manifest.nextflowVersion`,
      ),
    );
  }
}

/** The qualifiers of an output: its own, and those in its tuple. */
function callsIn(node: Statement): readonly CallNode[] {
  const value = node.kind === "expression" ? node.expression : undefined;
  const call = value?.kind === "assign" ? value.value : value;
  if (call?.kind !== "call") return [];
  return [call, ...call.arguments.flatMap(({ value: each }) => (each.kind === "call" ? [each] : []))];
}
