/** What the checks of cdk-nag find and we mean, each with its reason. Anything else they find fails the tests. */
import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

const reasons = {
  "AwsSolutions::AwsSolutions-S1":
    "Access logs of the bucket would cost more than its requests; CloudTrail's data events show who reads and writes.",
  "AwsSolutions::AwsSolutions-DDB3":
    "The table of this stage is filled again from the Parquet files, which are the store of record.",
  "Serverless::Serverless-SQSRedrivePolicy": "This is the queue of dead letters itself.",
  "Serverless::Serverless-LambdaDLQ":
    "It is called by the gateway, which answers failures, or by a queue, which has its own dead letters.",
  "Serverless::Serverless-LambdaTracing":
    "Every answer's duration is in its log line; tracing would add a price and a right on every resource.",
  "Serverless::Serverless-LambdaEventSourceMappingDestination":
    "Mappings of queues have no destinations: the queue moves messages that failed to its dead letters.",
} as const;

export type Acknowledged = keyof typeof reasons;

export function acknowledge(construct: IConstruct, ...ids: readonly Acknowledged[]): void {
  for (const id of ids) Validations.of(construct).acknowledge({ id, reason: reasons[id] });
}

/** A role's rights on the objects below prefixes of the bucket: each of these wildcards, and no other one. */
export function acknowledgePrefixes(
  role: IConstruct,
  bucketExport: string,
  prefixes: readonly string[],
): void {
  const reason =
    "Actions are exact; the wildcard stands for the names of objects below one prefix of one bucket.";
  for (const prefix of prefixes)
    Validations.of(role).acknowledge({
      ...{ id: `AwsSolutions::AwsSolutions-IAM5[Resource::${bucketExport}/${prefix}/*]`, reason },
    });
}
