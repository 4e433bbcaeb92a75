/**
 * The operations of the AWS HealthOmics workflows API (restJson1, version 2022-11-28) as data: where each is routed,
 * what it takes, and what it answers on success. https://docs.aws.amazon.com/omics/latest/api/
 */
import {
  integer,
  list,
  type Member,
  optional,
  required,
  type StructureShape,
  structure,
  text,
} from "./shape.ts";
import * as s from "./shapes.ts";

export interface Operation {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/run/{id}`: a label is one path segment, percent-encoded. */
  readonly path: string;
  readonly success: 200 | 201 | 202 | 204;
  readonly labels: Readonly<Record<string, Member>>;
  readonly query: Readonly<Record<string, Member>>;
  readonly body: StructureShape | undefined;
  /** Repeated requests with one `requestId` answer the first answer. */
  readonly idempotent?: true;
}

const page = { maxResults: optional(s.maxResults), startingToken: optional(s.nextToken) } as const;
const idLabel = { id: required(s.id) } as const;

function get(path: string, parts: Partial<Pick<Operation, "labels" | "query">> = {}): Operation {
  return { method: "GET", path, success: 200, labels: {}, query: {}, body: undefined, ...parts };
}

function change(
  path: string,
  parts: Partial<Pick<Operation, "labels" | "success" | "method">> & {
    members?: Readonly<Record<string, Member>>;
  },
): Operation {
  const { members, ...rest } = parts;
  const body = members === undefined ? undefined : structure(members);
  return { method: "POST", path, success: 202, labels: {}, query: {}, body, ...rest };
}

function create(
  path: string,
  members: Readonly<Record<string, Member>>,
  labels: Readonly<Record<string, Member>> = {},
) {
  return {
    method: "POST",
    path,
    success: 201,
    labels,
    query: {},
    body: structure({ ...members, requestId: required(s.requestId) }),
    idempotent: true,
  } as const satisfies Operation;
}

const definition = {
  description: optional(s.description),
  engine: optional(s.engine),
  definitionZip: optional(s.definitionZip),
  definitionUri: optional(s.definitionUri),
  definitionRepository: optional(s.definitionRepository),
  main: optional(s.main),
  parameterTemplate: optional(s.parameterTemplate),
  parameterTemplatePath: optional(s.path),
  storageType: optional(s.storageType),
  storageCapacity: optional(s.storageCapacity),
  accelerators: optional(s.accelerators),
  readmeMarkdown: optional(s.readme),
  readmePath: optional(s.path),
  readmeUri: optional(s.object),
  containerRegistryMap: optional(s.containerRegistryMap),
  containerRegistryMapUri: optional(s.object),
  workflowBucketOwnerId: optional(s.account),
  tags: optional(s.tags),
} as const;

const workflowChange = {
  description: optional(s.description),
  storageType: optional(s.storageType),
  storageCapacity: optional(s.storageCapacity),
  readmeMarkdown: optional(s.readme),
} as const;

const groupLimits = {
  name: optional(s.name),
  maxCpus: optional(s.groupLimit),
  maxGpus: optional(s.groupLimit),
  maxRuns: optional(s.groupLimit),
  maxDuration: optional(s.groupLimit),
} as const;

const versionLabels = { workflowId: required(s.id), versionName: required(s.versionName) } as const;
const batchPage = { maxItems: optional(s.maxResults), startingToken: optional(s.nextToken) } as const;

export const operations = {
  CreateRunCache: create("/runCache", {
    cacheS3Location: required(s.location),
    cacheBehavior: optional(s.cacheBehavior),
    name: optional(s.name),
    description: optional(s.description),
    tags: optional(s.tags),
    cacheBucketOwnerId: optional(s.account),
  }),
  GetRunCache: get("/runCache/{id}", { labels: idLabel }),
  ListRunCaches: get("/runCache", { query: page }),
  UpdateRunCache: change("/runCache/{id}", {
    labels: idLabel,
    members: {
      name: optional(s.name),
      description: optional(s.description),
      cacheBehavior: optional(s.cacheBehavior),
    },
  }),
  DeleteRunCache: change("/runCache/{id}", { method: "DELETE", labels: idLabel }),

  StartRun: create("/run", {
    ...s.runSettings,
    workflowId: optional(s.id),
    runId: optional(s.id),
    roleArn: required(s.arn),
    outputUri: required(s.outputUri),
    tags: optional(s.tags),
  }),
  GetRun: get("/run/{id}", { labels: idLabel, query: { export: optional(s.runExport) } }),
  ListRuns: get("/run", {
    query: {
      ...page,
      name: optional(s.name),
      runGroupId: optional(s.id),
      batchId: optional(s.id),
      status: optional(s.runStatus),
    },
  }),
  CancelRun: change("/run/{id}/cancel", { labels: idLabel }),
  DeleteRun: change("/run/{id}", { method: "DELETE", labels: idLabel }),
  ListRunTasks: get("/run/{id}/task", {
    labels: idLabel,
    query: { ...page, status: optional(s.taskStatus) },
  }),
  GetRunTask: get("/run/{id}/task/{taskId}", { labels: { ...idLabel, taskId: required(s.id) } }),

  CreateWorkflow: create("/workflow", { ...definition, name: optional(s.name) }),
  GetWorkflow: get("/workflow/{id}", {
    labels: idLabel,
    query: {
      type: optional(s.workflowType),
      export: optional(s.workflowExport),
      workflowOwnerId: optional(s.account),
    },
  }),
  ListWorkflows: get("/workflow", {
    query: { ...page, type: optional(s.workflowType), name: optional(s.name) },
  }),
  UpdateWorkflow: change("/workflow/{id}", {
    labels: idLabel,
    members: { ...workflowChange, name: optional(s.name) },
  }),
  DeleteWorkflow: change("/workflow/{id}", { method: "DELETE", labels: idLabel }),
  CreateWorkflowVersion: create(
    "/workflow/{workflowId}/version",
    { ...definition, versionName: required(s.versionName) },
    { workflowId: required(s.id) },
  ),
  GetWorkflowVersion: get("/workflow/{workflowId}/version/{versionName}", {
    labels: versionLabels,
    query: {
      type: optional(s.workflowType),
      export: optional(s.workflowExport),
      workflowOwnerId: optional(s.account),
    },
  }),
  ListWorkflowVersions: get("/workflow/{workflowId}/version", {
    labels: { workflowId: required(s.id) },
    query: { ...page, type: optional(s.workflowType), workflowOwnerId: optional(s.account) },
  }),
  UpdateWorkflowVersion: change("/workflow/{workflowId}/version/{versionName}", {
    labels: versionLabels,
    members: workflowChange,
  }),
  DeleteWorkflowVersion: change("/workflow/{workflowId}/version/{versionName}", {
    method: "DELETE",
    labels: versionLabels,
  }),

  CreateRunGroup: create("/runGroup", { ...groupLimits, tags: optional(s.tags) }),
  GetRunGroup: get("/runGroup/{id}", { labels: idLabel }),
  ListRunGroups: get("/runGroup", { query: { ...page, name: optional(s.name) } }),
  UpdateRunGroup: change("/runGroup/{id}", { labels: idLabel, members: groupLimits }),
  DeleteRunGroup: change("/runGroup/{id}", { method: "DELETE", labels: idLabel }),

  StartRunBatch: create("/runBatch", {
    batchName: optional(text({ min: 1, max: 64 })),
    tags: optional(s.tags),
    defaultRunSetting: required(s.defaultRunSetting),
    batchRunSettings: required(s.batchRunSettings),
  }),
  ListBatch: get("/runBatch", {
    query: {
      ...batchPage,
      status: optional(s.batchStatus),
      name: optional(text({ min: 1, max: 64 })),
      runGroupId: optional(s.id),
    },
  }),
  GetBatch: get("/runBatch/{batchId}", { labels: { batchId: required(s.id) } }),
  DeleteBatch: change("/runBatch/{batchId}", { method: "DELETE", labels: { batchId: required(s.id) } }),
  CancelRunBatch: change("/runBatch/cancel", { members: { batchId: required(s.id) } }),
  DeleteRunBatch: change("/runBatch/delete", { members: { batchId: required(s.id) } }),
  ListRunsInBatch: get("/runBatch/{batchId}/run", {
    labels: { batchId: required(s.id) },
    query: {
      ...batchPage,
      submissionStatus: optional(s.submissionStatus),
      runSettingId: optional(text({ min: 1, max: 128 })),
      runId: optional(s.id),
    },
  }),

  CreateConfiguration: create("/configuration", {
    name: required(s.configurationName),
    runConfigurations: required(s.runConfigurations),
    description: optional(s.description),
    tags: optional(s.tags),
  }),
  GetConfiguration: get("/configuration/{name}", { labels: { name: required(s.configurationName) } }),
  ListConfigurations: get("/configuration", {
    query: { maxResults: optional(integer(1, 10)), startingToken: optional(s.nextToken) },
  }),
  DeleteConfiguration: change("/configuration/{name}", {
    method: "DELETE",
    labels: { name: required(s.configurationName) },
  }),

  TagResource: change("/tags/{resourceArn}", {
    success: 204,
    labels: { resourceArn: required(s.resourceArn) },
    members: { tags: required(s.tags) },
  }),
  UntagResource: {
    method: "DELETE",
    path: "/tags/{resourceArn}",
    success: 204,
    labels: { resourceArn: required(s.resourceArn) },
    // An empty list leaves nothing in the query.
    query: { tagKeys: optional(list(text({ min: 1, max: 128 }), { max: 50 })) },
    body: undefined,
  },
  ListTagsForResource: get("/tags/{resourceArn}", { labels: { resourceArn: required(s.resourceArn) } }),
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof operations;

/**
 * Path prefixes of the storage, annotation, variant and share families, which are outside what Memoir serves: they
 * answer NotSupportedOperationException.
 */
export const otherFamilies = [
  ...[
    "/sequencestore",
    "/sequencestores",
    "/referencestore",
    "/referencestores",
    "/annotationStore",
    "/annotationStores",
    "/variantStore",
    "/variantStores",
  ],
  ...["/import", "/share", "/shares", "/s3accesspolicy", "/accesspoint"],
] as const;
