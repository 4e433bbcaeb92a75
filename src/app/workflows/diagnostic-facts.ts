/**
 * Diagnostics as data. One document can be wrong in as many places as it has characters, so only the first ones are
 * described; all are counted.
 */
import {
  AppError,
  type Diagnostic,
  DiagnosticRenderer,
  defined,
  helpOf,
  shortenMessage,
} from "../../kernel/index.ts";

/** A diagnostic as data: positions count from 1. */
export interface DiagnosticFact {
  readonly severity: Diagnostic["severity"];
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly help?: string;
  /** As a terminal shows it: place, line and caret. */
  readonly text: string;
}

export interface DiagnosticReport {
  /** At most a thousand errors and a thousand others: the first ones of each, in their order. */
  readonly facts: readonly DiagnosticFact[];
  /** Of all, also of those that are not among the facts. */
  readonly errors: number;
  readonly warnings: number;
  /** How many errors, and how many others, are not among the facts. */
  readonly omitted: { readonly errors: number; readonly others: number };
  /** Of all errors, each once. */
  readonly errorCodes: readonly string[];
}

/** Errors and others are counted apart, so that warnings never hide an error. */
const mostOfEach = 1_000;
/** Near names are looked for among all names of a document, which may be thousands, and only for the first ones. */
const mostSuggestions = 100;

export function diagnosticFact(diagnostic: Diagnostic): DiagnosticFact {
  return factOf(diagnostic, new DiagnosticRenderer());
}

/** `placed` moves a diagnostic to where the user sees it; it is asked only for what is described. */
export function reportOf(
  diagnostics: readonly Diagnostic[],
  placed: (diagnostic: Diagnostic) => Diagnostic = (diagnostic) => diagnostic,
): DiagnosticReport {
  const renderer = new DiagnosticRenderer();
  const facts: DiagnosticFact[] = [];
  const errorCodes = new Set<string>();
  let errors = 0;
  let warnings = 0;
  let others = 0;
  for (const diagnostic of diagnostics) {
    const { severity, code } = diagnostic;
    if (severity === "error") errorCodes.add(code);
    if (severity === "warning") warnings++;
    const count = severity === "error" ? ++errors : ++others;
    if (count <= mostSuggestions) facts.push(factOf(placed(diagnostic), renderer));
    else if (count <= mostOfEach) facts.push(factOf(withoutSuggestion(placed(diagnostic)), renderer));
  }
  return {
    facts,
    errors,
    warnings,
    omitted: { errors: Math.max(0, errors - mostOfEach), others: Math.max(0, others - mostOfEach) },
    errorCodes: [...errorCodes],
  };
}

export function joinReports(first: DiagnosticReport, second: DiagnosticReport): DiagnosticReport {
  return {
    facts: [...first.facts, ...second.facts],
    errors: first.errors + second.errors,
    warnings: first.warnings + second.warnings,
    omitted: {
      errors: first.omitted.errors + second.omitted.errors,
      others: first.omitted.others + second.omitted.others,
    },
    errorCodes: [...new Set([...first.errorCodes, ...second.errorCodes])],
  };
}

/** The errors as a terminal shows them, at most `characters` of them, and how many there are beyond those. */
export function errorsText(report: DiagnosticReport, characters = Number.POSITIVE_INFINITY): string {
  const lines: string[] = [];
  let length = 0;
  let shown = 0;
  for (const { severity, text } of report.facts) {
    if (severity !== "error") continue;
    length += text.length + 1;
    if (length > characters && shown > 0) break;
    lines.push(text.slice(0, characters));
    shown++;
  }
  const more = report.errors - shown;
  if (more > 0) lines.push(moreText(more, "error"));
  return lines.join("\n");
}

/** `… and 39000 more errors` */
export function moreText(count: number, what: string): string {
  return `… and ${count} more ${what}${count === 1 ? "" : "s"}`;
}

export function invalid(
  code: "WORKFLOW_INVALID" | "WORKFLOW_INPUTS_INVALID",
  doing: string,
  report: DiagnosticReport,
): AppError {
  const count = report.errors === 1 ? "one error" : `${report.errors} errors`;
  const facts = { diagnostics: report.errorCodes.join(" ") };
  return new AppError(code, `${doing}: ${count}\n${errorsText(report)}`, { facts });
}

function withoutSuggestion({ help, ...rest }: Diagnostic): Diagnostic {
  return { ...rest, ...defined({ help: typeof help === "function" ? undefined : help }) };
}

function factOf(diagnostic: Diagnostic, renderer: DiagnosticRenderer): DiagnosticFact {
  const { severity, code, message, source, span } = diagnostic;
  const help = helpOf(diagnostic);
  return {
    severity,
    code,
    message: shortenMessage(message),
    file: source.name,
    ...renderer.positionOf(source, span.start),
    ...defined({ help: help === undefined ? undefined : shortenMessage(help) }),
    text: renderer.render(diagnostic, help),
  };
}
