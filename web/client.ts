/** Requests to `/api/v1`, which is all that the page knows of the server. */
import type { Answer } from "../src/v1/index.ts";

export type Problem = Answer<"Problem">;

export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

const prefix = "/api/v1";

/** `/api/v1/runs/ID`; every label is encoded. */
export function apiPath(
  labels: readonly string[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const words = given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  const path = `${prefix}/${labels.map(encodeURIComponent).join("/")}`;
  return words.length === 0 ? path : `${path}?${words.join("&")}`;
}

export interface AskOptions {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Throws a ProblemError for every answer that is not a success. */
export async function ask<T>(path: string, options: AskOptions = {}): Promise<T> {
  const { method = "GET", body, signal } = options;
  const isChange = method !== "GET";
  return send<T>(path, {
    method,
    headers: isChange ? { "content-type": "application/json" } : {},
    ...(isChange ? { body: JSON.stringify(body ?? {}) } : {}),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Sends a file as it is. */
export async function upload<T>(path: string, file: File): Promise<T> {
  return send<T>(path, { method: "POST", headers: { "content-type": "text/csv" }, body: file });
}

type SendOptions = Pick<RequestInit, "body" | "method" | "signal"> & {
  readonly headers: Readonly<Record<string, string>>;
};

async function send<T>(path: string, options: SendOptions): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...options,
      // Pages of other origins cannot send this header, see docs/web.md.
      headers: { accept: "application/json", "x-memoir-page": "1", ...options.headers },
      credentials: "same-origin",
    });
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new ProblemError({
      ...{ type: "about:blank", title: "No answer", status: 0, code: "SERVER_NOT_REACHED" },
      detail: "the server does not answer",
      hint: "Check that memoir server or memoir ui is still running.",
    });
  }
  const text = await response.text();
  const value = parsed(text);
  if (response.ok) return value as T;
  // The session has ended: the frame asks who is there.
  if (response.status === 401 && !path.startsWith(`${prefix}/session`))
    dispatchEvent(new Event("memoir:signed-out"));
  throw new ProblemError(
    isProblem(value)
      ? value
      : {
          ...{ type: "about:blank", title: response.statusText, status: response.status },
          ...{
            code: `HTTP_${response.status}`,
            detail: `the server answered with status ${response.status}`,
          },
        },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && "detail" in value;
}

/** What went wrong, in words. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return {
    ...{ type: "about:blank", title: "Error", status: 0, code: "PAGE_ERROR" },
    detail: error instanceof Error ? error.message : String(error),
  };
}
