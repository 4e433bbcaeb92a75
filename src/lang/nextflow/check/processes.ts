/** What is certainly wrong with the definition of a process: misspelt directives, sections and qualifiers. */
import { type Diagnostic, didYouMean, type Span } from "../../../kernel/index.ts";
import { scriptFunctions } from "../run/functions.ts";
import type { ProcessNode, Script, Statement } from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";
import { definedNames } from "./load.ts";

const sections = ["input", "output", "when", "script", "shell", "exec", "stub", "stage", "topic"];

const directives = new Set(
  (
    "accelerator afterScript arch array beforeScript cache cleanup clusterOptions conda container containerOptions cpus debug disk " +
    "echo errorStrategy executor ext fair hints label machineType maxErrors maxForks maxRetries maxSubmitAwait memory " +
    "module penv pod publishDir queue resourceLabels resourceLimits runtime scratch secret shell spack stageInMode " +
    "stageOutMode storeDir tag time validExitStatus"
  ).split(" "),
);

const inputs = new Set("val path file env stdin tuple set each record".split(" "));
const outputs = new Set("val path file files env stdout tuple set eval record".split(" "));

export function processProblems(script: Script): readonly Diagnostic[] {
  const functions = new Set([
    ...Object.keys(scriptFunctions),
    ...script.items.flatMap((item) => definedNames(item)),
  ]);
  return script.items.flatMap((item) => (item.kind === "process" ? ofProcess(item, script, functions) : []));
}

function ofProcess(node: ProcessNode, script: Script, functions: ReadonlySet<string>): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const report = (what: string, name: string, span: Span, known: Iterable<string>) => {
    found.push(wrong.unknownWord({ source: script.source, span }, what, name, didYouMean(name, known)));
  };
  const section = (each: Statement) => {
    if (each.kind === "labeled") report("section of a process", each.label.text, each.label.span, sections);
  };
  for (const each of node.directives) {
    section(each);
    const word = wordOf(each);
    if (word !== undefined && !directives.has(word.name) && !functions.has(word.name))
      report("directive", word.name, word.span, directives);
  }
  if (node.typed) return found;
  for (const [statements, known, what] of [
    [node.inputs, inputs, "qualifier of inputs"],
    [node.outputs, outputs, "qualifier of outputs"],
  ] as const)
    for (const each of statements) {
      section(each);
      const word = wordOf(each);
      if (word !== undefined && !known.has(word.name) && !functions.has(word.name))
        report(what, word.name, word.span, known);
    }
  return found;
}

/** The name that a statement calls. */
function wordOf(node: Statement): { readonly name: string; readonly span: Span } | undefined {
  if (node.kind !== "expression" || node.expression.kind !== "call") return undefined;
  const { callee } = node.expression;
  return callee.kind === "name" ? callee : undefined;
}
