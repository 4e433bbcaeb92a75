/** The named shapes that operations share. */
import { integer, list, oneOf, optional, required, type Shape, structure, text, union } from "./shape.ts";

const printable = /^[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]+$/u;

export const id = text({ min: 1, max: 18, pattern: /^[0-9]+$/ });
export const name = text({ min: 1, max: 128, pattern: printable });
export const description = text({ min: 1, max: 256, pattern: printable });
export const requestId = text({ min: 1, max: 128, pattern: printable });
export const versionName = text({ min: 1, max: 64, pattern: /^[A-Za-z0-9][A-Za-z0-9\-._]*$/ });
export const configurationName = text({ min: 1, max: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9\-._]*$/ });
export const account = text({ max: 12, pattern: /^[0-9]{12}$/ });
export const arn = text({ min: 1, max: 128, pattern: /^arn:.+$/ });
export const resourceArn = text({ min: 1, max: 150, pattern: /^arn:.+$/ });
export const outputUri = text({ min: 1, max: 750, pattern: printable });
/** `file://` locations are ours, for machines without an object store. */
export const location = text({
  max: 1_100,
  pattern: /^(s3:\/\/[a-z0-9][a-z0-9\-.]{1,61}[a-z0-9](\/.{0,1024})?|file:\/\/\/.{1,1024})$/,
});
export const object = text({
  max: 1_100,
  pattern: /^(s3:\/\/[a-z0-9][a-z0-9\-.]{1,61}[a-z0-9]\/.{1,1024}|file:\/\/\/.{1,1024})$/,
});
export const definitionUri = text({ min: 1, max: 256, pattern: printable });
export const main = text({ min: 1, max: 128, pattern: printable });
export const path = text({ min: 1, max: 128, pattern: printable });
export const readme = text({ max: 500 * 1024 });
export const nextToken = text({ min: 1, max: 256 });
export const maxResults = integer(1, 100);
export const priority = integer(0, 100_000);
export const storageCapacity = integer(0, 100_000);
export const groupLimit = integer(1, 100_000);
export const boolean: Shape = { kind: "boolean" };
export const definitionZip: Shape = { kind: "blob", maxBytes: 100 * 1024 * 1024 };
export const parameters: Shape = { kind: "document", maxBytes: 256 * 1024 };
export const engineSettings: Shape = { kind: "document", maxBytes: 50_000 };

export const cacheBehavior = oneOf("CACHE_ON_FAILURE", "CACHE_ALWAYS");
export const runStatus = oneOf(
  ...["PENDING", "STARTING", "RUNNING", "STOPPING", "COMPLETED", "DELETED", "CANCELLED", "FAILED"],
);
export const taskStatus = oneOf(
  ...["PENDING", "STARTING", "RUNNING", "STOPPING", "COMPLETED", "CANCELLED", "FAILED"],
);
export const engine = oneOf("WDL", "NEXTFLOW", "CWL", "WDL_LENIENT");
export const workflowType = oneOf("PRIVATE", "READY2RUN");
export const storageType = oneOf("STATIC", "DYNAMIC");
export const scratchStorageMode = oneOf("LOCAL", "SHARED");
export const retentionMode = oneOf("RETAIN", "REMOVE");
export const logLevel = oneOf("OFF", "FATAL", "ERROR", "ALL");
export const networkingMode = oneOf("RESTRICTED", "VPC");
export const accelerators = oneOf("GPU");
export const batchStatus = oneOf(
  ...["CREATING", "PENDING", "SUBMITTING", "INPROGRESS", "STOPPING", "CANCELLED", "FAILED", "PROCESSED"],
  ...["RUNS_DELETING", "RUNS_DELETED"],
);
export const submissionStatus = oneOf(
  ...["SUCCESS", "FAILED", "CANCEL_SUCCESS", "CANCEL_FAILED", "DELETE_SUCCESS", "DELETE_FAILED"],
);

export const tags: Shape = {
  kind: "map",
  key: text({ min: 1, max: 128 }),
  value: text({ min: 0, max: 256 }),
  max: 50,
};

export const runExport = list(oneOf("DEFINITION"), { max: 32 });
export const workflowExport = list(oneOf("DEFINITION", "README"), { max: 32 });

export const parameterTemplate: Shape = {
  kind: "map",
  key: text({ min: 1, max: 128, pattern: printable }),
  value: structure({
    description: optional(text({ min: 0, max: 256 })),
    optional: optional(boolean),
  }),
  min: 1,
  max: 2000,
};

const registryMapping = structure({
  upstreamRegistryUrl: optional(text({ min: 1, max: 750, pattern: printable })),
  ecrRepositoryPrefix: optional(text({ min: 1, max: 256, pattern: printable })),
  upstreamRepositoryPrefix: optional(text({ min: 2, max: 30 })),
  ecrAccountId: optional(account),
});

const imageMapping = structure({
  sourceImage: optional(text({ min: 1, max: 750, pattern: printable })),
  destinationImage: optional(text({ min: 1, max: 750, pattern: printable })),
});

export const containerRegistryMap = structure({
  registryMappings: optional(list(registryMapping, { max: 100 })),
  imageMappings: optional(list(imageMapping, { max: 100 })),
});

export const definitionRepository = structure({
  connectionArn: required(text({ min: 1, max: 256, pattern: /^arn:.+$/ })),
  fullRepositoryId: required(text({ min: 1, max: 256, pattern: /^.+\/.+$/ })),
  sourceReference: optional(
    structure({
      type: required(oneOf("BRANCH", "TAG", "COMMIT")),
      value: required(text({ min: 1, max: 256 })),
    }),
  ),
  excludeFilePatterns: optional(list(text({ min: 1, max: 256 }), { min: 1, max: 50 })),
});

export const runConfigurations = structure({
  vpcConfig: optional(
    structure({
      securityGroupIds: optional(list(text({ min: 4, max: 128, pattern: /^sg-[0-9a-f]+$/ }), { max: 5 })),
      subnetIds: optional(list(text({ min: 8, max: 128, pattern: /^subnet-[0-9a-f]+$/ }), { max: 16 })),
    }),
  ),
});

/** What StartRun and a batch's default setting have in common. */
export const runSettings = {
  workflowType: optional(workflowType),
  workflowOwnerId: optional(account),
  workflowVersionName: optional(versionName),
  name: optional(name),
  cacheId: optional(id),
  cacheBehavior: optional(cacheBehavior),
  runGroupId: optional(id),
  priority: optional(priority),
  parameters: optional(parameters),
  storageType: optional(storageType),
  storageCapacity: optional(storageCapacity),
  logLevel: optional(logLevel),
  retentionMode: optional(retentionMode),
  networkingMode: optional(networkingMode),
  configurationName: optional(configurationName),
  engineSettings: optional(engineSettings),
  scratchStorageMode: optional(scratchStorageMode),
  sessionPolicy: optional(text({ min: 1, max: 2048 })),
} as const;

export const defaultRunSetting = structure({
  ...runSettings,
  workflowId: required(id),
  roleArn: required(arn),
  outputUri: optional(outputUri),
  outputBucketOwnerId: optional(account),
  runTags: optional(tags),
});

export const batchSetting = structure({
  runSettingId: required(text({ min: 1, max: 128, pattern: printable })),
  name: optional(name),
  outputUri: optional(outputUri),
  outputBucketOwnerId: optional(account),
  priority: optional(priority),
  parameters: optional(parameters),
  runTags: optional(tags),
});

/** The largest batch that an S3 settings file may hold. */
export const maxBatchRuns = 100_000;

export const batchRunSettings = union({
  inlineSettings: optional(list(batchSetting, { min: 1, max: 100 })),
  s3UriSettings: optional(object),
});
