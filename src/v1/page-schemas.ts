/** The shapes of answers that the pages of one run, one call and one cache need. */
import {
  anything,
  boolean,
  choice,
  integer,
  listOf,
  mapOf,
  number,
  objectOf,
  refTo,
  text,
  time,
} from "./schema.ts";

export const pageSchemas = {
  /** Of a file, whatever it is. */
  Bytes: { type: "string", format: "binary" },
  RunChanges: objectOf({
    results: listOf(objectOf({ run: text, done: boolean, "code?": text, "message?": text })),
  }),
  Timeline: objectOf({
    "startedAt?": integer,
    "endedAt?": integer,
    calls: listOf(
      objectOf({
        call: text,
        task: text,
        state: text,
        phases: listOf(
          objectOf({
            phase: choice("identify", "wait", "stage", "run", "collect", "record"),
            from: integer,
            "to?": integer,
          }),
        ),
        "critical?": boolean,
      }),
    ),
  }),
  RunGraph: objectOf({
    nodes: listOf(objectOf({ id: text, calls: integer, states: mapOf(integer) })),
    edges: listOf(objectOf({ from: text, to: text, files: integer })),
  }),
  Spread: objectOf({
    ...{ count: integer, least: number, lower: number, median: number, upper: number, most: number },
  }),
  RunResources: objectOf({
    tasks: listOf(
      objectOf({
        task: text,
        calls: integer,
        asked: objectOf({ "cpu?": number, "memoryBytes?": number }),
        "wallSeconds?": refTo("Spread"),
        "cpus?": refTo("Spread"),
        "memoryBytes?": refTo("Spread"),
      }),
    ),
  }),
  RunInputs: objectOf({ run: text, inputs: anything }),
  CallDetail: objectOf({
    call: refTo("Call"),
    "command?": text,
    "components?": anything,
    "explanation?": anything,
    attempts: listOf(
      objectOf({
        attempt: integer,
        startedAt: integer,
        "endedAt?": integer,
        "executor?": text,
        "image?": text,
        "imageDigest?": text,
        "failure?": anything,
      }),
    ),
    inputs: listOf(objectOf({ place: text, identity: text, from: listOf(text) })),
    outputs: listOf(
      objectOf({ output: text, path: text, bytes: integer, sha256: text, usedBy: listOf(text) }),
    ),
  }),
  CallOutput: objectOf({ text, from: integer, next: integer, size: integer, ended: boolean }),
  FileTree: objectOf({
    path: text,
    members: listOf(
      objectOf({
        ...{ name: text, path: text, kind: choice("file", "folder") },
        ...{ "bytes?": integer, "modifiedAt?": time },
      }),
    ),
    "truncated?": boolean,
  }),
  FilePreview: objectOf({
    path: text,
    bytes: integer,
    kind: choice("text", "table", "json", "image", "html", "other"),
    "text?": text,
    "rows?": listOf(listOf(text)),
    "truncated?": boolean,
  }),
};
