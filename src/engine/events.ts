/** What happens in a run, as it happens. Progress lines, the run's log, the server and tests read these. */

import type { CallKey } from "../kernel/index.ts";
import type { Difference } from "../keys/index.ts";
import type { ProgramEvent, Published } from "../lang/core/index.ts";
import type { CanonicalJson, Resources, TaskFailure } from "../task/index.ts";
import type { OutputDifference } from "./first-difference.ts";

/** Why a call was not reused. */
export type MissReason =
  /** Nothing is recorded under its key. */
  | { readonly kind: "no-entry" }
  /** The call may never be reused, or nothing of it may be recorded here. */
  | { readonly kind: "not-reusable"; readonly words: string }
  /** The cache could not be asked. */
  | { readonly kind: "trouble"; readonly words: string };

export interface UsageFacts {
  readonly wallSeconds: number;
  readonly cpuSeconds: number | null;
  readonly maxRssBytes: number | null;
}

/** A result of a call: of which output, and where it is. */
export interface MadeFile {
  readonly output: string;
  readonly location: string;
  readonly kind: "file" | "directory";
}

export interface RecordedContent {
  readonly output: string;
  /** Relative to the entry. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export type RunEvent =
  | {
      readonly kind: "run.started";
      readonly run: string;
      readonly workflow: string;
      readonly directory: string;
      readonly cache?: string;
    }
  | { readonly kind: "run.ended"; readonly run: string; readonly state: "succeeded" | "failed" | "cancelled" }
  | {
      readonly kind: "call.asked";
      readonly call: string;
      readonly task: string;
      readonly resources?: Resources;
      /** Location of every staged input, by its place below the task root. */
      readonly inputs?: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "call.reused";
      readonly call: string;
      readonly task: string;
      readonly key: CallKey;
      /** URI of the entry's folder. */
      readonly entry: string;
      readonly entryUuid: string;
      /** The run that computed it. */
      readonly fromRun: string;
      /** What computing it took then. */
      readonly savedSeconds: number;
      readonly savedCpuSeconds: number | null;
      /** Of the outputs that were not written again. */
      readonly savedBytes?: number;
    }
  /** Another run computes an equal call; emitted once for each run that is waited for. */
  | {
      readonly kind: "call.waiting";
      readonly call: string;
      readonly task: string;
      readonly for: {
        readonly run: string;
        readonly host: string;
        readonly pid: number;
        readonly since?: string;
      };
    }
  /** An equal call of this run, or of another one that shares the cache, is being computed now. */
  | { readonly kind: "call.joined"; readonly call: string; readonly task: string; readonly with: string }
  | {
      readonly kind: "call.missed";
      readonly call: string;
      readonly task: string;
      readonly reason: MissReason;
      readonly key?: CallKey;
      readonly components?: Readonly<Record<string, CanonicalJson>>;
    }
  | {
      readonly kind: "call.started";
      readonly call: string;
      readonly task: string;
      /** Counts from 1. */
      readonly attempt: number;
      readonly attemptId: string;
      readonly directory: string;
      /** Absent = the run's own. */
      readonly executor?: string;
      readonly key?: CallKey;
      readonly image?: string;
      readonly imageDigest?: string;
      /** Equal as long as nobody has touched the inputs; see `stateOfInputs`. */
      readonly inputs?: string;
    }
  | {
      readonly kind: "call.adopted";
      readonly call: string;
      readonly attemptId: string;
      readonly fromRun: string;
    }
  | { readonly kind: "call.retried"; readonly call: string; readonly task: string; readonly why: TaskFailure }
  | {
      readonly kind: "call.computed";
      readonly call: string;
      readonly task: string;
      readonly directory: string;
      readonly usage: UsageFacts;
      /** ISO 8601: when its command had ended. The next call may have begun since, while its outputs were collected. */
      readonly endedAt?: string;
      readonly key?: CallKey;
      /** Files and folders that it made, where the command left them. */
      readonly outputs?: readonly MadeFile[];
    }
  /** Its results existed already, outside every cache. */
  | { readonly kind: "call.stored"; readonly call: string; readonly task: string }
  | {
      readonly kind: "call.recorded";
      readonly call: string;
      readonly key: CallKey;
      readonly entry: string;
      readonly entryUuid: string;
      /** The first of its files: what is known of them when the entry has been removed. */
      readonly files?: readonly RecordedContent[];
    }
  /** Its recorded result is no longer available as recorded: the call is looked up or computed again. */
  | {
      readonly kind: "call.taken-back";
      readonly call: string;
      readonly task: string;
      readonly was: "reused" | "computed";
      /** What `call.reused` had said. */
      readonly savedSeconds: number;
      readonly words: string;
    }
  | {
      readonly kind: "call.failed";
      readonly call: string;
      readonly task: string;
      readonly failure: TaskFailure;
    }
  | { readonly kind: "call.cancelled"; readonly call: string; readonly task: string }
  /** A result is where a person looks for it. */
  | {
      readonly kind: "file.published";
      readonly call?: string;
      readonly source: string;
      readonly target: string;
      readonly how: Published["how"];
      /** Of the entry that a link leads to: it is pinned. */
      readonly entryUuid?: string;
    }
  /** Final outputs are where a person looks for them: locations of the results, and where they are now. */
  | {
      readonly kind: "outputs.delivered";
      readonly files: readonly (readonly [source: string, target: string])[];
    }
  /** The run continues without what the cache could not do. */
  | { readonly kind: "cache.trouble"; readonly doing: string; readonly call?: string; readonly words: string }
  /** A result was not recorded although it could have been; says why. */
  | { readonly kind: "call.not-recorded"; readonly call: string; readonly words: string }
  | {
      readonly kind: "recheck.ended";
      readonly call: string;
      readonly task: string;
      readonly result: "same" | "differs" | "failed";
      /** Names of the outputs that differ. */
      readonly outputs: readonly string[];
      /** Where they begin to differ; absent for outputs that are not on this machine. */
      readonly differences?: readonly OutputDifference[];
    }
  | {
      readonly kind: "dry.predicted";
      readonly call: string;
      readonly task: string;
      readonly prediction: "reuse" | "compute";
      readonly words: string;
      readonly differences?: readonly Difference[];
    }
  | { readonly kind: "log"; readonly words: string }
  | ProgramEvent;

/** As written to `events.jsonl`: `at` is milliseconds since 1970. */
export type TimedEvent = RunEvent & { readonly at: number };

export type Emit = (event: RunEvent) => void;
