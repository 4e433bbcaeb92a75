/** For supervisors and monitoring: `/healthz`, `/readyz`, `/metrics`. */
import type { StoreCheck } from "../app/index.ts";
import {
  type AccessRules,
  type Answered,
  admit,
  createAuthenticator,
  foreignPage,
  type HttpResponse,
  jsonResponse,
  type Mount,
  type NumberedRequest,
  problemResponse,
  prometheusType,
} from "../http/index.ts";
import { type Ask, freshAsk, messageOf } from "../kernel/index.ts";
import type { Metrics } from "./metrics.ts";

export interface StatusParts extends Omit<AccessRules, "services" | "tokens"> {
  readonly metrics: Metrics;
  checkStores(ask: Ask): Promise<readonly StoreCheck[]>;
}

/** A process that answers is alive; this needs no authentication. */
export function healthMount(): Mount {
  return statusMount("health", "/healthz", async () => jsonResponse(200, { status: "ok" }, uncached));
}

/** Probes come from supervisors that cannot sign: they see which stores do not answer, but not why. */
export function readyMount(parts: StatusParts): Mount {
  const checks = new SharedChecks((ask) => parts.checkStores(ask));
  return statusMount("ready", "/readyz", async (request) => {
    const foreign = parts.keys.length === 0 ? foreignPage(request) : undefined;
    if (foreign !== undefined)
      return problemResponse({ status: 403, code: "REQUEST_FOREIGN", detail: foreign });
    const found = await checks.now();
    const isReady = found.every(({ ready }) => ready);
    const shown = parts.keys.length === 0 ? found : found.map(({ name, ready }) => ({ name, ready }));
    const body = { status: isReady ? "ready" : "not-ready", checks: shown };
    return jsonResponse(isReady ? 200 : 503, body, uncached);
  });
}

/** Totals over all accounts, so only for operators. */
export function metricsMount(parts: StatusParts): Mount {
  const authenticator = createAuthenticator({
    ...parts,
    services: ["omics", "execute-api"],
    tokens: "accepted",
  });
  return statusMount("metrics", "/metrics", async (request) => {
    const admitted = admit(request, authenticator);
    if (admitted.kind === "refused") return admitted.response;
    if (!admitted.caller.isOperator)
      return problemResponse({
        status: 403,
        code: "CALLER_NOT_OPERATOR",
        detail: 'metrics are shown to operators only: their access key says `"operator": true`',
      });
    const headers = { "content-type": prometheusType, ...uncached };
    return { status: 200, headers, body: parts.metrics.text() };
  });
}

const uncached = { "cache-control": "no-store" };

function statusMount(
  name: string,
  prefix: string,
  answer: (request: NumberedRequest) => Promise<HttpResponse>,
): Mount {
  return {
    name: "status",
    prefix,
    busy: problemResponse({ status: 429, code: "SERVER_BUSY", detail: "too many requests; try again later" }),
    mostBodyBytes: () => 0,
    fetch: async (request): Promise<Answered> => ({ response: await answered(request), operation: name }),
  };

  async function answered(request: NumberedRequest): Promise<HttpResponse> {
    const path = request.target.replace(/^https?:\/\/[^/]*/i, "").split("?")[0];
    if (path !== prefix)
      return problemResponse({
        status: 404,
        code: "ROUTE_NOT_FOUND",
        detail: "there is nothing at this path",
      });
    if (request.method !== "GET" && request.method !== "HEAD")
      return problemResponse(
        { status: 405, code: "METHOD_NOT_ALLOWED", detail: `${prefix} answers GET only` },
        { allow: "GET, HEAD" },
      );
    return answer(request).catch((error) =>
      problemResponse({ status: 500, code: "BUG", detail: messageOf(error) }),
    );
  }
}

/** Anybody may probe: however many do, the stores are asked once a second. */
const checkAgainMs = 1_000;

class SharedChecks {
  readonly #check: (ask: Ask) => Promise<readonly StoreCheck[]>;
  #last: { readonly at: number; readonly found: Promise<readonly StoreCheck[]> } | undefined;
  #underWay = false;

  constructor(check: (ask: Ask) => Promise<readonly StoreCheck[]>) {
    this.#check = check;
  }

  now(): Promise<readonly StoreCheck[]> {
    const last = this.#last;
    if (last !== undefined && (this.#underWay || performance.now() - last.at < checkAgainMs))
      return last.found;
    this.#underWay = true;
    const found = this.#check(freshAsk()).finally(() => {
      this.#underWay = false;
      this.#last = { at: performance.now(), found };
    });
    this.#last = { at: performance.now(), found };
    return found;
  }
}
