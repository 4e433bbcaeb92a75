/** What the server and the process of one of its runs send each other. */
import type { Capacity, TimedEvent, TurnsPlace } from "../../../engine/index.ts";
import type { ErrorCode } from "../../../kernel/index.ts";
import type { Resources } from "../../../task/index.ts";
import type { WorkflowRunResult } from "../../workflows/run.ts";
import type { RunOrder } from "../../workflows/run-order.ts";
import type { ImageMapFacts } from "../image-map.ts";

/** A run as the server sees its end; what its workflow answers is read from its folder. */
export type EndedRun = Omit<WorkflowRunResult, "outputs">;

/** The first message of the server. */
export interface RunAssignment {
  readonly kind: "run";
  readonly order: RunOrder;
  readonly images?: ImageMapFacts;
  /** What precedes the uuid in the ARNs of entries; undefined: the run has no cache of the service. */
  readonly entryArn?: string;
  /** Of the whole process, not only of what V8 manages. */
  readonly mostMemoryMiB: number;
}

export type FromServer =
  | RunAssignment
  | { readonly kind: "abort"; readonly message: string }
  /** A batch has been taken: the next one may come. */
  | { readonly kind: "taken" }
  | { readonly kind: "answer"; readonly to: number; readonly value: unknown };

/** Which turns: an executor on this machine shares its own with other runs. */
export interface TurnsName {
  readonly id: number;
  readonly capacity: Capacity;
  readonly place: TurnsPlace;
}

export type RunRequest =
  | {
      readonly kind: "excess" | "fitted" | "acquire";
      readonly turns: TurnsName;
      readonly resources: Resources;
    }
  /** The ARN of the newest task of a call. */
  | { readonly kind: "task"; readonly callPath: string };

export type SentFault =
  | {
      readonly kind: "error";
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string;
    }
  | { readonly kind: "bug"; readonly message: string };

/** Items arrive in the order in which they were sent. */
export type RunItem =
  | {
      readonly kind: "event";
      readonly event: TimedEvent;
      /** What the workflow calls the image that the event names. */
      readonly sourceImage?: string;
    }
  | { readonly kind: "request"; readonly id: number; readonly request: RunRequest }
  /** The turn of this request is given back, or no longer waited for. */
  | { readonly kind: "leave"; readonly id: number }
  | { readonly kind: "ended"; readonly result: EndedRun }
  | { readonly kind: "failed"; readonly fault: SentFault };

export type FromRun =
  | { readonly kind: "batch"; readonly items: readonly RunItem[] }
  /** It has heard that it is to end, and is not lost in a script. */
  | { readonly kind: "stopping" };
