/** What the README of this folder promises, one assertion for each. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { routes } from "../../src/jobs/index.ts";
import type { ModelId } from "../../src/kernel/index.ts";
import {
  createTableStatement,
  inputsTableDefinition,
  tableDefinition,
} from "../../src/store/predictions/index.ts";
import { releasePath } from "../../src/store/predictions/parquet/layout.ts";
import { variables } from "../lambda/settings.ts";
import { repositoryPattern } from "../lib/options.ts";
import { servedRoutes } from "../lib/served-routes.ts";
import { served, synthesize } from "./synthesized.ts";
import { trustProblems } from "./trust-rules.ts";

const stages = { dev: synthesize("dev"), prod: synthesize("prod", { alarmEmail: "lab@example.org" }) };
const both = Object.entries(stages);

describe.each(both)("%s", (stage, { data, api, trust }) => {
  it("keeps the bucket private, encrypted, and open to TLS alone", () => {
    data.resourceCountIs("AWS::S3::Bucket", 1);
    data.hasResourceProperties("AWS::S3::Bucket", {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    data.hasResourceProperties("AWS::S3::BucketPolicy", {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
        ]),
      },
    });
  });

  it("removes what is only passing through, and never a prediction", () => {
    const [bucket] = Object.values(data.findResources("AWS::S3::Bucket"));
    const rules = bucket?.["Properties"].LifecycleConfiguration.Rules as readonly Record<string, unknown>[];
    const days = rules.map(({ Prefix, ExpirationInDays }) => [Prefix, ExpirationInDays]);
    expect(days.filter(([prefix]) => prefix !== undefined)).toEqual([
      ["uploads/", 1],
      ["results/", 2],
      ["jobs/", 2],
      ["athena/", 7],
    ]);
    expect(
      rules
        .filter(({ Prefix }) => Prefix === undefined)
        .every(({ ExpirationInDays }) => ExpirationInDays === undefined),
    ).toBe(true);
    expect(rules).toContainEqual(
      expect.objectContaining({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
    );
  });

  it("bounds what a table, a query and a flood of requests can cost", () => {
    data.hasResourceProperties("AWS::DynamoDB::Table", {
      BillingMode: "PAY_PER_REQUEST",
      OnDemandThroughput: { MaxReadRequestUnits: 4000, MaxWriteRequestUnits: 2000 },
      TimeToLiveSpecification: { AttributeName: "x", Enabled: true },
      KeySchema: [
        { AttributeName: "k", KeyType: "HASH" },
        { AttributeName: "m", KeyType: "RANGE" },
      ],
    });
    data.hasResourceProperties("AWS::Athena::WorkGroup", {
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 20_000_000_000,
      },
    });
    for (const properties of Object.values(api.findResources("AWS::Lambda::Function")))
      expect(properties["Properties"].ReservedConcurrentExecutions).toBeGreaterThan(0);
    api.hasResourceProperties("AWS::ApiGatewayV2::Stage", {
      DefaultRouteSettings: { ThrottlingBurstLimit: 100, ThrottlingRateLimit: 50 },
    });
    api.hasResourceProperties("AWS::Budgets::Budget", {
      Budget: Match.objectLike({
        BudgetLimit: { Amount: 20, Unit: "USD" },
        CostFilters: { TagKeyValue: [`user:memoir-stage$${stage}`] },
      }),
    });
  });

  it("lets nobody call a route without a signature, and has every route that only reads", () => {
    api.allResourcesProperties("AWS::ApiGatewayV2::Route", { AuthorizationType: "AWS_IAM" });
    const keys = Object.values(api.findResources("AWS::ApiGatewayV2::Route")).map(
      ({ Properties }) => Properties.RouteKey as string,
    );
    expect(keys.toSorted()).toEqual(servedRoutes.map(({ method, path }) => `${method} ${path}`).toSorted());
    const left = routes.filter(({ name }) => !servedRoutes.some((route) => route.name === name));
    expect(left.map(({ name }) => name)).toEqual(["putRows", "dropRows"]);
  });

  it("reports dead letters, failures, errors and throttling", () => {
    const alarms = Object.values(api.findResources("AWS::CloudWatch::Alarm")).map(
      ({ Properties }) => Properties,
    );
    expect(alarms.map(({ MetricName }) => MetricName).toSorted()).toEqual([
      "5xx",
      "ApproximateNumberOfMessagesVisible",
      "Errors",
      "Errors",
      "Throttles",
    ]);
    expect(alarms.every(({ AlarmActions, Threshold }) => AlarmActions.length === 1 && Threshold === 0)).toBe(
      true,
    );
    api.resourceCountIs("AWS::SNS::Subscription", stage === "prod" ? 1 : 0);
  });

  it("gives a message back after its worker cannot be running any more, and up to three times", () => {
    const [worker] = Object.values(
      api.findResources("AWS::Lambda::Function", { Properties: { Handler: "main.worker" } }),
    );
    api.hasResourceProperties("AWS::SQS::Queue", {
      RedrivePolicy: Match.objectLike({ maxReceiveCount: 3 }),
      VisibilityTimeout: Match.anyValue(),
    });
    const queues = Object.values(api.findResources("AWS::SQS::Queue")).map(({ Properties }) => Properties);
    const [jobs] = queues.filter(({ RedrivePolicy }) => RedrivePolicy !== undefined);
    expect(jobs?.["VisibilityTimeout"]).toBeGreaterThan(worker?.["Properties"].Timeout);
  });

  it("lets workflows in by the environment that they run in, and deletes with one role alone", () => {
    const roles = Object.entries(trust.findResources("AWS::IAM::Role")).map(([id, { Properties }]) => ({
      id,
      actions: Properties.Policies[0].PolicyDocument.Statement.flatMap(
        ({ Action }: { Action: unknown }) => Action,
      ) as readonly string[],
      hours: Properties.MaxSessionDuration / 3600,
    }));
    const named = (part: string) => roles.find(({ id }) => id.startsWith(part));
    const environments = ["", "-compact", "-diff", "-predict"].map((part) => `${stage}${part}`);
    expect(roles).toHaveLength(environments.length);
    expect(trustProblems(trust, { repository: "lab/memoir", environments })).toEqual([]);
    expect(
      roles.filter(({ actions }) => actions.some((action) => action.includes("Delete"))).map(({ id }) => id),
    ).toEqual([expect.stringMatching(/^CompactRole/)]);
    expect(named("DeployRole")?.actions).toEqual(["sts:AssumeRole"]);
    expect(named("DiffRole")?.actions).toEqual(["sts:AssumeRole"]);
    expect([named("WorkerRole")?.hours, named("DeployRole")?.hours]).toEqual([6, 1]);
  });

  it("grants exact actions, and on all resources none", () => {
    for (const template of [data, api, trust])
      for (const { Properties } of Object.values(template.findResources("AWS::IAM::Role")))
        for (const { PolicyDocument } of Properties.Policies ?? [])
          for (const { Action, Resource } of PolicyDocument.Statement) {
            expect([Action].flat().filter((action: string) => action.includes("*"))).toEqual([]);
            expect([Resource].flat()).not.toContain("*");
          }
    for (const template of [data, api, trust]) {
      template.resourceCountIs("AWS::IAM::Policy", 0);
      template.resourceCountIs("AWS::IAM::ManagedPolicy", 0);
    }
  });

  it("gives no resource that holds data a fixed name", () => {
    data.allResourcesProperties("AWS::S3::Bucket", { BucketName: Match.absent() });
    data.allResourcesProperties("AWS::DynamoDB::Table", { TableName: Match.absent() });
    api.allResourcesProperties("AWS::Lambda::Function", { FunctionName: Match.absent() });
    api.allResourcesProperties("AWS::SQS::Queue", { QueueName: Match.absent() });
  });

  it("logs for a month, as JSON, and never the query of an address", () => {
    api.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 30 });
    api.allResourcesProperties("AWS::Lambda::Function", {
      LoggingConfig: Match.objectLike({ LogFormat: "JSON" }),
      Architectures: ["arm64"],
    });
    const [gateway] = Object.values(api.findResources("AWS::ApiGatewayV2::Stage"));
    expect(gateway?.["Properties"].AccessLogSettings.Format).not.toMatch(
      /path|header|authorizer|querystring/i,
    );
  });

  it("names to the functions every variable that they need, and none that they do not read", () => {
    const known: readonly string[] = Object.values(variables);
    for (const { Properties } of Object.values(api.findResources("AWS::Lambda::Function"))) {
      const names = Object.keys(Properties.Environment.Variables);
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
      expect(names).toContain(variables.bucket);
    }
  });
});

it("prod keeps bucket and table when its stacks are deleted, and old versions for two weeks", () => {
  const { data } = stages.prod;
  for (const type of ["AWS::S3::Bucket", "AWS::DynamoDB::Table"])
    data.hasResource(type, { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
  data.hasResourceProperties("AWS::S3::Bucket", { VersioningConfiguration: { Status: "Enabled" } });
  data.hasResourceProperties("AWS::DynamoDB::Table", {
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  stages.dev.data.hasResource("AWS::S3::Bucket", { DeletionPolicy: "Delete" });
});

describe("the tables of Athena", () => {
  it("are those of `memoir athena ddl`: names, columns, folders and properties", () => {
    for (const { id, release, columns } of served) {
      const scope = { modelId: id as ModelId, columns };
      const location = "s3://bucket";
      const definition = tableDefinition({ scope, location, releases: [release] });
      const statement = createTableStatement({ scope, location, releases: [release], database: "memoir" });
      for (const { name, type } of definition.columns) expect(statement).toContain(`\`${name}\` ${type}`);
      const [table] = Object.values(
        stages.dev.data.findResources("AWS::Glue::Table", {
          Properties: { TableInput: { Name: definition.name } },
        }),
      );
      const input = table?.["Properties"].TableInput;
      expect(input.StorageDescriptor.Columns).toEqual(
        definition.columns.map(({ name, type }) => ({ Name: name, Type: type })),
      );
      for (const [key, value] of Object.entries(definition.parameters))
        if (!value.includes("s3://")) expect(input.Parameters[key]).toBe(value);
    }
  });

  it("include the one that keys are uploaded to, below what is removed after a day", () => {
    const definition = inputsTableDefinition("s3://bucket");
    const [table] = Object.values(
      stages.dev.data.findResources("AWS::Glue::Table", {
        Properties: { TableInput: { Name: definition.name } },
      }),
    );
    const input = table?.["Properties"].TableInput;
    expect(input.StorageDescriptor.Columns).toEqual([{ Name: "key", Type: "string" }]);
    expect(input.PartitionKeys).toEqual([{ Name: "request", Type: "string" }]);
    const template = JSON.stringify(input.Parameters["storage.location.template"]);
    expect(template).toContain("/uploads/athena/${request}/");
    expect(input.Parameters["memoir.inputs"]).toBe("1");
  });

  it("compute the folders that our writer writes to, and have the partition in no other column", () => {
    for (const { id, release, columns } of served) {
      const scope = { modelId: id as ModelId, columns };
      const { parameters, columns: listed } = tableDefinition({
        scope,
        location: "s3://b",
        releases: [release],
      });
      const template = parameters["storage.location.template"] ?? "";
      expect(template.match(/\$\{\w+\}/g)).toEqual(["${release}"]);
      expect(parameters["projection.release.type"]).toBe("enum");
      const folders = (parameters["projection.release.values"] ?? "")
        .split(",")
        .map((value) => template.replace("${release}", value));
      expect(folders).toEqual([`s3://b/${releasePath(id, release)}`]);
      expect(listed.map(({ name }) => name)).not.toContain("release");
    }
  });
});

it("trusts a repository by its ids where its tokens have them, and nothing that is not a repository", () => {
  const repository = "lab@12/memoir@345";
  const { trust } = synthesize("dev", { repository });
  const environments = ["dev", "dev-compact", "dev-diff", "dev-predict"];
  expect(trustProblems(trust, { repository, environments })).toEqual([]);
  expect(trustProblems(trust, { repository: "lab/memoir", environments })).toHaveLength(4);
  expect(["lab/memoir", repository].every((each) => repositoryPattern.test(each))).toBe(true);
  for (const wrong of [
    "lab",
    "lab/*",
    "lab@12/memoir",
    "lab/memoir@345",
    "lab@x/memoir@1",
    "lab/memoir:ref:*",
  ])
    expect([wrong, repositoryPattern.test(wrong)]).toEqual([wrong, false]);
});

it("the README says that nothing of this was run on AWS", () => {
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  expect(readme).toContain("has not been run on AWS");
});
