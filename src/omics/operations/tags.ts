/** Tags of whatever has an ARN: https://docs.aws.amazon.com/omics/latest/api/API_TagResource.html and related operations. */
import type { OwnedRecord, Table } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import type { OperationContext, OperationHandler, OperationTable } from "../operation-context.ts";
import { checkCacheTags } from "./run-caches.ts";

const maxTags = 50;

interface Tagged {
  readonly tags: Readonly<Record<string, string>>;
  replace(tags: Readonly<Record<string, string>>): void;
}

const tagResource: OperationHandler = async (context) => {
  const tagged = taggedOf(context);
  const tags = { ...tagged.tags, ...context.input.tags() };
  if (Object.keys(tags).length > maxTags)
    throw new ServiceException("ValidationException", `A resource can have ${maxTags} tags at the most.`);
  tagged.replace(tags);
  return undefined;
};

const untagResource: OperationHandler = async (context) => {
  const tagged = taggedOf(context);
  const gone = new Set(context.input.texts("tagKeys"));
  tagged.replace(Object.fromEntries(Object.entries(tagged.tags).filter(([key]) => !gone.has(key))));
  return undefined;
};

const listTagsForResource: OperationHandler = async (context) => ({ tags: taggedOf(context).tags });

function taggedOf(context: OperationContext): Tagged {
  const arn = context.input.text("resourceArn");
  const parts = /^arn:aws[a-z-]*:omics:[a-z0-9-]*:(\d{12}):(.+)$/.exec(arn);
  const missing = () =>
    new ServiceException("ResourceNotFoundException", `The resource ${arn} was not found.`);
  if (parts === null)
    throw new ServiceException(
      "ValidationException",
      `The ARN ${arn} does not name a resource of this service.`,
    );
  const [, account = "", rest = ""] = parts;
  // Another account's resources do not exist for this caller.
  if (account !== context.caller.account) throw missing();
  const { ledger } = context.parts;
  const version = /^workflow\/(\d+)\/version\/([^/]+)$/.exec(rest);
  if (version !== null) {
    const [record] = ledger.workflowVersions.all(account, {
      workflowId: version[1],
      versionName: version[2],
    });
    if (record === undefined) throw missing();
    return { tags: record.tags, replace: (tags) => ledger.workflowVersions.put({ ...record, tags }) };
  }
  const [kind = "", id = "", more] = rest.split("/");
  if (more !== undefined) throw missing();
  switch (kind) {
    case "run":
      return taggedIn(ledger.runs, account, id, missing);
    case "runCache":
      return checkedTags(taggedIn(ledger.runCaches, account, id, missing));
    case "runGroup":
      return taggedIn(ledger.runGroups, account, id, missing);
    case "runBatch":
      return taggedIn(ledger.batches, account, id, missing);
    case "workflow":
      return taggedIn(ledger.workflows, account, id, missing);
    case "configuration":
      return taggedIn(ledger.configurations, account, id, missing);
    default:
      throw missing();
  }
}

/** Tags of run caches are options. */
function checkedTags(tagged: Tagged): Tagged {
  return {
    tags: tagged.tags,
    replace: (tags) => {
      checkCacheTags(tags);
      tagged.replace(tags);
    },
  };
}

function taggedIn<T extends OwnedRecord>(
  table: Table<T>,
  account: string,
  id: string,
  missing: () => Error,
): Tagged {
  const record = table.get(account, id);
  if (record === undefined) throw missing();
  return { tags: record.tags, replace: (tags) => table.put({ ...record, tags }) };
}

export const tags = {
  TagResource: tagResource,
  UntagResource: untagResource,
  ListTagsForResource: listTagsForResource,
} as const satisfies OperationTable;
