/** What the checker can find wrong with documents, tasks, workflows and calls. One function each. */
import { type Diagnostic, defined } from "../../../kernel/index.ts";
import type { WdlVersion } from "../syntax/version.ts";
import { printType, type WdlType } from "../types/type.ts";
import { type Names, type Place, problem, type Rest, suggestion } from "./diagnostics.ts";

const spec = "https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md";

function warning(code: string, place: Place, message: string, rest: Rest = {}): Diagnostic {
  return { ...problem(code, place, message, rest), severity: "warning" };
}

/** `a → b → c`; the middle of a long way round is left out. */
function pathText(path: readonly string[]): string {
  const most = 20;
  if (path.length <= most) return path.join(" → ");
  const [head, tail] = [path.slice(0, most / 2), path.slice(-most / 2)];
  return [...head, `… ${path.length - most} more …`, ...tail].join(" → ");
}

// --- imports

export function importNotFound(
  place: Place,
  uri: string,
  resolved: string,
  why: string | undefined,
): Diagnostic {
  return problem("wdl-import-not-found", place, `cannot read the imported document ${uri}`, {
    help: why === undefined ? `looked for ${resolved}` : `looked for ${resolved}: ${why}`,
    specUrl: `${spec}#import-uris`,
  });
}

export function importCycle(place: Place, path: readonly string[]): Diagnostic {
  return problem("wdl-import-cycle", place, `documents import each other: ${pathText(path)}`);
}

export function tooManyDocuments(place: Place, limit: number): Diagnostic {
  return problem("wdl-too-many-documents", place, `more than ${limit} documents are imported`);
}

export function duplicateNamespace(place: Place, name: string, first: Place): Diagnostic {
  return problem("wdl-duplicate-namespace", place, `two imports have the namespace ${name}`, {
    labels: [{ ...first, message: "the other one" }],
    help: "name one of them: import … as other",
  });
}

export function badNamespace(place: Place, name: string): Diagnostic {
  return problem(
    "wdl-bad-namespace",
    place,
    `the file name does not give a namespace: "${name}" is not a name`,
    {
      help: "add one: import … as name",
    },
  );
}

export function versionMismatch(place: Place, version: WdlVersion, imported: WdlVersion): Diagnostic {
  return warning(
    "wdl-version-mismatch",
    place,
    `a document of version ${version} imports one of version ${imported}`,
    { help: "other engines may refuse it", specUrl: `${spec}#import-statements` },
  );
}

export function unknownImportedStruct(place: Place, name: string, known: Names): Diagnostic {
  return problem(
    "wdl-unknown-struct",
    place,
    `the imported document has no struct ${name}`,
    suggestion(name, known, "its structs"),
  );
}

export function structClash(place: Place, name: string, first: Place): Diagnostic {
  return problem("wdl-struct-clash", place, `two different structs are named ${name}`, {
    labels: [{ ...first, message: "the other one" }],
    help: `import one of them under another name: import … alias ${name} as Other${name}`,
    specUrl: `${spec}#importing-and-aliasing-structs`,
  });
}

export function structCycle(place: Place, path: readonly string[]): Diagnostic {
  return problem("wdl-struct-cycle", place, `a struct cannot contain itself: ${pathText(path)}`);
}

/** `why` continues the sentence: "its structs are nested too deeply". */
export function structTooLarge(place: Place, name: string, why: string): Diagnostic {
  return problem("wdl-struct-too-large", place, `the struct ${name} is too large: ${why}`);
}

// --- documents

export function nameClash(place: Place, what: string, name: string, first: Place, other: string): Diagnostic {
  return problem("wdl-name-clash", place, `${what} ${name} has the name of ${other}`, {
    labels: [{ ...first, message: other }],
    help: "rename one of them",
    specUrl: `${spec}#namespaces`,
  });
}

export function severalWorkflows(place: Place, first: Place): Diagnostic {
  return problem("wdl-several-workflows", place, "a document can have only one workflow", {
    labels: [{ ...first, message: "the first one" }],
    help: "move the others to separate documents and import them",
  });
}

// --- tasks and sections

export function runtimeWithNew(place: Place, section: string): Diagnostic {
  return problem("wdl-runtime-and-requirements", place, `a task cannot have both runtime and ${section}`, {
    help: "move the attributes of runtime to requirements and hints",
    specUrl: `${spec}#-runtime-section`,
  });
}

export function unknownRequirement(place: Place, name: string, known: Names): Diagnostic {
  return problem("wdl-unknown-requirement", place, `unknown requirement ${name}`, {
    ...suggestion(name, known, "requirements"),
    specUrl: `${spec}#-requirements-section`,
  });
}

export function duplicateAttribute(place: Place, name: string, first: Place): Diagnostic {
  return problem("wdl-duplicate-attribute", place, `the attribute ${name} is given twice`, {
    labels: [{ ...first, message: "first here" }],
  });
}

export function requirementType(place: Place, name: string, found: WdlType, wanted: string): Diagnostic {
  return problem("wdl-requirement-type", place, `${name} must be ${wanted}, found ${printType(found)}`, {
    specUrl: `${spec}#requirements-attributes`,
  });
}

/** `words` say what was found and what is needed. */
export function attributeValue(place: Place, words: string, help: string | undefined): Diagnostic {
  return problem("wdl-attribute-value", place, words, {
    ...defined({ help }),
    specUrl: `${spec}#requirements-attributes`,
  });
}

export function hintNotLiteral(place: Place): Diagnostic {
  return problem("wdl-hint-not-literal", place, "hints of a workflow are plain values", {
    specUrl: `${spec}#workflow-hints`,
  });
}

export function unknownParameterMeta(place: Place, name: string, known: Names): Diagnostic {
  return warning(
    "wdl-unknown-parameter",
    place,
    `parameter_meta describes ${name}, which is neither an input nor an output`,
    suggestion(name, known, "inputs and outputs"),
  );
}

export function declarationCycle(place: Place, path: readonly string[]): Diagnostic {
  return problem("wdl-cycle", place, `the values depend on each other: ${pathText(path)}`, {
    specUrl: `${spec}#cyclic-references`,
  });
}

export function envOutsideTask(place: Place): Diagnostic {
  return problem("wdl-env", place, "env is for declarations of tasks", {
    specUrl: `${spec}#environment-variables`,
  });
}

// --- workflows

export function scatterOverNonArray(place: Place, found: WdlType): Diagnostic {
  return problem("wdl-scatter", place, `scatter needs an Array, found ${printType(found)}`);
}

export function unknownNamespace(place: Place, name: string, known: Names): Diagnostic {
  return problem(
    "wdl-unknown-namespace",
    place,
    `unknown namespace ${name}`,
    suggestion(name, known, "imported namespaces"),
  );
}

export function unknownCallee(place: Place, name: string, known: Names): Diagnostic {
  return problem(
    "wdl-unknown-task",
    place,
    `there is no task or workflow ${name}`,
    suggestion(name, known, "tasks and workflows"),
  );
}

export function recursiveCall(place: Place, name: string): Diagnostic {
  return problem("wdl-recursive-call", place, `workflow ${name} cannot call itself`);
}

export function unknownAfter(place: Place, name: string, known: Names): Diagnostic {
  return problem("wdl-unknown-call", place, `there is no call ${name}`, suggestion(name, known, "calls"));
}

export function unknownCallInput(
  place: Place,
  name: string,
  callee: string,
  known: Names,
  isPrivate: Place | undefined,
): Diagnostic {
  if (isPrivate !== undefined) {
    return problem("wdl-unknown-input", place, `${name} is not an input of ${callee}`, {
      labels: [{ ...isPrivate, message: `${name} is declared here, outside the input section` }],
      help: "move the declaration to the input section",
    });
  }
  return problem(
    "wdl-unknown-input",
    place,
    `${callee} has no input ${name}`,
    suggestion(name, known, "inputs"),
  );
}

export function duplicateCallInput(place: Place, name: string, first: Place): Diagnostic {
  return problem("wdl-duplicate-input", place, `the input ${name} is given twice`, {
    labels: [{ ...first, message: "first here" }],
  });
}

/** Named in one message. */
export const mostMissing = 20;

export function missingCallInputs(
  place: Place,
  callee: string,
  missing: readonly { readonly name: string; readonly type: WdlType }[],
  nested: string,
): Diagnostic {
  const shown = missing.slice(0, mostMissing).map((each) => `${each.name} (${printType(each.type)})`);
  const more = missing.length > shown.length ? ", …" : "";
  return problem("wdl-missing-input", place, `the call of ${callee} lacks ${shown.join(", ")}${more}`, {
    help: `give ${missing.length === 1 ? "it" : "them"} here, or let the user give them with ${nested}`,
    specUrl: `${spec}#call-statement`,
  });
}

export function unsetNestedInputs(place: Place, callee: string, missing: readonly string[]): Diagnostic {
  return warning(
    "wdl-unset-nested-input",
    place,
    `required inputs of ${callee} are left to the user: ${missing.slice(0, mostMissing).join(", ")}${missing.length > mostMissing ? ", …" : ""}`,
    { help: "this is deprecated: make them inputs of the workflow" },
  );
}

export function tooManyOutputs(place: Place, limit: number): Diagnostic {
  return problem("wdl-too-many-outputs", place, `the calls of the workflow have more than ${limit} outputs`, {
    help: "name those that are wanted in the output section",
  });
}

export function tooManyNames(place: Place, limit: number): Diagnostic {
  return problem(
    "wdl-too-many-names",
    place,
    `scatters and conditionals inside each other export more than ${limit} names`,
    { help: "move inner sections to workflows that this one calls" },
  );
}

export function unknownSelector(
  place: Place,
  name: string,
  known: Names,
  what: "calls" | "outputs",
): Diagnostic {
  return problem(
    "wdl-unknown-output",
    place,
    `there is no call output ${name}`,
    suggestion(name, known, what),
  );
}
