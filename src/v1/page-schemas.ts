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

const saved = {
  ...{ reused: integer, computed: integer, wallSeconds: number, cpuSeconds: number, bytes: integer },
  "money?": number,
};

const predictionJob = objectOf({
  ...{ id: text, model: text, name: text, createdAt: time, "endedAt?": time },
  state: choice("waiting", "running", "succeeded", "failed", "cancelled"),
  ...{ reused: integer, computed: integer, failed: integer, "share?": number },
  ...{ warnings: listOf(text), "code?": text, "message?": text },
});

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
  RunForm: objectOf({
    canRun: boolean,
    "why?": text,
    parameters: listOf(
      objectOf({
        ...{ name: text, type: text, required: boolean },
        ...{ "description?": text, "defaultText?": text, "value?": text },
      }),
    ),
  }),
  RunBegun: objectOf({ run: text }),
  RunInputs: objectOf({ run: text, inputs: anything }),
  CallDetail: objectOf({
    call: refTo("Call"),
    "command?": text,
    "components?": anything,
    "explanation?": anything,
    "entry?": objectOf({ cache: text, uuid: text, pinned: boolean }),
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
  PredictionBatch: objectOf({
    ...{ rows: integer, "computedAt?": time, "runner?": text, "toolkit?": text, "run?": text },
  }),
  PredictionFacts: objectOf({
    ...{ model: text, release: text, "runner?": text, "toolkit?": text },
    ...{ computed: integer, reused: integer, failed: integer, batches: listOf(refTo("PredictionBatch")) },
  }),
  RunProvenance: objectOf({
    run: objectOf({
      ...{ id: text, workflow: text, language: text, "source?": text, state: text, startedAt: time },
      ...{ "account?": text, "endedAt?": time, "executor?": text, "failures?": listOf(text) },
    }),
    ...{ inputs: mapOf(anything), outputs: mapOf(anything), calls: listOf(anything) },
    edges: listOf(
      objectOf({
        ...{ "from?": text, "output?": text, to: text, place: text },
        ...{ "location?": text, "identity?": text },
      }),
    ),
    delivered: listOf(objectOf({ path: text, location: text, "identity?": text, "bytes?": integer })),
    "predictions?": refTo("PredictionFacts"),
  }),
  Trace: objectOf({
    file: objectOf({ path: text, kind: choice("file", "directory"), "identity?": text, "bytes?": integer }),
    found: choice("content", "path", "location"),
    ...{ "recorded?": text, madeBy: text, output: text },
    alsoMadeBy: listOf(objectOf({ run: text, call: text })),
    calls: listOf(
      objectOf({
        ...{ id: text, run: text, "account?": text, language: text, workflow: text, call: text, task: text },
        ...{ state: text, "at?": time, "computedBy?": objectOf({ run: text, "call?": text }) },
        ...{ "command?": text, "image?": text, "imageDigest?": text, "executor?": text },
        ...{ outputs: listOf(anything), "predictions?": refTo("PredictionFacts"), "isCut?": boolean },
      }),
    ),
    edges: listOf(
      objectOf({
        ...{ "from?": text, to: text, place: text, "location?": text, "identity?": text, "by?": text },
      }),
    ),
    firstInputs: listOf(
      objectOf({ "location?": text, "identity?": text, "writtenBy?": text, usedBy: listOf(text) }),
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
  CacheAges: objectOf({
    days: listOf(objectOf({ day: text, entries: integer, bytes: integer, totalBytes: integer })),
    sizes: listOf(objectOf({ at: time, entries: integer, bytes: integer })),
  }),
  CacheRechecks: objectOf({
    tasks: listOf(
      objectOf({
        ...{ task: text, same: integer, differs: integer, failed: integer, outputs: mapOf(integer) },
        isMarked: boolean,
        "last?": objectOf({
          ...{ at: time, run: text, call: text, result: text, outputs: listOf(text) },
          "differences?": listOf(anything),
        }),
      }),
    ),
  }),
  Verification: objectOf({ "at?": time, "report?": refTo("VerifyReport") }),
  PruneReport: objectOf({
    plan: objectOf({
      remove: listOf(
        objectOf({
          ...{ key: text, uuid: text, "taskName?": text, bytes: integer },
          reason: choice("older-than", "over-budget", "old-version", "orphan"),
          "lastUsedAt?": time,
        }),
      ),
      removeBytes: integer,
      keepEntries: integer,
      keepBytes: integer,
      protectedEntries: listOf(objectOf({ uuid: text, why: choice("pinned", "in-use") })),
    }),
    "removed?": objectOf({ entries: integer, bytes: integer, spared: integer }),
  }),
  EntriesTouched: objectOf({ entries: listOf(objectOf({ uuid: text, task: text, call: text })) }),
  HomePage: objectOf({
    running: listOf(refTo("Run")),
    days: listOf(
      objectOf({
        ...{ day: text, reused: integer, computed: integer, failed: integer },
        ...{ rowsReused: integer, rowsComputed: integer, savedSeconds: number },
      }),
    ),
    saved: objectOf({ calls: integer, rows: integer, seconds: number }),
    failures: listOf(objectOf({ run: text, workflow: text, at: time, message: text })),
    caches: listOf(objectOf({ ref: text, "name?": text, entries: integer, bytes: integer })),
    notes: listOf(text),
  }),
  ValueDifference: objectOf({ name: text, "before?": text, "after?": text }),
  RunComparison: objectOf({
    before: text,
    after: text,
    inputs: listOf(refTo("ValueDifference")),
    outputs: listOf(refTo("ValueDifference")),
    same: integer,
    rows: listOf(anything),
    times: listOf(objectOf({ call: text, before: number, after: number })),
  }),
  Saved: objectOf(saved),
  Savings: objectOf({
    by: text,
    "since?": time,
    "currency?": text,
    rows: listOf(objectOf({ name: text, ...saved })),
    total: refTo("Saved"),
  }),
  Advice: objectOf({
    workflow: text,
    runs: integer,
    margin: number,
    tasks: listOf(
      objectOf({
        task: text,
        attempts: integer,
        asked: objectOf({ "cpu?": number, "memoryBytes?": number }),
        "wallSeconds?": refTo("Spread"),
        "cpus?": refTo("Spread"),
        "memoryBytes?": refTo("Spread"),
        suggested: objectOf({ "cpu?": number, "memoryBytes?": number }),
        failures: mapOf(integer),
      }),
    ),
  }),
  MoleculeValues: objectOf({
    molecule: text,
    key: text,
    found: listOf(
      objectOf({
        ...{ model: text, "slug?": text, "release?": text, state: text, cache: choice("local", "cloud") },
        ...{ "storedAs?": text, "computedAt?": text, "runner?": text, "toolkit?": text, "run?": text },
        values: mapOf(anything),
      }),
    ),
    missing: listOf(text),
    problems: listOf(text),
  }),
  Drawing: objectOf({ "svg?": text }),
  ColumnSpreads: objectOf({
    model: text,
    release: text,
    cache: choice("local", "cloud"),
    rows: integer,
    columns: listOf(
      objectOf({
        ...{ name: text, type: text, "description?": text, empty: integer, "spread?": refTo("Spread") },
        "bins?": listOf(integer),
        "values?": listOf(objectOf({ value: text, count: integer })),
      }),
    ),
  }),
  PredictionJob: predictionJob,
  PredictionJobs: objectOf({ jobs: listOf(refTo("PredictionJob")) }),
  Places: objectOf({ home: text, local: text, cloud: text }),
  Prices: objectOf({ cpu: number, memory: number, currency: text }),
  ErrorPage: objectOf({ code: text, kind: text, retry: choice("never", "later"), hint: text }),
  Neighbours: objectOf({
    ...{ model: text, release: text, cache: choice("local", "cloud"), molecules: integer, indexedAt: time },
    isMolecule: boolean,
    "warning?": text,
    neighbours: listOf(objectOf({ input: text, similarity: number, values: mapOf(anything) })),
  }),
  Doctor: objectOf({
    findings: listOf(
      objectOf({ name: text, state: choice("ok", "trouble", "absent"), detail: text, enables: text }),
    ),
  }),
};
