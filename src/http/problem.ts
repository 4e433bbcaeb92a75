/** Errors as one shape: RFC 9457 problem details, with the code of the catalogue and its hint. */
import { defined } from "../kernel/index.ts";
import type { HttpResponse } from "./message.ts";

export interface Problem {
  readonly status: number;
  /** Of docs/errors.md, or one of HTTP's own: `ROUTE_NOT_FOUND`. */
  readonly code: string;
  readonly detail: string;
  readonly hint?: string;
}

export function problemResponse(
  { status, code, detail, hint }: Problem,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const title = titles[status] ?? "Error";
  const body = { type: "about:blank", title, status, code, detail, ...defined({ hint }) };
  return {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
    body: JSON.stringify(body),
  };
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
