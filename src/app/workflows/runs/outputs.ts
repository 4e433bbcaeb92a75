/** `memoir runs outputs` */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { shownState } from "../../../engine/index.ts";
import { AppError, type Ask, ExactJson, messageOf, systemErrorCode } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { type OneRunOptions, oneRun } from "./one-run.ts";

export interface OutputsResult {
  readonly run: string;
  readonly file: string;
  /** As in `outputs.json`. */
  readonly outputs: ExactJson;
  readonly text: string;
}

export async function runOutputs(
  options: OneRunOptions,
  environment: Environment,
  ask: Ask,
): Promise<OutputsResult> {
  const { record, directory } = await oneRun(options, environment, ask);
  const file = join(directory, "outputs.json");
  try {
    const text = await readFile(file, "utf8");
    return { run: record.id, file, outputs: new ExactJson(text.trimEnd()), text };
  } catch (error) {
    const state = shownState(record);
    const isMissing = systemErrorCode(error) === "ENOENT";
    const why = isMissing ? `it is ${state}, and only runs that succeed have outputs` : messageOf(error);
    throw new AppError(
      isMissing ? "RUN_WITHOUT_OUTPUTS" : "FILE_NOT_READABLE",
      `reading the outputs of ${record.id}: ${why}`,
      { cause: error },
    );
  }
}
