/**
 * What the ledger keeps: one record per run cache, workflow, version, run group, run, task, batch and configuration.
 * Records are the server's own shapes, not the wire's. Times are ISO 8601 in UTC, ids decimal strings.
 */
export interface OwnedRecord {
  /** 12 digits: whose it is. Nobody else sees it. */
  readonly account: string;
  readonly id: string;
  readonly createdAt: string;
  readonly tags: Readonly<Record<string, string>>;
}

export type CacheBehavior = "CACHE_ON_FAILURE" | "CACHE_ALWAYS";

export interface RunCacheRecord extends OwnedRecord {
  readonly uuid: string;
  readonly status: "ACTIVE" | "DELETED" | "FAILED";
  readonly name?: string;
  readonly description?: string;
  readonly behavior: CacheBehavior;
  /** `s3://bucket/prefix` or `file:///folder`, without trailing slash. */
  readonly location: string;
  readonly bucketOwner: string;
}

export interface DefinitionRecord extends OwnedRecord {
  readonly uuid: string;
  readonly status: "CREATING" | "ACTIVE" | "UPDATING" | "DELETED" | "FAILED" | "INACTIVE";
  readonly statusMessage?: string;
  readonly description?: string;
  readonly engine: "WDL" | "WDL_LENIENT" | "CWL" | "NEXTFLOW";
  readonly main: string;
  /** `sha256:<hex>` of the bundle. */
  readonly digest: string;
  /** Absolute host folder of the unpacked bundle. */
  readonly folder: string;
  readonly parameterTemplate: Readonly<
    Record<string, { readonly description?: string; readonly optional: boolean }>
  >;
  /** Parameters whose values may name files; absent = any may. */
  readonly pathParameters?: readonly string[];
  /** Parameters that name files or folders that have to exist. */
  readonly existingInputs?: readonly string[];
  /** Parameters that runs may set although the template does not name them. */
  readonly furtherParameters?: readonly string[];
  /** Of Nextflow: what its manifest chooses, unless a run's settings do. */
  readonly engineVersion?: string;
  /** Of Nextflow: names of its profiles; absent = not known before it runs. */
  readonly profiles?: readonly string[];
  /** What runs with a profile have to give, by its name. */
  readonly profileParameterTemplates?: Readonly<Record<string, DefinitionRecord["parameterTemplate"]>>;
  /** Of Nextflow: versions that profiles choose instead of `engineVersion`. */
  readonly profileVersions?: Readonly<Record<string, string>>;
  readonly storageType?: string;
  readonly storageCapacity?: number;
  readonly accelerators?: string;
  readonly readme?: string;
  readonly readmePath?: string;
  /** Members of the request that are given back; `containerRegistryMap` is also kept to. */
  readonly echoed: Readonly<Record<string, unknown>>;
}

export interface WorkflowRecord extends DefinitionRecord {
  readonly name?: string;
}

export interface WorkflowVersionRecord extends DefinitionRecord {
  readonly workflowId: string;
  readonly versionName: string;
}

export interface RunGroupRecord extends OwnedRecord {
  readonly name?: string;
  readonly maxCpus?: number;
  readonly maxGpus?: number;
  readonly maxRuns?: number;
  /** Minutes. */
  readonly maxDuration?: number;
}

export type RunStatus =
  | "PENDING"
  | "STARTING"
  | "RUNNING"
  | "STOPPING"
  | "COMPLETED"
  | "DELETED"
  | "CANCELLED"
  | "FAILED";

export interface RunRecord extends OwnedRecord {
  readonly uuid: string;
  readonly status: RunStatus;
  readonly statusMessage?: string;
  readonly failureReason?: string;
  readonly name?: string;
  readonly workflowId: string;
  readonly workflowUuid: string;
  readonly workflowVersionName?: string;
  readonly workflowType: string;
  /** The run that this one duplicates. */
  readonly sourceRunId?: string;
  readonly cacheId?: string;
  readonly cacheBehavior?: CacheBehavior;
  readonly runGroupId?: string;
  readonly batchId?: string;
  readonly priority: number;
  /** JSON text as it was sent. */
  readonly parameters: string;
  readonly roleArn: string;
  readonly outputUri: string;
  readonly runOutputUri: string;
  readonly startedBy: string;
  readonly logLevel: string;
  readonly retentionMode: "RETAIN" | "REMOVE";
  readonly storageType: string;
  readonly storageCapacity?: number;
  readonly digest: string;
  /** What runs, as it was when the run was submitted. */
  readonly definition?: Pick<
    DefinitionRecord,
    "engine" | "main" | "folder" | "pathParameters" | "existingInputs" | "engineVersion"
  > & {
    /** The workflow's `containerRegistryMap`, as it was sent. */
    readonly registryMap?: unknown;
  };
  /** Input URI -> `etag:…`, pinned when the run starts. */
  readonly resourceDigests: Readonly<Record<string, string>>;
  readonly cancelRequested: boolean;
  readonly startTime?: string;
  readonly stopTime?: string;
  readonly echoed: Readonly<Record<string, unknown>>;
}

export type TaskStatus =
  | "PENDING"
  | "STARTING"
  | "RUNNING"
  | "STOPPING"
  | "COMPLETED"
  | "CANCELLED"
  | "FAILED";

export interface TaskRecord extends OwnedRecord {
  readonly uuid: string;
  readonly runId: string;
  readonly name: string;
  /** Path of the call in the run; with the attempt it distinguishes tasks of one run. */
  readonly callPath: string;
  readonly status: TaskStatus;
  readonly statusMessage?: string;
  readonly failureReason?: string;
  readonly cpus: number;
  /** GiB, rounded up. */
  readonly memory: number;
  readonly gpus: number;
  readonly cacheHit: boolean;
  readonly cacheUri?: string;
  /** What its attempt used; null = not known. */
  readonly usage?: {
    readonly wallSeconds: number;
    readonly cpuSeconds: number | null;
    readonly maxRssBytes: number | null;
  };
  readonly image?: { readonly image: string; readonly imageDigest?: string; readonly sourceImage: string };
  readonly startTime?: string;
  readonly stopTime?: string;
}

export interface BatchRecord extends OwnedRecord {
  readonly uuid: string;
  readonly status: string;
  readonly name?: string;
  readonly failureReason?: string;
  readonly totalRuns: number;
  readonly workflowId: string;
  readonly runGroupId?: string;
  /** JSON text as it was sent. */
  readonly defaultRunSetting: string;
  readonly submittedTime?: string;
  readonly processedTime?: string;
  readonly failedTime?: string;
}

export interface BatchRunRecord extends OwnedRecord {
  readonly batchId: string;
  readonly runSettingId: string;
  /** JSON text of the setting. */
  readonly setting: string;
  readonly submissionStatus?: string;
  readonly submissionFailureReason?: string;
  readonly submissionFailureMessage?: string;
  readonly runId?: string;
}

export interface ConfigurationRecord extends OwnedRecord {
  readonly uuid: string;
  readonly name: string;
  readonly status: "ACTIVE" | "DELETED";
  readonly description?: string;
  readonly runConfigurations: Readonly<Record<string, unknown>>;
}
