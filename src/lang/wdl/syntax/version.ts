/** Versions of WDL and what each of them has. One grammar, one checker; this table says where they differ. */
export type WdlVersion = "draft-2" | "1.0" | "1.1" | "1.2" | "1.3" | "development";

const order: Readonly<Record<WdlVersion, number>> = {
  "draft-2": 0,
  "1.0": 1,
  "1.1": 2,
  "1.2": 3,
  "1.3": 4,
  // Taken as the newest, and lenient about what the oldest had.
  development: 5,
};

/** Whether documents of `version` have what came with `since`. */
export function atLeast(version: WdlVersion, since: WdlVersion): boolean {
  return order[version] >= order[since];
}

/** The version named in a `version` statement; undefined for a name that we do not know. */
export function parseVersion(text: string): WdlVersion | undefined {
  switch (text) {
    case "1.0":
    case "1.1":
    case "1.2":
    case "1.3":
    case "development":
      return text;
    // Revisions of the text of a version; the language they describe is the same.
    case "1":
      return "1.0";
    case "draft-3":
      return "1.0";
    case "biscayne":
    case "cascades":
      return "development";
    default:
      return /^1\.[0-3]\.\d+$/.test(text) ? parseVersion(text.slice(0, 3)) : undefined;
  }
}

/** The versions a document may name, for messages. */
export const namedVersions: readonly string[] = ["1.0", "1.1", "1.2", "1.3", "development"];
