/**
 * Chooses the mount that answers a request by the path's prefix. Each mount has its own authentication, limits
 * and shape of errors; the router only numbers the requests and reports their outcomes.
 */
import { randomUUID } from "node:crypto";
import type { Ask } from "../kernel/index.ts";
import {
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  parseTarget,
  type RequestHead,
} from "./message.ts";

export interface Mount {
  /** In metrics and reports: `omics`. */
  readonly name: string;
  /** `/api/v1` is this path and what is below it; `/` is everything that no other mount serves. */
  readonly prefix: string;
  /** Only the path of the prefix itself; what is below it belongs to other mounts. */
  readonly isAlone?: boolean;
  /** Requests of other methods belong to other mounts. Default: all methods. */
  readonly methods?: readonly string[];
  /** How large the body of a request may be, from what is known before it arrives. */
  mostBodyBytes(head: RequestHead): number;
  /** The answer when the bodies that are arriving use all the memory reserved for them. */
  readonly busy: HttpResponse;
  /** Never throws. */
  fetch(request: NumberedRequest, ask: Ask): Promise<Answered>;
}

export interface NumberedRequest extends HttpRequest {
  readonly requestId: string;
}

export interface Answered {
  readonly response: HttpResponse;
  /** Name of the operation or route; undefined = there is none with this path. */
  readonly operation?: string | undefined;
  readonly account?: string | undefined;
}

export interface RequestLine {
  readonly requestId: string;
  /** The mount that answered. */
  readonly mount: string;
  readonly method: string;
  readonly path: string;
  readonly operation: string | undefined;
  readonly account: string | undefined;
  readonly status: number;
  readonly durationMs: number;
}

/** `onRequest` is called with every request that was answered; never with bodies or credentials. */
export function createRouter(
  mounts: readonly [Mount, ...Mount[]],
  onRequest: (line: RequestLine) => void,
): HttpHandler {
  const [first] = mounts;
  const byLength = mounts.toSorted(
    (a, b) => b.prefix.length - a.prefix.length || Number(b.isAlone === true) - Number(a.isAlone === true),
  );
  const mountOf = ({ method, target }: RequestHead): Mount => {
    const path = parseTarget(target)?.rawPath ?? "/";
    return byLength.find((mount) => takes(mount, method) && fits(path, mount)) ?? first;
  };
  return {
    mostBodyBytes: (head) => mountOf(head).mostBodyBytes(head),
    busy: (head) => mountOf(head).busy,
    fetch: async (request, ask) => {
      const started = performance.now();
      const requestId = randomUUID();
      const mount = mountOf(request);
      const { response, operation, account } = await mount.fetch({ ...request, requestId }, ask);
      onRequest({
        requestId,
        mount: mount.name,
        method: request.method,
        path: parseTarget(request.target)?.rawPath ?? "",
        operation,
        account,
        status: response.status,
        durationMs: performance.now() - started,
      });
      return response;
    },
  };
}

function takes({ methods }: Mount, method: string): boolean {
  return methods === undefined || methods.includes(method);
}

function fits(path: string, { prefix, isAlone }: Mount): boolean {
  if (isAlone === true) return path === prefix;
  return prefix === "/" || path === prefix || path.startsWith(`${prefix}/`);
}
