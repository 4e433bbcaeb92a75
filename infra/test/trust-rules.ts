/** Which workflows a role lets in, read as IAM reads it. Each problem names the role. */
import type { Template } from "aws-cdk-lib/assertions";

const issuer = "token.actions.githubusercontent.com";

interface Trust {
  readonly Effect: string;
  readonly Action: unknown;
  readonly Principal?: { readonly Federated?: unknown };
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** `environments`: those of one stage, of which each role lets in exactly one. */
export function trustProblems(
  trust: Template,
  { repository, environments }: { readonly repository: string; readonly environments: readonly string[] },
): readonly string[] {
  const roles = Object.entries(trust.findResources("AWS::IAM::Role"));
  if (roles.length === 0) return ["there are no roles"];
  const letIn = new Map<string, string>();
  return roles.flatMap(([id, { Properties }]) => {
    const statements: readonly Trust[] = Properties.AssumeRolePolicyDocument.Statement;
    const problems = statements.flatMap((statement) => ofStatement(statement, repository));
    for (const { Condition } of statements) {
      const subject = String(Condition?.["StringEquals"]?.[`${issuer}:sub`]);
      const environment = /:environment:([\w-]+)$/.exec(subject)?.[1] ?? "";
      if (!environments.includes(environment)) problems.push(`${subject} is not an environment of the stage`);
      const other = letIn.get(environment);
      if (other !== undefined) problems.push(`${environment} may also take ${other}`);
      letIn.set(environment, id);
    }
    return problems.map((problem) => `${id}: ${problem}`);
  });
}

function ofStatement({ Effect, Action, Principal, Condition = {} }: Trust, repository: string): string[] {
  const problems: string[] = [];
  if (Effect !== "Allow" || Action !== "sts:AssumeRoleWithWebIdentity" || Principal?.Federated === undefined)
    problems.push("somebody other than workflows may take it");
  // Any other kind compares less: StringLike takes `*`, and ...IfExists what a token does not say.
  for (const kind of Object.keys(Condition))
    if (kind !== "StringEquals") problems.push(`${kind} compares its trust, not StringEquals`);
  const {
    [`${issuer}:aud`]: audience,
    [`${issuer}:sub`]: subject,
    ...others
  } = Condition["StringEquals"] ?? {};
  if (audience !== "sts.amazonaws.com") problems.push("tokens for another audience are taken");
  if (typeof subject !== "string" || !subject.startsWith(`repo:${repository}:environment:`))
    problems.push(`workflows of ${String(subject)} may take it`);
  else if (/[*?]/.test(subject)) problems.push(`${subject} is a pattern`);
  for (const name of Object.keys(others)) problems.push(`${name} is not a claim that is meant here`);
  return problems;
}
