/** Refusals in the shapes of FastAPI and ersilia-pack, which its clients read. */
import { type HttpResponse, jsonResponse } from "../http/index.ts";

/** Thrown to the one place that answers it. */
export class Refusal extends Error {
  readonly response: HttpResponse;

  constructor(response: HttpResponse, message: string) {
    super(message);
    this.response = response;
  }
}

/** `{"detail": …}` */
export function refusal(
  status: number,
  detail: string,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly traceback?: string } = {},
): Refusal {
  const { headers = {}, traceback } = more;
  const body = { detail, ...(traceback === undefined ? {} : { traceback }) };
  return new Refusal(jsonResponse(status, body, headers), detail);
}

/** One thing that is wrong with a request, as FastAPI reports it. */
export interface Detail {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input?: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

export function unprocessable(...details: readonly Detail[]): Refusal {
  const [first] = details;
  return new Refusal(jsonResponse(422, { detail: details }), first?.msg ?? "the request cannot be processed");
}

/** The texts of ersilia-pack. */
export const packDetails = {
  breaker: "Service temporarily unavailable due to high error rate and exited by circuit breaker",
  server: "Internal processing error due to a shell execution",
  emptyData: "Data is empty.",
} as const;
