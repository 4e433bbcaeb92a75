/** What a route of `/api/v1` is. */
import type { Browse } from "../app/index.ts";
import type { Caller, HttpRequest, Route } from "../http/index.ts";
import type { Ask } from "../kernel/index.ts";
import type { Body, BodyMembers } from "./body.ts";
import type { Sent } from "./event-stream.ts";
import type { Parameters, Query } from "./query.ts";

export type { Sent } from "./event-stream.ts";

export interface V1Request {
  readonly browse: Browse;
  /** Of Memoir. */
  readonly version: string;
  readonly caller: Caller;
  readonly labels: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** The body as it was sent, where the route takes a file. */
  readonly bytes: Uint8Array;
  readonly headers: HttpRequest["headers"];
  readonly ask: Ask;
}

export interface V1Route extends Route {
  /** `listRuns`; in metrics and as operationId. */
  readonly name: string;
  readonly summary: string;
  /** The command that prints the same. */
  readonly command?: string;
  readonly query: Parameters;
  /** Members of the object that is sent; default: none. */
  readonly body?: BodyMembers;
  /** Media type of the file that is sent in place of an object. */
  readonly upload?: string;
  /** Name in `schemas`. */
  readonly schema: string;
  /** `anybody`: also before it is known who asks. */
  readonly for: "anybody" | "everybody" | "operators";
  /** Walks through a whole cache: the number of simultaneous walks is limited. */
  readonly isHeavy?: boolean;
  /** Answered as server-sent events, too. */
  readonly streams?: boolean;
  /** A RawAnswer is sent as it is. */
  answer(request: V1Request): Promise<unknown>;
  /** The events of a stream; `after` is the id of the last one that the client has seen. */
  stream?(request: V1Request, after: string | undefined): AsyncGenerator<Sent | undefined>;
}

export const prefix = "/api/v1";
