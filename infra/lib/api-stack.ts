/** What answers: the HTTP API, its two functions, the queue between them, and who hears when something is wrong. */
import { Aws, CfnOutput, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { CfnApi, CfnIntegration, CfnRoute, CfnStage } from "aws-cdk-lib/aws-apigatewayv2";
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import {
  AnyPrincipal,
  Effect,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  CfnEventSourceMapping,
  Code,
  Function as Lambda,
  LoggingFormat,
  Runtime,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Topic, TopicPolicy } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { variables } from "../lambda/settings.ts";
import { acknowledge, acknowledgePrefixes } from "./acknowledged.ts";
import type { DataStack } from "./data-stack.ts";
import { costTag, type StageOptions } from "./options.ts";
import { servedRoutes } from "./served-routes.ts";

export interface ApiStackOptions extends StageOptions {
  readonly data: DataStack;
}

/** Below the 30 seconds after which the gateway gives up. */
const frontTimeout = Duration.seconds(28);
const workerTimeout = Duration.minutes(15);
/** A message comes again after this: never while its worker may still be running. */
const visibilityTimeout = Duration.minutes(17);

export class ApiStack extends Stack {
  readonly #options: ApiStackOptions;

  constructor(scope: Construct, id: string, options: ApiStackOptions) {
    super(scope, id);
    this.#options = options;
    this.addStackDependency(options.data);
    const { bucketName, bucketArn, tableName, tableArn } = options.data.exported;
    const dead = this.#queue("DeadJobs", {});
    acknowledge(dead, "Serverless::Serverless-SQSRedrivePolicy");
    const jobs = this.#queue("Jobs", {
      visibilityTimeout,
      deadLetterQueue: { queue: dead, maxReceiveCount: 3 },
    });
    const environment = { [variables.bucket]: bucketName.value, [variables.table]: tableName.value };
    const objects = (prefix: string) => `${bucketArn.value}/${prefix}/*`;
    const work = [
      allow(["s3:GetObject"], [objects("predictions"), objects("jobs"), objects("uploads")]),
      allow(["s3:PutObject"], [objects("jobs"), objects("results")]),
      new PolicyStatement({
        actions: ["s3:ListBucket"],
        resources: [bucketArn.value],
        // Opening the bucket asks for one key of all. Without a prefix it is the right to learn that an object does
        // not exist: who does not have it is refused instead.
        conditions: { StringLikeIfExists: { "s3:prefix": ["", "predictions/*", "jobs/*"] } },
      }),
      allow(["dynamodb:BatchGetItem"], [tableArn.value]),
    ];
    const front = this.#function("Front", {
      ...{ handler: "main.front", timeout: frontTimeout, memorySize: 512, atOnce: 20 },
      environment: { ...environment, [variables.queueUrl]: jobs.queueUrl },
      statements: [
        ...work,
        // In the name of the function: links to results and forms for uploads are signed by it.
        allow(["s3:GetObject"], [objects("results")]),
        allow(["s3:PutObject"], [objects("uploads")]),
        allow(["sqs:SendMessage"], [jobs.queueArn]),
      ],
    });
    const worker = this.#function("Worker", {
      ...{ handler: "main.worker", timeout: workerTimeout, memorySize: 1769, atOnce: 4, environment },
      statements: [
        ...work,
        allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], [jobs.queueArn]),
      ],
    });
    const mapping = new CfnEventSourceMapping(this, "WorkerJobs", {
      eventSourceArn: jobs.queueArn,
      functionName: worker.functionName,
      batchSize: 1,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 4 },
    });
    acknowledge(mapping, "Serverless::Serverless-LambdaEventSourceMappingDestination");
    const api = this.#api(front);
    this.#alarms({ api, front, worker, dead });
    new CfnOutput(this, "ApiAddress", {
      value: `https://${api.ref}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}`,
    });
  }

  #queue(id: string, more: ConstructorParameters<typeof Queue>[2]): Queue {
    const shared = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
    return new Queue(this, id, { ...shared, retentionPeriod: Duration.days(14), ...more });
  }

  #function(
    id: string,
    options: {
      readonly handler: string;
      readonly timeout: Duration;
      readonly memorySize: number;
      /** Processes at the same time: a bound of what a flood of requests costs. */
      readonly atOnce: number;
      readonly environment: Readonly<Record<string, string>>;
      readonly statements: readonly PolicyStatement[];
    },
  ): Lambda {
    const { handler, timeout, memorySize, atOnce, environment, statements } = options;
    const logGroup = new LogGroup(this, `${id}Log`, {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logs = new PolicyStatement({
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [logGroup.logGroupArn],
    });
    const role = new Role(this, `${id}Role`, {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      inlinePolicies: { Work: new PolicyDocument({ statements: [...statements, logs] }) },
    });
    const { exportName } = this.#options.data.exported.bucketArn;
    acknowledgePrefixes(role, exportName, ["predictions", "jobs", "results", "uploads"]);
    const made = new Lambda(this, id, {
      ...{ handler, timeout, memorySize, role, logGroup },
      code: Code.fromAsset(this.#options.code),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      loggingFormat: LoggingFormat.JSON,
      reservedConcurrentExecutions: atOnce,
      environment: { ...environment },
    });
    acknowledge(made, "Serverless::Serverless-LambdaDLQ", "Serverless::Serverless-LambdaTracing");
    return made;
  }

  #api(front: Lambda): CfnApi {
    const api = new CfnApi(this, "Api", { name: this.stackName, protocolType: "HTTP" });
    const integration = new CfnIntegration(this, "FrontIntegration", {
      apiId: api.ref,
      integrationType: "AWS_PROXY",
      integrationUri: front.functionArn,
      payloadFormatVersion: "2.0",
      timeoutInMillis: 29_000,
    });
    for (const { name, method, path } of servedRoutes)
      new CfnRoute(this, `Route-${name}`, {
        apiId: api.ref,
        routeKey: `${method} ${path}`,
        authorizationType: "AWS_IAM",
        target: `integrations/${integration.ref}`,
      });
    const log = new LogGroup(this, "ApiLog", {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // Neither addresses with their queries nor headers.
    const format = [
      "requestId",
      "routeKey",
      "status",
      "responseLength",
      "responseLatency",
      "integrationErrorMessage",
    ];
    new CfnStage(this, "Stage", {
      apiId: api.ref,
      stageName: "$default",
      autoDeploy: true,
      defaultRouteSettings: {
        throttlingBurstLimit: 100,
        throttlingRateLimit: 50,
        // Metrics of each route would be charged like custom ones; the alarms use those of the whole API.
        detailedMetricsEnabled: false,
      },
      accessLogSettings: {
        destinationArn: log.logGroupArn,
        format: JSON.stringify(Object.fromEntries(format.map((name) => [name, `$context.${name}`]))),
      },
    });
    front.addPermission("Gateway", {
      principal: new ServicePrincipal("apigateway.amazonaws.com"),
      sourceArn: `arn:${Aws.PARTITION}:execute-api:${Aws.REGION}:${Aws.ACCOUNT_ID}:${api.ref}/*/*`,
    });
    return api;
  }

  #alarms({
    api,
    front,
    worker,
    dead,
  }: {
    readonly api: CfnApi;
    readonly front: Lambda;
    readonly worker: Lambda;
    readonly dead: Queue;
  }): void {
    const { alarmEmail, budget = 20, stage } = this.#options;
    const topic = new Topic(this, "Alarms", { enforceSSL: true });
    if (alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(alarmEmail));
    const services = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"];
    new TopicPolicy(this, "AlarmsFrom", { topics: [topic] }).document.addStatements(
      new PolicyStatement({
        sid: "Notify",
        actions: ["sns:Publish"],
        principals: services.map((service) => new ServicePrincipal(service)),
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
      new PolicyStatement({
        sid: "OnlyEncrypted",
        effect: Effect.DENY,
        actions: ["sns:Publish"],
        principals: [new AnyPrincipal()],
        resources: [topic.topicArn],
        conditions: { Bool: { "aws:SecureTransport": "false" } },
      }),
    );
    const period = Duration.minutes(5);
    const failures = new Metric({
      ...{ namespace: "AWS/ApiGateway", metricName: "5xx", statistic: "Sum", period },
      dimensionsMap: { ApiId: api.ref },
    });
    const watched: Readonly<Record<string, Metric>> = {
      DeadJobsAlarm: dead.metricApproximateNumberOfMessagesVisible({ period, statistic: "Maximum" }),
      FailuresAlarm: failures,
      FrontErrorsAlarm: front.metricErrors({ period }),
      WorkerErrorsAlarm: worker.metricErrors({ period }),
      FrontThrottlesAlarm: front.metricThrottles({ period }),
    };
    for (const [id, metric] of Object.entries(watched))
      new Alarm(this, id, {
        metric,
        threshold: 0,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }).addAlarmAction(new SnsAction(topic));
    new CfnBudget(this, "Budget", {
      budget: {
        budgetType: "COST",
        timeUnit: "MONTHLY",
        budgetLimit: { amount: budget, unit: "USD" },
        costFilters: { TagKeyValue: [`user:${costTag}$${stage}`] },
      },
      notificationsWithSubscribers: [50, 100].map((threshold) => ({
        notification: {
          notificationType: threshold === 100 ? "FORECASTED" : "ACTUAL",
          comparisonOperator: "GREATER_THAN",
          threshold,
        },
        subscribers: [{ subscriptionType: "SNS", address: topic.topicArn }],
      })),
    });
  }
}

function allow(actions: readonly string[], resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: [...resources] });
}
