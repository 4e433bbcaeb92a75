/** Settings of the runs of a batch: read, checked, and merged with those of the batch. */
import type { BatchRecord, BatchRunRecord, CacheBehavior, RunRecord } from "../../ledger/index.ts";
import {
  batchSetting,
  boundedText,
  type Fault,
  faultMessage,
  faultsMessage,
  maxBatchRuns,
  rawItems,
  rawMember,
  rawMembers,
  ServiceException,
  validateMembers,
} from "../../protocol/index.ts";
import { Input, type OperationContext, readNamedText } from "../operation-context.ts";
import { echoedRunMembers, type RunSettings } from "../submit-run.ts";
import { nextTurn, runsAtOnce } from "./batch-pages.ts";

const settingsFileBytes = 64 * 1024 * 1024;

export function mergedSettings(batch: BatchRecord, item: BatchRunRecord): RunSettings {
  const defaults = new Input(JSON.parse(batch.defaultRunSetting) as Readonly<Record<string, unknown>>);
  const own = new Input(JSON.parse(item.setting) as Readonly<Record<string, unknown>>);
  return {
    workflowId: batch.workflowId,
    workflowVersionName: defaults.textOr("workflowVersionName"),
    name: own.textOr("name") ?? defaults.textOr("name"),
    cacheId: defaults.textOr("cacheId"),
    cacheBehavior: defaults.textOr("cacheBehavior") as CacheBehavior | undefined,
    runGroupId: defaults.textOr("runGroupId"),
    batchId: batch.id,
    priority: own.numberOr("priority") ?? defaults.numberOr("priority"),
    parameters: mergedParameters(batch.defaultRunSetting, item.setting),
    roleArn: defaults.text("roleArn"),
    outputUri: own.textOr("outputUri") ?? defaults.textOr("outputUri") ?? "",
    logLevel: defaults.textOr("logLevel"),
    retentionMode: defaults.textOr("retentionMode") as RunRecord["retentionMode"] | undefined,
    storageType: defaults.textOr("storageType"),
    storageCapacity: defaults.numberOr("storageCapacity"),
    tags: { ...defaults.tags("runTags"), ...own.tags("runTags") },
    echoed: defaults.pick(echoedRunMembers),
  };
}

/** Parameters of both, as raw texts; the run's own win. */
function mergedParameters(defaults: string, own: string): string {
  const merged = new Map<string, string>();
  for (const setting of [defaults, own]) {
    for (const [name, text] of rawMembers(rawMember(setting, "parameters") ?? "{}")) merged.set(name, text);
  }
  return `{${[...merged].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

export async function settingsOf(
  context: OperationContext,
): Promise<readonly { id: string; text: string }[]> {
  const given = new Input(context.input.record("batchRunSettings"));
  const uri = given.textOr("s3UriSettings");
  const text =
    uri === undefined
      ? (rawMember(context.raw("batchRunSettings") ?? "{}", "inlineSettings") ?? "[]")
      : await readNamedText(context, uri, settingsFileBytes);
  return readSettings(text);
}

/** One run after the other: the whole list as one value would take as long as all of them. */
async function readSettings(text: string): Promise<readonly { id: string; text: string }[]> {
  if (!text.trimStart().startsWith("[")) throw notAList();
  const settings: { id: string; text: string }[] = [];
  const ids = new Set<string>();
  for (const item of rawItems(text)) {
    if (settings.length === maxBatchRuns)
      throw new ServiceException("ValidationException", `A batch has at most ${maxBatchRuns} runs.`);
    const id = checkedSetting(item, settings.length);
    if (ids.has(id))
      throw new ServiceException(
        "ValidationException",
        "Every runSettingId must be unique within the batch.",
      );
    ids.add(id);
    settings.push({ id, text: item });
    if (settings.length % runsAtOnce === 0) await nextTurn();
  }
  if (settings.length === 0)
    throw new ServiceException("ValidationException", "The run settings of the batch are empty.");
  // Brackets of the list itself; what is between them was read above.
  if (!text.trimEnd().endsWith("]")) throw notAList();
  return settings;
}

/** Its id. */
function checkedSetting(item: string, index: number): string {
  const bounds = { textBytes: settingBytes, blobs: new Set<string>() };
  const bounded = boundedText(Buffer.from(item), bounds);
  if (bounded.kind === "refused")
    throw new ServiceException("ValidationException", `Run setting ${index}: ${bounded.reason}`);
  let value: unknown;
  try {
    value = JSON.parse(item);
  } catch {
    throw notAList();
  }
  const at = `settings.${index}`;
  const faults = [
    ...validateMembers({ [at]: { shape: batchSetting, required: true } }, { [at]: value }),
    ...parametersFaults(item, at),
  ];
  if (faults.length > 0) throw new ServiceException("ValidationException", faultsMessage(faults));
  return (value as { readonly runSettingId: string }).runSettingId;
}

/** What is documented for one run: 256 KiB of parameters, 50 tags, and the rest. */
const settingBytes = 1024 * 1024;

const parameterBytes = 256 * 1024;

function parametersFaults(setting: string, at: string): readonly Fault[] {
  const parameters = rawMember(setting, "parameters") ?? "";
  if (Buffer.byteLength(parameters) <= parameterBytes) return [];
  const place = `${at}.parameters`;
  const constraint = `Member must have length less than or equal to ${parameterBytes}`;
  return [{ at: place, message: faultMessage(place, constraint) }];
}

export function refuseLargeParameters(defaults: string): void {
  const faults = parametersFaults(defaults, "defaultRunSetting");
  if (faults.length > 0) throw new ServiceException("ValidationException", faultsMessage(faults));
}

function notAList(): ServiceException {
  return new ServiceException("ValidationException", "The run settings of the batch are not a JSON list.");
}
