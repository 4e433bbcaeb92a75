/** Run caches: https://docs.aws.amazon.com/omics/latest/api/API_CreateRunCache.html and related operations. */
import { randomUUID } from "node:crypto";
import type { CacheBehavior, RunCacheRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import { activeRunStatuses } from "../find-records.ts";
import {
  arnOf,
  found,
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
} from "../operation-context.ts";

const createRunCache: OperationHandler = async (context) => {
  const { caller, parts, input, ask } = context;
  checkCacheTags(input.tags());
  const location = input.text("cacheS3Location").replace(/\/$/, "");
  if (location.endsWith("/"))
    throw new ServiceException("ValidationException", "The cacheS3Location ends with more than one slash.");
  const trouble = await parts.locations.check(location, ask);
  if (trouble !== undefined)
    throw new ServiceException(
      "ValidationException",
      `The cacheS3Location ${location} cannot be used: ${trouble}`,
    );
  const record: RunCacheRecord = {
    account: caller.account,
    id: parts.ledger.nextId(),
    uuid: randomUUID(),
    createdAt: parts.now().toISOString(),
    status: "ACTIVE",
    behavior: (input.textOr("cacheBehavior") ?? "CACHE_ON_FAILURE") as CacheBehavior,
    location,
    bucketOwner: input.textOr("cacheBucketOwnerId") ?? caller.account,
    tags: input.tags(),
    ...input.pick(["name", "description"]),
  };
  return context.create(() => parts.ledger.runCaches.insert(record), {
    arn: arnOf(context, record.account, `runCache/${record.id}`),
    id: record.id,
    status: record.status,
    tags: record.tags,
  });
};

const getRunCache: OperationHandler = async (context) => {
  const record = cacheOf(context);
  return {
    ...summary(context, record),
    description: record.description,
    cacheBucketOwnerId: record.bucketOwner,
    tags: record.tags,
  };
};

const listRunCaches: OperationHandler = async (context) =>
  pageBody(listPage(context, context.parts.ledger.runCaches, {}), (record) => summary(context, record));

const updateRunCache: OperationHandler = async (context) => {
  const { parts, input } = context;
  const record = cacheOf(context);
  parts.ledger.runCaches.put({
    ...record,
    ...input.pick(["name", "description"]),
    behavior: (input.textOr("cacheBehavior") ?? record.behavior) as CacheBehavior,
  });
  return {};
};

/** Its data stays where it is: nothing in the bucket is deleted. */
const deleteRunCache: OperationHandler = async (context) => {
  const { parts, caller } = context;
  const record = cacheOf(context);
  const using = activeRunStatuses.reduce(
    (count, status) => count + parts.ledger.runs.count(caller.account, { cacheId: record.id, status }),
    0,
  );
  if (using > 0)
    throw new ServiceException(
      "ConflictException",
      `The run cache ${record.id} is used by ${using} active run(s).`,
    );
  parts.ledger.runCaches.remove(caller.account, record.id);
  return {};
};

const cacheOptions: Readonly<Record<string, readonly string[]>> = {
  "memoir:resources": ["strict", "ignored"],
  "memoir:identity": ["etag", "content"],
  "memoir:write-through": ["yes", "no"],
};

/** A misspelt option would silently mean the default. */
export function checkCacheTags(tags: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(tags)) {
    if (!name.startsWith("memoir:")) continue;
    const values = cacheOptions[name];
    if (values === undefined)
      throw new ServiceException(
        "ValidationException",
        `The tag ${name} is not an option of a run cache; the options are ${Object.keys(cacheOptions).join(", ")}.`,
      );
    if (!values.includes(value))
      throw new ServiceException(
        "ValidationException",
        `The tag ${name} must be one of ${values.join(", ")}, got ${value}.`,
      );
  }
}

function cacheOf(context: OperationContext): RunCacheRecord {
  const id = context.input.text("id");
  return found(context.parts.ledger.runCaches.get(context.caller.account, id), "run cache", id);
}

function summary(context: OperationContext, record: RunCacheRecord): Readonly<Record<string, unknown>> {
  return {
    arn: arnOf(context, record.account, `runCache/${record.id}`),
    id: record.id,
    name: record.name,
    status: record.status,
    cacheBehavior: record.behavior,
    cacheS3Uri: `${record.location}/${record.uuid}/`,
    creationTime: record.createdAt,
  };
}

export const runCaches = {
  CreateRunCache: createRunCache,
  GetRunCache: getRunCache,
  ListRunCaches: listRunCaches,
  UpdateRunCache: updateRunCache,
  DeleteRunCache: deleteRunCache,
} as const satisfies OperationTable;
