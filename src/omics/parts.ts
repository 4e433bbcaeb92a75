/** What the server is made of; all of it is passed in. */
import type { DefinitionAnswer, DefinitionRequest, TaskExplanation } from "../app/index.ts";
import type { ServerKey } from "../http/index.ts";
import type { Ask } from "../kernel/index.ts";
import type { Ledger, RunRecord, TaskRecord } from "../ledger/index.ts";

export interface ServerParts {
  readonly ledger: Ledger;
  /** Empty = nobody is checked and everybody is `openAccount`; only for loopback. */
  readonly keys: readonly ServerKey[];
  readonly openAccount: string;
  readonly region: string;
  readonly definitions: Definitions;
  readonly runs: RunControl;
  readonly locations: Locations;
  readonly now: () => Date;
  /** Runs that an account may keep. Default 100,000. */
  readonly maxKeptRuns?: number;
  /** Called with what should not happen. */
  readonly onBug?: (error: unknown) => void;
}

export interface Definitions {
  /** Unpacks, checks and keeps a bundle. Throws only AppErrors, and only for failures of the server. */
  register(request: DefinitionRequest, ask: Ask): Promise<DefinitionAnswer>;
  /** The archive of a definition by its digest (64 hexadecimal digits). */
  findBundle(digest: string): Promise<{ readonly path: string; readonly sizeBytes: number } | undefined>;
}

/** Runs that are queued or under way; every change of state goes through the ledger. */
export interface RunControl {
  /** A run was inserted as PENDING: start it when its turn comes. */
  submitted(run: RunRecord): void;
  /** A cancel request was written: stop it. */
  cancelled(run: RunRecord): void;
  /** The record of an ended run was removed. */
  deleted(run: RunRecord): void;
  /** A group's limits were changed. */
  limitsChanged(): void;
  explain(run: RunRecord, task: TaskRecord, ask: Ask): Promise<TaskExplanation | undefined>;
  cacheSize(location: { readonly location: string; readonly uuid: string }, ask: Ask): Promise<unknown>;
}

export interface Locations {
  /** undefined when the place can be used; else the reason, for a ValidationException. */
  check(uri: string, ask: Ask): Promise<string | undefined>;
  /** undefined when a run may name this as an input; else the reason. */
  checkInput(value: string): string | undefined;
  /** Small documents that requests name by URI (batch settings, READMEs): text and ETag. */
  readText(
    uri: string,
    maxBytes: number,
    ask: Ask,
  ): Promise<{ readonly text: string; readonly etag: string }>;
}
