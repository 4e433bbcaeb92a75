/** A request to one of the other services, and what answers it. */
import type { Caller, HttpRequest, Target } from "../../http/index.ts";
import type { Ask } from "../../kernel/index.ts";
import type { ServerParts } from "../parts.ts";

export interface ServiceRequest {
  readonly request: HttpRequest;
  readonly target: Target;
  readonly caller: Caller;
  readonly parts: ServerParts;
  readonly ask: Ask;
}
