/** What workflows and their versions have in common: one definition, checked while the request waits. */

import { randomUUID } from "node:crypto";
import type { DefinitionSource } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import type { DefinitionRecord } from "../../ledger/index.ts";
import {
  containerRegistryMap,
  faultMessage,
  faultsMessage,
  ServiceException,
  validateMembers,
} from "../../protocol/index.ts";
import { type OperationContext, readNamedText } from "../operation-context.ts";

/** Members that are kept and given back, and otherwise change nothing here. */
const echoedNames = [
  "containerRegistryMap",
  "containerRegistryMapUri",
  "parameterTemplatePath",
  "workflowBucketOwnerId",
];

export async function registerDefinition(context: OperationContext): Promise<DefinitionRecord> {
  const { caller, parts, input, ask } = context;
  const source = sourceOf(context);
  const main = mainOf(context);
  const answer = await parts.definitions.register(
    {
      source,
      engine: input.textOr("engine") as DefinitionRecord["engine"] | undefined,
      main,
    },
    ask,
  );
  if (answer.kind === "unreadable") throw new ServiceException("ValidationException", answer.reason);
  const readme = await readmeOf(context);
  const registryMap = await registryMapOf(context);
  const common = {
    account: caller.account,
    id: parts.ledger.nextId(),
    uuid: randomUUID(),
    createdAt: parts.now().toISOString(),
    tags: input.tags(),
    ...defined({ readme }),
    ...input.pick(["description", "storageType", "storageCapacity", "accelerators", "readmePath"]),
    echoed: {
      ...input.pick(echoedNames),
      ...defined({ containerRegistryMap: registryMap }),
    },
  };
  if (answer.kind === "refused") {
    return {
      ...common,
      status: "FAILED",
      statusMessage: answer.reason,
      engine: answer.engine ?? ((input.textOr("engine") ?? "WDL") as DefinitionRecord["engine"]),
      main: main ?? "",
      digest: "",
      folder: "",
      parameterTemplate: templateOf(context) ?? {},
    };
  }
  const { kind: _, parameterTemplate, ...accepted } = answer;
  return {
    ...common,
    ...accepted,
    status: "ACTIVE",
    parameterTemplate: templateOf(context) ?? parameterTemplate,
    // Who sends a template means exactly its parameters.
    ...(templateOf(context) !== undefined && { furtherParameters: [], profileParameterTemplates: {} }),
  };
}

export function definitionBody(
  context: OperationContext,
  record: DefinitionRecord,
): Readonly<Record<string, unknown>> {
  const exports = context.input.texts("export");
  return {
    uuid: record.uuid,
    status: record.status,
    statusMessage: record.statusMessage,
    description: record.description,
    type: "PRIVATE",
    engine: record.engine,
    main: record.main,
    digest: record.digest === "" ? undefined : record.digest,
    parameterTemplate: record.parameterTemplate,
    profiles: record.profiles,
    profileParameterTemplates:
      Object.keys(record.profileParameterTemplates ?? {}).length === 0
        ? undefined
        : record.profileParameterTemplates,
    storageType: record.storageType ?? "DYNAMIC",
    storageCapacity: record.storageCapacity,
    accelerators: record.accelerators,
    readmePath: record.readmePath,
    ...(exports.includes("README") ? { readme: record.readme } : {}),
    ...(exports.includes("DEFINITION") ? { definition: context.definitionUrl(record.digest) } : {}),
    ...record.echoed,
    metadata: {},
    tags: record.tags,
    creationTime: record.createdAt,
  };
}

/** Changes that an update may make. */
export function updatedDefinition<T extends DefinitionRecord>(context: OperationContext, record: T): T {
  const readme = context.input.textOr("readmeMarkdown");
  return {
    ...record,
    ...context.input.pick(["name", "description", "storageType", "storageCapacity"]),
    ...defined({ readme }),
  };
}

function sourceOf(context: OperationContext): DefinitionSource {
  const { input } = context;
  const given = ["definitionZip", "definitionUri", "definitionRepository"].filter((name) => input.has(name));
  if (given.length !== 1)
    throw new ServiceException(
      "ValidationException",
      `Exactly one of definitionZip, definitionUri and definitionRepository must be given, got ${given.length === 0 ? "none" : given.join(" and ")}.`,
    );
  if (given[0] === "definitionZip")
    return { kind: "zip", pieces: input.blob("definitionZip").pieces(noBase64) };
  if (given[0] === "definitionUri") return { kind: "uri", uri: input.text("definitionUri") };
  throw new ServiceException(
    "ValidationException",
    "definitionRepository needs a code connection of AWS; send the bundle as definitionZip or name it by definitionUri.",
  );
}

function noBase64(): ServiceException {
  const message = faultMessage("definitionZip", "Member must be base64 text");
  return new ServiceException("ValidationException", faultsMessage([{ at: "definitionZip", message }]));
}

const registryMapBytes = 1024 * 1024;

/** In the request, or in a document that it names; of the latter the content counts as it is now. */
async function registryMapOf(context: OperationContext): Promise<unknown> {
  const { input } = context;
  const uri = input.textOr("containerRegistryMapUri");
  if (uri === undefined)
    return input.has("containerRegistryMap") ? input.record("containerRegistryMap") : undefined;
  if (input.has("containerRegistryMap"))
    throw new ServiceException(
      "ValidationException",
      "Only one of containerRegistryMap and containerRegistryMapUri can be given.",
    );
  const text = await readNamedText(context, uri, registryMapBytes);
  let map: unknown;
  try {
    map = JSON.parse(text);
  } catch {
    throw new ServiceException("ValidationException", `The container registry map ${uri} is not JSON.`);
  }
  const member = { shape: containerRegistryMap, required: true } as const;
  const faults = validateMembers({ containerRegistryMap: member }, { containerRegistryMap: map });
  if (faults.length > 0) throw new ServiceException("ValidationException", faultsMessage(faults));
  return map;
}

async function readmeOf(context: OperationContext): Promise<string | undefined> {
  const given = ["readmeMarkdown", "readmeUri", "readmePath"].filter((name) => context.input.has(name));
  if (given.length > 1)
    throw new ServiceException("ValidationException", `Only one of ${given.join(", ")} can be given.`);
  const uri = context.input.textOr("readmeUri");
  if (uri === undefined) return context.input.textOr("readmeMarkdown");
  return readNamedText(context, uri, 500 * 1024);
}

/** A path inside the bundle. */
function mainOf(context: OperationContext): string | undefined {
  const main = context.input.textOr("main");
  const leads =
    main !== undefined && (/^(\/|[a-z][a-z0-9+.-]*:)/i.test(main) || main.split("/").includes(".."));
  if (leads)
    throw new ServiceException(
      "ValidationException",
      `The main document ${main} is not a path inside the definition.`,
    );
  return main;
}

function templateOf(context: OperationContext): DefinitionRecord["parameterTemplate"] | undefined {
  if (!context.input.has("parameterTemplate")) return undefined;
  const given = context.input.record("parameterTemplate") as Readonly<
    Record<string, { readonly description?: string; readonly optional?: boolean }>
  >;
  return Object.fromEntries(
    Object.entries(given).map(([name, parameter]) => [
      name,
      { ...parameter, optional: parameter.optional ?? false },
    ]),
  );
}
