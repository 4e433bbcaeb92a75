/** A request that was admitted, with what answers it. */
import type { Caller } from "../http/index.ts";
import type { Ask } from "../kernel/index.ts";
import type { JobController } from "./job-controller.ts";
import type { Served } from "./served.ts";
import type { FileLink } from "./signed-links.ts";
import type { UploadForm, UploadLink } from "./uploads.ts";

export const prefix = "/v1";

/** Works for a while without a key. */
export interface JobFileLink {
  readonly url: string;
  readonly expiresAt: string;
}

export interface JobsRequest {
  readonly served: Served;
  readonly controller: JobController;
  readonly linkOf: (link: FileLink) => Promise<JobFileLink>;
  /** A form that takes an upload of just this size. */
  readonly formOf: (upload: UploadLink) => Promise<UploadForm>;
  readonly caller: Caller;
  readonly body: Uint8Array;
  readonly ask: Ask;
  /** Labels are there because their route has them. */
  label(name: string): string;
}
