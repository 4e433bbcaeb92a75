/** Which workflows on GitHub may do what here. They bring a token of their run; there are no long-lived keys. */
import { Aws, CfnOutput, Duration, Stack } from "aws-cdk-lib";
import {
  CfnOIDCProvider,
  PolicyDocument,
  PolicyStatement,
  Role,
  WebIdentityPrincipal,
} from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { acknowledgePrefixes } from "./acknowledged.ts";
import type { DataStack } from "./data-stack.ts";
import type { StageOptions } from "./options.ts";

export interface TrustStackOptions extends StageOptions {
  readonly data: DataStack;
}

const issuer = "token.actions.githubusercontent.com";
/** Of `cdk bootstrap`, unless it was given another one. */
const qualifier = "hnb659fds";

export class TrustStack extends Stack {
  constructor(scope: Construct, id: string, { stage, repository, oidcProviderArn, data }: TrustStackOptions) {
    super(scope, id);
    const provider =
      oidcProviderArn ??
      new CfnOIDCProvider(this, "GitHub", { url: `https://${issuer}`, clientIdList: ["sts.amazonaws.com"] })
        .ref;
    new CfnOutput(this, "ProviderArn", { value: provider });
    this.addStackDependency(data);
    const { bucketArn, tableArn } = data.exported;
    const trusted = (environment: string) =>
      new WebIdentityPrincipal(provider, {
        StringEquals: {
          [`${issuer}:aud`]: "sts.amazonaws.com",
          [`${issuer}:sub`]: `repo:${repository}:environment:${environment}`,
        },
      });
    const role = (
      name: string,
      environment: string,
      hours: number,
      statements: readonly PolicyStatement[],
    ) => {
      const made = new Role(this, name, {
        assumedBy: trusted(environment),
        maxSessionDuration: Duration.hours(hours),
        inlinePolicies: { Work: new PolicyDocument({ statements: [...statements] }) },
      });
      if (statements.length > 1)
        acknowledgePrefixes(made, bucketArn.exportName, ["predictions", "libraries"]);
      new CfnOutput(this, `${name}Arn`, { value: made.roleArn });
    };
    const bootstrap = (names: readonly string[]) =>
      new PolicyStatement({
        actions: ["sts:AssumeRole"],
        resources: names.map(
          (name) =>
            `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/cdk-${qualifier}-${name}-role-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
        ),
      });
    role("DeployRole", stage, 1, [bootstrap(["deploy", "file-publishing", "lookup"])]);
    // Pull requests run in a separate environment, whose role changes nothing.
    role("DiffRole", `${stage}-diff`, 1, [bootstrap(["lookup"])]);
    const objects = (prefix: string) => `${bucketArn.value}/${prefix}/*`;
    const list = new PolicyStatement({
      actions: ["s3:ListBucket"],
      resources: [bucketArn.value],
      // Without a prefix it is the right to learn that an object does not exist.
      conditions: { StringLikeIfExists: { "s3:prefix": ["", "predictions/*", "libraries/*"] } },
    });
    const files = [
      new PolicyStatement({
        actions: ["s3:GetObject"],
        resources: [objects("predictions"), objects("libraries")],
      }),
      new PolicyStatement({
        actions: ["s3:PutObject", "s3:AbortMultipartUpload"],
        resources: [objects("predictions")],
      }),
      list,
    ];
    role("WorkerRole", `${stage}-predict`, 6, [
      ...files,
      new PolicyStatement({
        actions: ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"],
        resources: [tableArn.value],
      }),
    ]);
    role("CompactRole", `${stage}-compact`, 1, [
      ...files,
      new PolicyStatement({ actions: ["s3:DeleteObject"], resources: [objects("predictions")] }),
    ]);
  }
}
