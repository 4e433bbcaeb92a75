/** The shapes of answers; `test/server/v1.test.ts` checks real answers against them. */
import { pageSchemas } from "./page-schemas.ts";
import {
  anything,
  boolean,
  choice,
  integer,
  listOf,
  mapOf,
  nothing,
  number,
  objectOf,
  oneOf,
  refTo,
  type Schema,
  text,
  time,
} from "./schema.ts";

const callCounts = objectOf({ reused: integer, computed: integer, failed: integer, cancelled: integer });

const anyRow = {
  id: text,
  workflow: text,
  "endedAt?": time,
  "calls?": refTo("CallCounts"),
  "savedSeconds?": number,
};

const homeRun = {
  ...anyRow,
  origin: choice("home"),
  state: choice("running", "succeeded", "failed", "cancelled", "crashed"),
  startedAt: time,
  directory: text,
  "gone?": boolean,
};

const serverRun = {
  ...anyRow,
  origin: choice("server"),
  "name?": text,
  state: choice("pending", "running", "succeeded", "failed", "cancelled"),
  createdAt: time,
  "startedAt?": time,
  "message?": text,
  "tags?": mapOf(text),
};

const detail = { "record?": refTo("RunRecord"), rows: listOf(refTo("Call")), notes: listOf(text) };

const size = { entries: integer, files: integer, apparentBytes: integer, uniqueBytes: integer };

const policies = objectOf({
  identity: text,
  resources: choice("ignored", "strict"),
  hostTasks: boolean,
  writeThrough: boolean,
  "excludeUnstable?": boolean,
});

const cache = {
  kind: choice("named", "unnamed"),
  "name?": text,
  "description?": text,
  uuid: text,
  location: text,
  behavior: choice("always", "on-failure"),
  policies,
  "createdAt?": time,
};

const page = { "nextCursor?": text };

export const schemas = {
  ...pageSchemas,
  Problem: objectOf({
    type: text,
    title: text,
    status: integer,
    code: text,
    detail: text,
    "hint?": text,
  }),
  CallCounts: callCounts,
  Run: oneOf(objectOf(homeRun), objectOf(serverRun)),
  RunList: objectOf({ "folder?": text, runs: listOf(refTo("Run")), ...page }),
  RunRecord: objectOf({
    ...{ id: text, workflow: text, language: text, source: text, startedAt: time, executor: text },
    state: choice("running", "succeeded", "failed", "cancelled"),
  }),
  Call: objectOf({
    call: text,
    task: text,
    state: choice("waiting", "running", "reused", "computed", "failed", "cancelled"),
    askedAt: integer,
    "startedAt?": integer,
    "endedAt?": integer,
    "key?": text,
    "directory?": text,
    attempts: integer,
    "usage?": objectOf({
      wallSeconds: number,
      cpuSeconds: oneOf(number, nothing),
      maxRssBytes: oneOf(number, nothing),
    }),
    "image?": text,
    "imageDigest?": text,
    "entry?": text,
    "fromRun?": text,
    "savedSeconds?": number,
    "failure?": objectOf({ kind: text, message: text, attempts: integer, "exitCode?": integer }),
    "missed?": text,
  }),
  RunDetail: oneOf(objectOf({ ...homeRun, ...detail }), objectOf({ ...serverRun, ...detail })),
  CallList: objectOf({ calls: listOf(refTo("Call")), total: integer, changes: text, ...page }),
  RunLogs: objectOf({
    run: text,
    calls: listOf(
      objectOf({
        call: text,
        state: text,
        "directory?": text,
        "command?": text,
        "stdout?": text,
        "stderr?": text,
        "exitCode?": integer,
        "log?": text,
      }),
    ),
  }),
  RunOutputs: oneOf(
    objectOf({ run: text, file: text, outputs: anything, text }),
    objectOf({ run: text, location: text }),
  ),
  Event: objectOf({ kind: text, at: integer }),
  EventList: objectOf({ events: listOf(refTo("Event")), ...page }),
  Difference: objectOf({
    component: text,
    "part?": text,
    change: choice("added", "removed", "changed"),
    "before?": text,
    "after?": text,
    words: text,
    "lines?": listOf(text),
  }),
  RunExplanation: objectOf({
    run: text,
    reused: integer,
    computed: listOf(
      objectOf({
        call: text,
        task: text,
        "key?": text,
        reason: objectOf({ kind: text, "words?": text }),
        "nearest?": objectOf({
          ...{ uuid: text, uri: text, run: text, call: text, task: text, createdAt: time },
        }),
        differences: listOf(refTo("Difference")),
        words: text,
      }),
    ),
  }),
  RunDiff: objectOf({
    before: text,
    after: text,
    same: integer,
    rows: listOf(
      objectOf({
        call: text,
        change: choice("same", "only-before", "only-after", "differs", "unknown"),
        "before?": text,
        "after?": text,
        differences: listOf(refTo("Difference")),
      }),
    ),
  }),
  CacheList: objectOf({
    caches: listOf(objectOf({ ...cache, origin: choice("home", "server"), ref: text })),
  }),
  CacheDetail: objectOf({
    record: objectOf(cache),
    entries: integer,
    ...{ bytes: integer, storedBytes: integer },
    pinned: integer,
    runs: listOf(text),
  }),
  EntryList: objectOf({
    entries: listOf(
      objectOf({
        ...{ uuid: text, key: text, task: text, call: text, run: text, workflow: text, createdAt: time },
        ...{ bytes: integer, storedBytes: integer, files: integer, seconds: number, uri: text },
        pinned: boolean,
        "differs?": boolean,
      }),
    ),
    total: integer,
    ...page,
  }),
  CacheSize: objectOf({
    ...{ ...size, storedBytes: integer },
    ...{ byTask: mapOf(objectOf(size)), byWorkflow: mapOf(objectOf(size)) },
  }),
  VerifyReport: objectOf({
    checked: integer,
    sound: integer,
    setAside: listOf(objectOf({ uuid: text, key: text, reason: text })),
  }),
  PredictionStats: objectOf({
    local: text,
    cloud: text,
    rows: listOf(
      objectOf({
        model: text,
        "release?": text,
        state: choice("current", "other-release", "other-columns", "unknown-release", "no-model"),
        "local?": integer,
        "cloud?": integer,
      }),
    ),
    problems: listOf(text),
  }),
  Session: objectOf({
    authentication: choice("access-keys", "none"),
    signedIn: boolean,
    "account?": text,
    "operator?": boolean,
  }),
  SessionList: objectOf({
    sessions: listOf(
      objectOf({
        id: text,
        account: text,
        begunAt: text,
        usedAt: text,
        endsAt: text,
        "from?": text,
        current: boolean,
      }),
    ),
  }),
  ServerInfo: objectOf({
    version: text,
    authentication: choice("access-keys", "none"),
    account: text,
    operator: boolean,
  }),
  OpenApi: objectOf({ openapi: text, info: anything, paths: anything, components: anything }),
} satisfies Readonly<Record<string, Schema>>;
