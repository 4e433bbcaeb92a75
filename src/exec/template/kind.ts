/** What the registry of executors knows of schedulers by template before a run needs one. */
import type { ExecutorKind } from "../core/index.ts";

const only = "with --executor template:";

export const templateKind: ExecutorKind = {
  name: "template",
  summary: "as jobs of PBS, LSF, Grid Engine or another scheduler that shares this machine's files",
  options: [
    {
      name: "scheduler",
      value: "name",
      choices: ["pbs", "lsf", "sge"],
      description: `${only} ready templates, of which other options replace parts`,
    },
    {
      name: "submit-command",
      value: "line",
      description: `${only} submits a job whose script is on standard input`,
    },
    { name: "status-command", value: "line", description: `${only} lists your jobs` },
    { name: "cancel-command", value: "line", description: `${only} cancels the job {id}` },
    {
      name: "job-id-pattern",
      value: "regex",
      description: `${only} finds the job's id in the answer to the submission, as its first group`,
    },
    {
      name: "status-pattern",
      value: "regex",
      description: `${only} finds (?<id>...) and (?<state>...) in a line of the list`,
    },
    {
      name: "job-states",
      value: "table",
      description: `${only} what states mean, such as "active=Q,R ended=C lost=X"; others count as active`,
    },
    {
      name: "max-jobs",
      value: "number",
      description: "with --executor slurm, template, tes or aws-batch: most jobs there at the same time",
      default: "1000",
    },
  ],
  checks: [],
  create: async (options, { env, say }) => {
    const [{ createTemplateExecutor }, { readTemplateOptions }] = await Promise.all([
      import("./template-executor.ts"),
      import("./template-options.ts"),
    ]);
    return { executor: createTemplateExecutor({ ...readTemplateOptions(options), env, say }) };
  },
};
