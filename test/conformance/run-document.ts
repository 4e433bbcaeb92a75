/** Loads one document and runs it on this machine, as the suites want it. */
import { type Ask, type Diagnostic, freshAsk, renderDiagnostic } from "../../src/kernel/index.ts";
import type { RunFailure } from "../../src/lang/core/index.ts";
import type { CheckedDocument } from "../../src/lang/wdl/check/checked.ts";
import { loadDocuments } from "../../src/lang/wdl/check/load.ts";
import type { Target } from "../../src/lang/wdl/run/input-tree.ts";
import { wdlProgram } from "../../src/lang/wdl/run/program.ts";
import { processHost } from "../../src/lang/wdl/run/testing/process-host.ts";
import type { Outputs } from "../../src/task/index.ts";
import { folderTree } from "./folder-tree.ts";

export interface DocumentRun {
  readonly folder: string;
  /** Absolute. */
  readonly document: string;
  readonly target?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Where calls leave their files. Absolute, exists. */
  readonly scratch: string;
  readonly env: Readonly<Record<string, string>>;
}

export type DocumentEnd =
  | { readonly kind: "succeeded"; readonly target: Target; readonly outputs: Outputs }
  | { readonly kind: "rejected"; readonly why: string }
  | { readonly kind: "failed"; readonly why: string; readonly exitCode?: number };

export async function runDocument(request: DocumentRun): Promise<DocumentEnd> {
  const ask: Ask = freshAsk();
  const tree = folderTree(request.folder);
  const { main, diagnostics } = await loadDocuments(tree, request.document, { lenient: false }, ask);
  const errors = diagnostics.filter((each) => each.severity === "error");
  if (main === undefined || errors.length > 0) return { kind: "rejected", why: told(errors) };
  const target = targetOf(main, request.target);
  if (target === undefined) return { kind: "rejected", why: "nothing to run" };
  const program = wdlProgram({
    target,
    interface: { kind: target.kind, name: target.name, parameters: [], outputs: [], tasks: [] },
    hostPathOf: tree.hostPathOf,
  });
  const inputs = { values: request.inputs, baseDir: request.folder };
  const wrong = await program.checkInputs(inputs, ask);
  if (wrong.length > 0) return { kind: "rejected", why: told(wrong) };
  const host = processHost({ folder: request.scratch, env: request.env });
  const result = await program.run(inputs, host, ask);
  switch (result.kind) {
    case "succeeded":
      return { kind: "succeeded", target, outputs: result.outputs };
    case "cancelled":
      return { kind: "failed", why: "cancelled" };
    case "failed":
      return {
        kind: "failed",
        why: result.failures.map(failureText).join("\n"),
        ...exitCodeOf(result.failures),
      };
  }
}

function targetOf(document: CheckedDocument, name: string | undefined): Target | undefined {
  if (name !== undefined) {
    const workflow = document.workflow?.name === name ? document.workflow : undefined;
    return workflow ?? document.tasks.get(name);
  }
  return document.workflow ?? (document.tasks.size === 1 ? [...document.tasks.values()][0] : undefined);
}

function told(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(renderDiagnostic).join("\n");
}

function failureText(failure: RunFailure): string {
  if (failure.kind === "evaluation") return renderDiagnostic(failure.diagnostic);
  const { message, stderrTail } = failure.failure;
  return `${failure.path}: ${message}${stderrTail ? `\n${stderrTail.trimEnd()}` : ""}`;
}

function exitCodeOf(failures: readonly RunFailure[]): { readonly exitCode?: number } {
  for (const failure of failures) {
    if (failure.kind === "task" && failure.failure.exitCode !== undefined)
      return { exitCode: failure.failure.exitCode };
  }
  return {};
}
