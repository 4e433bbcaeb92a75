/**
 * The vocabulary of the language as tables: which fields each kind of object has, in which versions, with which values.
 * Types are written `null|string|[string]|Expression|RecordName`; `Expression` alone is a text that contains one.
 * Source: the schemas of the three specifications.
 */
import type { CwlVersion } from "../model/version.ts";

export interface FieldRule {
  readonly types: string;
  readonly required?: true;
  /** First version that has the field (or this form of it). Default v1.0. */
  readonly since?: CwlVersion;
  /** Last version that has it. */
  readonly until?: CwlVersion;
  /** A map may stand for the list: its keys are this field of the items… */
  readonly subject?: string;
  /** … and a value that is not a map is this field. */
  readonly predicate?: string;
}

/** Several rules for one field: the first that the version has counts. */
export type RecordRule = Readonly<Record<string, FieldRule | readonly FieldRule[]>>;

const optionalText = { types: "null|string" } as const;
const optionalFlag = { types: "null|boolean" } as const;
const label = optionalText;
const doc = { types: "null|string|[string]" } as const;
const type = { types: "Type", required: true } as const;
const optionalType = [
  { types: "Type", until: "v1.0" },
  { types: "Type", required: true },
] as const;
const secondaryFiles = [
  { types: "null|string|[string]", until: "v1.0" },
  { types: "null|string|SecondaryFileSchema|[string|SecondaryFileSchema]" },
] as const;
/** On record fields since v1.1. */
const fieldSecondaryFiles = {
  types: "null|string|SecondaryFileSchema|[string|SecondaryFileSchema]",
  since: "v1.1",
} as const;
const listing = { types: "null|'no_listing'|'shallow_listing'|'deep_listing'", since: "v1.1" } as const;
const loadContents = { types: "null|boolean", since: "v1.1" } as const;
const intOrExpression = [
  { types: "null|long|string", until: "v1.1" },
  { types: "null|long|float|Expression" },
] as const;
const requirement = { class: { types: "string", required: true } } as const;

const parameter = {
  id: { types: "string", required: true },
  label,
  doc,
  secondaryFiles,
  streamable: optionalFlag,
} as const satisfies RecordRule;

const inputParameter = {
  ...parameter,
  format: { types: "null|string|[string]" },
  default: { types: "any" },
  type: optionalType,
  loadContents,
  loadListing: listing,
} as const satisfies RecordRule;

const outputParameter = {
  ...parameter,
  format: optionalText,
  type: optionalType,
} as const satisfies RecordRule;

const process = {
  id: optionalText,
  label,
  doc,
  class: { types: "string", required: true },
  cwlVersion: optionalText,
  requirements: { types: "null|[Requirement]", subject: "class" },
  hints: { types: "null|[any]", subject: "class" },
  intent: { types: "null|[string]", since: "v1.2" },
} as const satisfies RecordRule;

const plainInputs = {
  types: "[InputParameter]",
  required: true,
  subject: "id",
  predicate: "type",
} as const;
const plainOutputs = {
  types: "[PlainOutputParameter]",
  required: true,
  subject: "id",
  predicate: "type",
} as const;

export const schema: Readonly<Record<string, RecordRule>> = {
  CommandLineTool: {
    ...process,
    inputs: { types: "[CommandInputParameter]", required: true, subject: "id", predicate: "type" },
    outputs: { types: "[CommandOutputParameter]", required: true, subject: "id", predicate: "type" },
    baseCommand: { types: "null|string|[string]" },
    arguments: { types: "null|[string|CommandLineBinding]" },
    stdin: optionalText,
    stdout: optionalText,
    stderr: optionalText,
    successCodes: { types: "null|[int]" },
    temporaryFailCodes: { types: "null|[int]" },
    permanentFailCodes: { types: "null|[int]" },
  },
  ExpressionTool: {
    ...process,
    inputs: plainInputs,
    outputs: plainOutputs,
    expression: { types: "string", required: true },
  },
  Operation: { ...process, inputs: plainInputs, outputs: plainOutputs },
  Workflow: {
    ...process,
    inputs: plainInputs,
    outputs: { types: "[WorkflowOutputParameter]", required: true, subject: "id", predicate: "type" },
    steps: { types: "[WorkflowStep]", required: true, subject: "id" },
  },
  CommandInputParameter: { ...inputParameter, inputBinding: { types: "null|CommandLineBinding" } },
  InputParameter: {
    ...inputParameter,
    inputBinding: [{ types: "null|CommandLineBinding", until: "v1.0" }, { types: "null|InputBinding" }],
  },
  CommandOutputParameter: { ...outputParameter, outputBinding: { types: "null|CommandOutputBinding" } },
  PlainOutputParameter: {
    ...outputParameter,
    outputBinding: { types: "null|CommandOutputBinding", until: "v1.0" },
  },
  WorkflowOutputParameter: {
    ...outputParameter,
    outputBinding: { types: "null|CommandOutputBinding", until: "v1.0" },
    outputSource: { types: "null|string|[string]" },
    linkMerge: { types: "null|'merge_nested'|'merge_flattened'" },
    pickValue: { types: "null|'first_non_null'|'the_only_non_null'|'all_non_null'", since: "v1.2" },
  },
  WorkflowStep: {
    id: { types: "string", required: true },
    label,
    doc,
    in: { types: "[WorkflowStepInput]", required: true, subject: "id", predicate: "source" },
    out: { types: "[string|WorkflowStepOutput]", required: true },
    requirements: process.requirements,
    hints: process.hints,
    run: { types: "string|Process", required: true },
    when: { types: "null|Expression", since: "v1.2" },
    scatter: { types: "null|string|[string]" },
    scatterMethod: { types: "null|'dotproduct'|'nested_crossproduct'|'flat_crossproduct'" },
  },
  WorkflowStepInput: {
    id: { types: "string", required: true },
    label: { ...label, since: "v1.1" },
    source: { types: "null|string|[string]" },
    linkMerge: { types: "null|'merge_nested'|'merge_flattened'" },
    pickValue: { types: "null|'first_non_null'|'the_only_non_null'|'all_non_null'", since: "v1.2" },
    default: { types: "any" },
    valueFrom: optionalText,
    loadContents,
    loadListing: listing,
  },
  WorkflowStepOutput: { id: { types: "string", required: true } },
  SecondaryFileSchema: {
    pattern: { types: "string", required: true },
    required: { types: "null|boolean|Expression" },
  },
  InputBinding: { loadContents: optionalFlag },
  CommandLineBinding: {
    loadContents: optionalFlag,
    position: [{ types: "null|int", until: "v1.0" }, { types: "null|int|Expression" }],
    prefix: optionalText,
    separate: optionalFlag,
    itemSeparator: optionalText,
    valueFrom: optionalText,
    shellQuote: optionalFlag,
  },
  CommandOutputBinding: {
    glob: { types: "null|string|[string]" },
    loadContents: optionalFlag,
    loadListing: listing,
    outputEval: [{ types: "null|string", until: "v1.1" }, { types: "null|Expression" }],
  },
  RecordSchema: {
    type: { types: "any", required: true },
    name: optionalText,
    label,
    doc: { ...doc },
    fields: { types: "null|[RecordField]", subject: "name", predicate: "type" },
    inputBinding: { types: "null|CommandLineBinding" },
    outputBinding: { types: "null|CommandOutputBinding", until: "v1.0" },
  },
  RecordField: {
    name: { types: "string", required: true },
    type,
    label,
    doc,
    inputBinding: { types: "null|CommandLineBinding" },
    outputBinding: { types: "null|CommandOutputBinding" },
    secondaryFiles: fieldSecondaryFiles,
    streamable: { ...optionalFlag, since: "v1.1" },
    format: { types: "null|string|[string]", since: "v1.1" },
    loadContents,
    loadListing: listing,
  },
  EnumSchema: {
    type: { types: "any", required: true },
    name: optionalText,
    label,
    doc,
    symbols: { types: "[string]", required: true },
    inputBinding: { types: "null|CommandLineBinding" },
    outputBinding: { types: "null|CommandOutputBinding", until: "v1.0" },
  },
  ArraySchema: {
    type: { types: "any", required: true },
    name: optionalText,
    label,
    doc,
    items: type,
    inputBinding: { types: "null|CommandLineBinding" },
    outputBinding: { types: "null|CommandOutputBinding", until: "v1.0" },
  },
  Dirent: {
    class: optionalText,
    entryname: optionalText,
    entry: { types: "string", required: true },
    writable: optionalFlag,
  },
  EnvironmentDef: {
    envName: { types: "string", required: true },
    envValue: { types: "string", required: true },
  },
  SoftwarePackage: {
    package: { types: "string", required: true },
    version: { types: "null|[string]" },
    specs: { types: "null|[string]" },
  },
};

export interface RequirementRule {
  readonly since?: CwlVersion;
  readonly fields: RecordRule;
}

/** Requirements by class. */
export const requirementSchema: Readonly<Record<string, RequirementRule>> = {
  InlineJavascriptRequirement: { fields: { ...requirement, expressionLib: { types: "null|[string]" } } },
  SchemaDefRequirement: { fields: { ...requirement, types: { types: "[any]", required: true } } },
  DockerRequirement: {
    fields: {
      ...requirement,
      dockerPull: optionalText,
      dockerLoad: optionalText,
      dockerFile: optionalText,
      dockerImport: optionalText,
      dockerImageId: optionalText,
      dockerOutputDirectory: optionalText,
    },
  },
  SoftwareRequirement: {
    fields: {
      ...requirement,
      packages: { types: "[SoftwarePackage]", required: true, subject: "package", predicate: "specs" },
    },
  },
  InitialWorkDirRequirement: {
    fields: { ...requirement, listing: { types: "string|[any]", required: true } },
  },
  EnvVarRequirement: {
    fields: {
      ...requirement,
      envDef: { types: "[EnvironmentDef]", required: true, subject: "envName", predicate: "envValue" },
    },
  },
  ShellCommandRequirement: { fields: requirement },
  ResourceRequirement: {
    fields: {
      ...requirement,
      coresMin: intOrExpression,
      coresMax: intOrExpression,
      ramMin: intOrExpression,
      ramMax: intOrExpression,
      tmpdirMin: intOrExpression,
      tmpdirMax: intOrExpression,
      outdirMin: intOrExpression,
      outdirMax: intOrExpression,
    },
  },
  SubworkflowFeatureRequirement: { fields: requirement },
  ScatterFeatureRequirement: { fields: requirement },
  MultipleInputFeatureRequirement: { fields: requirement },
  StepInputExpressionRequirement: { fields: requirement },
  WorkReuse: {
    since: "v1.1",
    fields: { ...requirement, enableReuse: { types: "boolean|Expression", required: true } },
  },
  NetworkAccess: {
    since: "v1.1",
    fields: { ...requirement, networkAccess: { types: "boolean|Expression", required: true } },
  },
  InplaceUpdateRequirement: {
    since: "v1.1",
    fields: { ...requirement, inplaceUpdate: { types: "boolean", required: true } },
  },
  ToolTimeLimit: {
    since: "v1.1",
    fields: { ...requirement, timelimit: { types: "long|Expression", required: true } },
  },
  LoadListingRequirement: { since: "v1.1", fields: { ...requirement, loadListing: { ...listing } } },
};

/** What extensions of v1.0 were called before they became part of the language. */
export const formerNames: Readonly<Record<string, string>> = {
  "http://commonwl.org/cwltool#WorkReuse": "WorkReuse",
  "http://arvados.org/cwl#ReuseRequirement": "WorkReuse",
  "http://commonwl.org/cwltool#NetworkAccess": "NetworkAccess",
  "http://commonwl.org/cwltool#InplaceUpdateRequirement": "InplaceUpdateRequirement",
  "http://commonwl.org/cwltool#LoadListingRequirement": "LoadListingRequirement",
  "http://commonwl.org/cwltool#TimeLimit": "ToolTimeLimit",
};
