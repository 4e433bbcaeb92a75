/** Our own rules for workflows, which actionlint does not have. Each problem names the file and the place. */
import { posix } from "node:path";
import { parse } from "yaml";

export interface WorkflowFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

type Yaml = Readonly<Record<string, unknown>>;

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly name?: string;
  readonly shell?: string;
}

interface Defaults {
  readonly run?: { readonly shell?: string };
}

interface Job {
  readonly uses?: string;
  readonly with?: Yaml;
  readonly secrets?: unknown;
  readonly steps?: readonly Step[];
  readonly defaults?: Defaults;
  readonly "timeout-minutes"?: unknown;
}

export interface Workflow {
  readonly on: Yaml;
  readonly permissions?: unknown;
  readonly defaults?: Defaults;
  readonly jobs: Readonly<Record<string, Job>>;
}

export function problemsOf(files: readonly WorkflowFile[]): readonly string[] {
  const workflows = new Map(files.map(({ path, text }) => [path, parse(text) as Workflow]));
  return files.flatMap(({ path, text }) => {
    const workflow = workflows.get(path);
    if (workflow === undefined) return [];
    const problems: string[] = [];
    if (workflow.permissions === undefined) problems.push("permissions are not said");
    if (/\bAWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)\b|\baws-secret-access-key\b/.test(text))
      problems.push("long-lived keys are used");
    for (const [name, job] of Object.entries(workflow.jobs))
      problems.push(...ofJob(job, workflow, workflows).map((problem) => `job ${name}: ${problem}`));
    return problems.map((problem) => `${path}: ${problem}`);
  });
}

function ofJob(
  job: Job,
  { defaults }: Workflow,
  workflows: ReadonlyMap<string, Workflow>,
): readonly string[] {
  const problems: string[] = [];
  if (job.secrets === "inherit") problems.push("all secrets are handed on");
  if (job.uses?.startsWith("./") === true) {
    const called = workflows.get(posix.normalize(job.uses));
    problems.push(...(called === undefined ? [`there is no ${job.uses}`] : inputProblems(job, called)));
  } else if (job["timeout-minutes"] === undefined) problems.push("it has no time limit");
  for (const uses of [job.uses, ...(job.steps ?? []).map((step) => step.uses)])
    if (uses !== undefined && !uses.startsWith("./") && !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses))
      problems.push(`${uses} is not pinned by a commit`);
  for (const { run, name, shell } of job.steps ?? []) {
    if (run?.includes("${{") === true) problems.push(`an expression is a part of the command ${name ?? run}`);
    // GitHub sets pipefail only where a shell is named.
    const named = shell ?? job.defaults?.run?.shell ?? defaults?.run?.shell;
    if (named !== "bash" && /[^|]\|[^|]/.test(run ?? ""))
      problems.push(`a failure before a pipe of ${name ?? run} is not seen: name the shell bash`);
  }
  return problems;
}

/** What is given is what is declared. */
function inputProblems({ with: given = {} }: Job, called: Workflow): readonly string[] {
  const call = (called.on["workflow_call"] ?? undefined) as { readonly inputs?: Yaml } | undefined;
  if (call === undefined) return ["the workflow cannot be called"];
  const declared = (call.inputs ?? {}) as Readonly<Record<string, { readonly required?: boolean }>>;
  return [
    ...Object.keys(given)
      .filter((name) => !Object.hasOwn(declared, name))
      .map((name) => `the input ${name} is not declared`),
    ...Object.entries(declared)
      .filter(([name, { required }]) => required === true && !Object.hasOwn(given, name))
      .map(([name]) => `the input ${name} is missing`),
  ];
}
