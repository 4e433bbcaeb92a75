/**
 * Every error code of Memoir, one row each. docs/errors.md is generated from this table and a test keeps them equal.
 * Codes are AREA_THING_PROBLEM. `kind` decides the exit code (cli) and the HTTP status (server).
 */
export type ErrorKind =
  | "usage" // the command line was used wrongly: exit 2
  | "input" // the user's data or text is wrong: exit 3
  | "not-found" // something named does not exist: exit 3
  | "environment" // machine, network, credentials, disk: exit 4
  | "conflict" // refused because of another run or state: exit 4
  | "damaged" // stored data is not what was written: exit 4
  | "failed" // the user's computation failed as a whole: exit 1
  | "interrupted"; // the user stopped it: exit 130

export interface CatalogueRow {
  readonly kind: ErrorKind;
  /** Whether the same request may succeed later without a change by the user. */
  readonly retry: "never" | "later";
  /** What to do next, one or two sentences. */
  readonly hint: string;
}

export const catalogue = {
  RUN_INTERRUPTED: {
    kind: "interrupted",
    retry: "later",
    hint: "Finished work is kept. Run the same command again to go on where it stopped.",
  },
  FILE_NOT_FOUND: {
    kind: "not-found",
    retry: "never",
    hint: "Check the path; relative paths start at the current folder.",
  },
  FILE_NOT_READABLE: {
    kind: "environment",
    retry: "never",
    hint: "Check the permissions of the file and its folders.",
  },
  FILE_NOT_WRITABLE: {
    kind: "environment",
    retry: "never",
    hint: "Choose another output path, or make the folder writable. Nothing was written.",
  },
  DISK_FULL: {
    kind: "environment",
    retry: "later",
    hint: "Free some space and run the same command again; finished work is kept.",
  },
} as const satisfies Record<string, CatalogueRow>;

export type ErrorCode = keyof typeof catalogue;
