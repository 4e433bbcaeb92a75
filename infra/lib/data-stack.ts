/** What is kept: the bucket with its rules, the table of point look-ups, and what Athena knows of the files. */
import { Aws, CfnOutput, Duration, Fn, RemovalPolicy, Stack } from "aws-cdk-lib";
import { CfnWorkGroup } from "aws-cdk-lib/aws-athena";
import { AttributeType, BillingMode, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { CfnDatabase, CfnTable } from "aws-cdk-lib/aws-glue";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { ModelId } from "../../src/kernel/index.ts";
import {
  inputsTableDefinition,
  type TableDefinition,
  tableDefinition,
} from "../../src/store/predictions/index.ts";
import { acknowledge } from "./acknowledged.ts";
import type { StageModel } from "./models.ts";
import type { StageOptions } from "./options.ts";

export interface Exported {
  readonly exportName: string;
  /** For another stack. */
  readonly value: string;
}

export interface DataExports {
  readonly bucketName: Exported;
  readonly bucketArn: Exported;
  readonly tableName: Exported;
  readonly tableArn: Exported;
}

const gigabyte = 1_000_000_000;
/** What one query of Athena may read: 0.10 USD. */
const scanLimitBytes = 20 * gigabyte;

/** What CREATE EXTERNAL TABLE writes for STORED AS PARQUET and, with ROW FORMAT DELIMITED, STORED AS TEXTFILE. */
const storageFormats = {
  parquet: {
    inputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    outputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    serdeInfo: {
      serializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    },
  },
  text: {
    inputFormat: "org.apache.hadoop.mapred.TextInputFormat",
    outputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    serdeInfo: { serializationLibrary: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe" },
  },
} as const;

export class DataStack extends Stack {
  readonly bucket: Bucket;
  readonly table: Table;
  /** What the other stacks know of this one: four values, exported under names that say what they are. */
  readonly exported: DataExports;

  constructor(scope: Construct, id: string, { stage, models }: StageOptions) {
    super(scope, id);
    const keeps = stage === "prod";
    const removalPolicy = keeps ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.bucket = new Bucket(this, "Bucket", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: keeps,
      removalPolicy,
      lifecycleRules: [
        { id: "unfinished", abortIncompleteMultipartUploadAfter: Duration.days(1) },
        ...expiring({ "uploads/": 1, "results/": 2, "jobs/": 2, "athena/": 7 }),
        ...(keeps ? [{ id: "replaced", noncurrentVersionExpiration: Duration.days(14) }] : []),
      ],
    });
    acknowledge(this.bucket, "AwsSolutions::AwsSolutions-S1");
    this.table = new Table(this, "Predictions", {
      partitionKey: { name: "k", type: AttributeType.BINARY },
      sortKey: { name: "m", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      // A loop in a program costs at most some dollars an hour.
      maxReadRequestUnits: 4_000,
      maxWriteRequestUnits: 2_000,
      timeToLiveAttribute: "x",
      encryption: TableEncryption.DEFAULT,
      deletionProtection: keeps,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: keeps },
      removalPolicy,
    });
    if (!keeps) acknowledge(this.table, "AwsSolutions::AwsSolutions-DDB3");
    this.exported = {
      bucketName: this.#exported("bucket-name", this.bucket.bucketName),
      bucketArn: this.#exported("bucket-arn", this.bucket.bucketArn),
      tableName: this.#exported("table-name", this.table.tableName),
      tableArn: this.#exported("table-arn", this.table.tableArn),
    };
    const database = this.#catalog(models);
    const workGroup = this.#workGroup(keeps);
    this.#outputs({ Bucket: this.bucket.bucketName, Table: this.table.tableName, database, workGroup });
  }

  #exported(name: string, value: string): Exported {
    const exportName = `${this.stackName}-${name}`;
    this.exportValue(value, { name: exportName });
    return { exportName, value: Fn.importValue(exportName) };
  }

  /** Without crawlers: where the releases are is computed from the properties of each table. */
  #catalog(models: readonly StageModel[]): string {
    const database = new CfnDatabase(this, "Database", {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: { description: "Predictions that Memoir stored" },
    });
    for (const { id: modelId, release, columns } of models) {
      const scope = { modelId: modelId as ModelId, columns };
      const location = `s3://${this.bucket.bucketName}`;
      const table = tableDefinition({ scope, location, releases: [release] });
      this.#catalogTable(database, {
        ...table,
        ...{ partition: "release", format: "parquet" },
      });
    }
    const inputs = inputsTableDefinition(`s3://${this.bucket.bucketName}`);
    this.#catalogTable(database, { ...inputs, partition: "request", format: "text" });
    return database.ref;
  }

  #catalogTable(
    database: CfnDatabase,
    table: Pick<TableDefinition, "name" | "columns" | "location" | "parameters"> & {
      readonly partition: string;
      readonly format: keyof typeof storageFormats;
    },
  ): void {
    const { name, columns, location, parameters, partition, format } = table;
    new CfnTable(this, `Table-${name}`, {
      catalogId: Aws.ACCOUNT_ID,
      databaseName: database.ref,
      tableInput: {
        name,
        tableType: "EXTERNAL_TABLE",
        parameters: { ...parameters, classification: format === "text" ? "csv" : format },
        partitionKeys: [{ name: partition, type: "string" }],
        storageDescriptor: {
          columns: columns.map((column) => ({ name: column.name, type: column.type })),
          location,
          ...storageFormats[format],
        },
      },
    });
  }

  #workGroup(keeps: boolean): string {
    const group = new CfnWorkGroup(this, "WorkGroup", {
      // It has no generated name, and is one for each stack.
      name: this.stackName,
      recursiveDeleteOption: !keeps,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: scanLimitBytes,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        resultConfiguration: {
          outputLocation: `s3://${this.bucket.bucketName}/athena/`,
          encryptionConfiguration: { encryptionOption: "SSE_S3" },
        },
      },
    });
    return group.ref;
  }

  #outputs({
    database,
    workGroup,
    ...names
  }: { readonly database: string; readonly workGroup: string } & Readonly<Record<string, string>>): void {
    const values = { ...names, Database: database, WorkGroup: workGroup };
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, `${name}Name`, { value });
  }
}

function expiring(days: Readonly<Record<string, number>>) {
  return Object.entries(days).map(([prefix, count]) => ({
    ...{ id: prefix.replace("/", ""), prefix, expiration: Duration.days(count) },
  }));
}
