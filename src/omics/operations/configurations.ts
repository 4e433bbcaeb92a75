/** Configurations are stored and echoed: https://docs.aws.amazon.com/omics/latest/api/API_CreateConfiguration.html */
import { randomUUID } from "node:crypto";
import type { ConfigurationRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import {
  arnOf,
  found,
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
} from "../operation-context.ts";

const createConfiguration: OperationHandler = async (context) => {
  const { caller, parts, input } = context;
  const name = input.text("name");
  if (parts.ledger.configurations.get(caller.account, name) !== undefined)
    throw new ServiceException("ConflictException", `A configuration named ${name} exists already.`);
  const record: ConfigurationRecord = {
    account: caller.account,
    id: name,
    name,
    uuid: randomUUID(),
    status: "ACTIVE",
    createdAt: parts.now().toISOString(),
    runConfigurations: input.record("runConfigurations"),
    tags: input.tags(),
    ...input.pick(["description"]),
  };
  return context.create(() => parts.ledger.configurations.insert(record), whole(context, record));
};

const getConfiguration: OperationHandler = async (context) => whole(context, configurationOf(context));

const listConfigurations: OperationHandler = async (context) =>
  pageBody(listPage(context, context.parts.ledger.configurations, {}, { usual: 10 }), (record) => {
    const { runConfigurations: _, tags: __, uuid: ___, ...rest } = whole(context, record);
    return rest;
  });

const deleteConfiguration: OperationHandler = async (context) => {
  const record = configurationOf(context);
  context.parts.ledger.configurations.remove(record.account, record.id);
  return {};
};

function configurationOf(context: OperationContext): ConfigurationRecord {
  const name = context.input.text("name");
  return found(context.parts.ledger.configurations.get(context.caller.account, name), "configuration", name);
}

function whole(context: OperationContext, record: ConfigurationRecord) {
  return {
    arn: arnOf(context, record.account, `configuration/${record.name}`),
    uuid: record.uuid,
    name: record.name,
    description: record.description,
    runConfigurations: record.runConfigurations,
    status: record.status,
    creationTime: record.createdAt,
    tags: record.tags,
  };
}

/** What runs show of their configuration. */
export function configurationOfRun(
  context: OperationContext,
  account: string,
  name: unknown,
): Readonly<Record<string, unknown>> | undefined {
  const record =
    typeof name === "string" ? context.parts.ledger.configurations.get(account, name) : undefined;
  if (record === undefined) return undefined;
  return {
    configuration: {
      name: record.name,
      arn: arnOf(context, record.account, `configuration/${record.name}`),
      uuid: record.uuid,
    },
    vpcConfig: record.runConfigurations["vpcConfig"],
  };
}

export const configurations = {
  CreateConfiguration: createConfiguration,
  GetConfiguration: getConfiguration,
  ListConfigurations: listConfigurations,
  DeleteConfiguration: deleteConfiguration,
} as const satisfies OperationTable;
