/** What is known about an error code: of the catalogue, and those that only the server's interfaces have. */
import { RequestProblem } from "../http/index.ts";
import { type CatalogueRow, catalogue } from "../kernel/index.ts";

interface ErrorPage extends Pick<CatalogueRow, "retry" | "hint"> {
  readonly code: string;
  readonly kind: string;
}

type Row = Pick<ErrorPage, "kind" | "retry" | "hint">;

/** Answers to requests. */
const requestCodes: Readonly<Record<string, Row>> = {
  BUG: {
    ...{ kind: "bug", retry: "never" },
    hint: "This is an error of Memoir. The messages of the server name it; please report it with them.",
  },
  CALLER_NOT_OPERATOR: {
    ...{ kind: "request", retry: "never" },
    hint: 'This belongs to the machine and not to an account. Sign in with a key whose entry says "operator": true.',
  },
  CALLER_UNKNOWN: {
    ...{ kind: "request", retry: "never" },
    hint: "Sign in again. The access key must be in the file that the server was started with, and its secret as it is there.",
  },
  METHOD_NOT_ALLOWED: {
    ...{ kind: "request", retry: "never" },
    hint: "The answer's header allow lists the methods of this path.",
  },
  MODEL_NOT_FOUND: {
    ...{ kind: "not-found", retry: "never" },
    hint: "`memoir catalog` lists the installed models.",
  },
  REQUEST_FOREIGN: {
    ...{ kind: "request", retry: "never" },
    hint: "Open the page by the address that `memoir ui` or `memoir server` printed. Pages of other addresses may not use it.",
  },
  REQUEST_INVALID: {
    ...{ kind: "request", retry: "never" },
    hint: "The message names what is wrong; /api/v1/openapi.json describes each route.",
  },
  REQUEST_TOO_LARGE: {
    ...{ kind: "request", retry: "never" },
    hint: "Send less at a time, or use the command line on the machine itself.",
  },
  ROUTE_NOT_FOUND: {
    ...{ kind: "not-found", retry: "never" },
    hint: "/api/v1/openapi.json lists the routes.",
  },
  SERVER_BUSY: {
    ...{ kind: "environment", retry: "later" },
    hint: "Try again in a moment. Close pages that are not needed: each holds connections.",
  },
  SERVER_NOT_REACHED: {
    ...{ kind: "environment", retry: "later" },
    hint: "Check that `memoir ui` or `memoir server` still runs, and that the network leads to it.",
  },
  TOO_MANY_TRIES: {
    ...{ kind: "request", retry: "later" },
    hint: "Wait for a minute and sign in with the right key.",
  },
};

export function errorPage(code: string): ErrorPage {
  const rows: Readonly<Record<string, Row>> = catalogue;
  const row = Object.hasOwn(rows, code)
    ? rows[code]
    : Object.hasOwn(requestCodes, code)
      ? requestCodes[code]
      : undefined;
  if (row === undefined)
    throw new RequestProblem({
      ...{ status: 404, code: "ROUTE_NOT_FOUND" },
      detail: `there is no error code ${code.slice(0, 64)}`,
    });
  const { kind, retry, hint } = row;
  return { code, kind, retry, hint };
}
