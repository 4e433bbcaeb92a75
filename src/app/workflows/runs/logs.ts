/** `memoir runs logs` */
import { join } from "node:path";
import { type CallRow, callRows, readEvents } from "../../../engine/index.ts";
import { AppError, type Ask, checkAsk, defined } from "../../../kernel/index.ts";
import { readTail } from "../../../process/index.ts";
import type { Environment } from "../../environment.ts";
import { type OneRunOptions, oneRun } from "./one-run.ts";

export interface LogsResult {
  readonly run: string;
  readonly calls: readonly {
    readonly call: string;
    readonly state: string;
    readonly directory?: string;
    readonly command?: string;
    readonly stdout?: string;
    readonly stderr?: string;
    readonly exitCode?: number;
    /** Both streams, for calls of the server whose folders no longer exist. */
    readonly log?: string;
  }[];
}

const logTailBytes = 64 << 10;

/** Output streams of calls; without a call those of the failed ones, or of all when none failed. */
export async function runLogs(
  options: OneRunOptions & { readonly call?: string },
  environment: Environment,
  ask: Ask,
): Promise<LogsResult> {
  const { record, directory } = await oneRun(options, environment, ask);
  const rows = callRows(await readEvents(directory));
  checkAsk(ask, `reading the output of ${record.id}`);
  const chosen = chooseRows(rows, options.call, record.id);
  return { run: record.id, calls: await Promise.all(chosen.map(logOf)) };
}

function chooseRows(rows: readonly CallRow[], asked: string | undefined, run: string): readonly CallRow[] {
  if (asked === undefined) {
    const failed = rows.filter((row) => row.state === "failed");
    return failed.length > 0 ? failed : rows;
  }
  const named = rows.filter((row) => isCall(row, asked));
  if (named.length > 0) return named;
  throw new AppError(
    "RUN_NOT_FOUND",
    `looking for the call ${asked} in the run ${run}: there is none of this name`,
  );
}

/** By path, by its end, or by task. */
function isCall(row: CallRow, asked: string): boolean {
  return row.call === asked || row.call.endsWith(`.${asked}`) || row.task === asked;
}

async function logOf(row: CallRow): Promise<LogsResult["calls"][number]> {
  const { call, state, directory } = row;
  if (directory === undefined) return { call, state };
  const text = (name: string) =>
    readTail(join(directory, name), logTailBytes).then(
      (tail) => tail.text,
      () => undefined,
    );
  const [command, stdout, stderr, rc] = await Promise.all(["command", "stdout", "stderr", "rc"].map(text));
  return {
    call,
    state,
    directory,
    ...defined({ command, stdout, stderr }),
    ...(rc === undefined || rc.trim() === "" ? {} : { exitCode: Number(rc) }),
  };
}
