/**
 * A service that runs tasks on its own machines, in the vocabulary of GA4GH's Task Execution Service: its task document, and
 * its states. Other services are translated into it.
 */
import type { Ask } from "../../kernel/index.ts";
import type { TesTaskDocument } from "./tes-task.ts";

export type ServiceAnswer<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** The outcome of the request is unknown: no answer, a busy server, or one in trouble. */
  | { readonly kind: "unclear"; readonly words: string }
  | { readonly kind: "refused"; readonly status: number; readonly words: string };

export interface ServiceTask {
  readonly id: string;
  readonly state: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Of the last try that the server made: one log for each executor that was begun. */
  readonly executors: readonly ExecutorLog[];
  readonly systemLogs: readonly string[];
  /** The service says that it waits for what never comes, in these words. */
  readonly neverStarts?: string;
}

export interface ExecutorLog {
  readonly exitCode?: number;
  readonly stderr: string;
  /** The service says that memory ran out. */
  readonly outOfMemory?: true;
}

export interface ServiceFacts {
  readonly name: string;
  readonly version: string;
  /** URLs that inputs and outputs can have. */
  readonly storage: readonly string[];
}

export interface TaskTag {
  readonly key: string;
  readonly value: string;
}

export interface ServiceClient {
  /** For messages. */
  readonly url: string;
  /** Whether it can be used at all. */
  service(ask: Ask): Promise<ServiceAnswer<ServiceFacts>>;
  /** Answers the id of the new task. */
  create(task: TesTaskDocument, ask: Ask): Promise<ServiceAnswer<string>>;
  /** Status 404 where the service does not know it. */
  get(id: string, view: "MINIMAL" | "BASIC" | "FULL", ask: Ask): Promise<ServiceAnswer<ServiceTask>>;
  /** Those with the tag, and perhaps others: the caller looks at the tags, which only BASIC brings. */
  list(tag: TaskTag, view: "MINIMAL" | "BASIC", ask: Ask): Promise<ServiceAnswer<readonly ServiceTask[]>>;
  cancel(id: string, ask: Ask): Promise<ServiceAnswer<unknown>>;
  close(): void;
}
