/** Requests to a model's server, whose failures are answers like others: what they mean depends on what was asked. */
import { type HttpConnections, isHttpTrouble, readHttp } from "../../http-client/index.ts";
import { type Ask, defined } from "../../kernel/index.ts";

export interface ModelRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  /** Longer answers are cut off. */
  readonly limitBytes: number;
  /** Keeps connections for later requests; default: one connection for this request. */
  readonly connections?: HttpConnections;
}

export type ModelAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly text: string;
    }
  /** No connection, or it broke. */
  | { readonly kind: "unreachable"; readonly why: string }
  | { readonly kind: "too-long"; readonly limitBytes: number }
  | { readonly kind: "timed-out" }
  | { readonly kind: "cancelled" };

export async function askServer(request: ModelRequest, ask: Ask): Promise<ModelAnswer> {
  const { body: given, limitBytes, ...rest } = request;
  const body = given === undefined ? undefined : JSON.stringify(given);
  const headers = {
    accept: "application/json",
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  try {
    // A model may compute for as long as `timeoutMs` before it sends anything.
    const { status, bytes } = await readHttp(
      { ...rest, ...defined({ body }), headers, limitBytes, silenceMs: 0 },
      ask,
    );
    return { kind: "answered", status, text: bytes.toString("utf8") };
  } catch (error) {
    if (ask.signal.aborted) return { kind: "cancelled" };
    if (!isHttpTrouble(error)) throw error;
    if (error.kind === "too-long") return { kind: "too-long", limitBytes };
    if (error.kind === "timed-out") return { kind: "timed-out" };
    return { kind: "unreachable", why: error.code ?? error.message };
  }
}
