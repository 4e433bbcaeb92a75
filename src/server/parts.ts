/** What the server is made of; all of it is passed in. */
import type { Ask } from "../kernel/index.ts";
import type { DefinitionRecord, Ledger, RunRecord, TaskRecord } from "../ledger/index.ts";
import type { AccessKey } from "../protocol/index.ts";

export interface ConfiguredKey extends AccessKey {
  /** 12 digits. */
  readonly account: string;
}

export interface ServerParts {
  readonly ledger: Ledger;
  /** Empty = nobody is checked and everybody is `openAccount`; only for loopback. */
  readonly keys: readonly ConfiguredKey[];
  readonly openAccount: string;
  readonly region: string;
  readonly definitions: Definitions;
  readonly runs: RunDesk;
  readonly locations: Locations;
  readonly now: () => Date;
  /** Runs that an account may keep. Default 100,000. */
  readonly maxKeptRuns?: number;
  /** Told of every request that ended; never of bodies or credentials. */
  readonly onRequest?: (line: RequestLine) => void;
  /** Told of what should not happen. */
  readonly onBug?: (error: unknown) => void;
}

export interface RequestLine {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly operation: string | undefined;
  readonly account: string | undefined;
  readonly status: number;
  readonly durationMs: number;
}

/** Where a workflow's definition comes from: exactly one. */
export type DefinitionSource =
  | { readonly kind: "zip"; readonly bytes: Uint8Array }
  | { readonly kind: "uri"; readonly uri: string };

export interface DefinitionRequest {
  readonly source: DefinitionSource;
  readonly engine: DefinitionRecord["engine"] | undefined;
  readonly main: string | undefined;
}

/** What reading a bundle gave. */
export type DefinitionAnswer =
  | {
      readonly kind: "accepted";
      readonly engine: DefinitionRecord["engine"];
      readonly main: string;
      readonly digest: string;
      readonly folder: string;
      /** Made from the document's inputs; used when the request has none. */
      readonly parameterTemplate: DefinitionRecord["parameterTemplate"];
      /** Those whose values may name files. */
      readonly pathParameters: readonly string[];
      /** An outline of the workflow and its warnings, for people. */
      readonly statusMessage: string;
    }
  /** The bundle cannot be a workflow: the reason goes to the status message. */
  | { readonly kind: "refused"; readonly reason: string };

export interface Definitions {
  /** Unpacks, checks and keeps a bundle. Throws only AppErrors of our own trouble. */
  register(request: DefinitionRequest, ask: Ask): Promise<DefinitionAnswer>;
  /** The archive of a definition by its digest (64 hexadecimal digits). */
  readBundle(digest: string): Promise<Uint8Array | undefined>;
}

export interface TaskExplanation {
  readonly taskId: string;
  readonly cacheHit: boolean;
  /** In words: why it was computed, or which entry was reused. */
  readonly summary: string;
  readonly differences: readonly {
    readonly component: string;
    readonly before: string;
    readonly after: string;
  }[];
}

/** Runs that are queued or under way; every change of state goes through the ledger. */
export interface RunDesk {
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
