/** A request that was admitted, with what answers it. */
import type { Caller } from "../http/index.ts";
import type { Ask } from "../kernel/index.ts";
import type { JobController } from "./job-controller.ts";
import type { Served } from "./served.ts";
import type { SignedLinks } from "./signed-links.ts";

export const prefix = "/v1";

export interface JobsRequest {
  readonly served: Served;
  readonly controller: JobController;
  readonly links: SignedLinks;
  readonly caller: Caller;
  readonly body: Uint8Array;
  readonly ask: Ask;
  /** Labels are there because their route has them. */
  label(name: string): string;
}
