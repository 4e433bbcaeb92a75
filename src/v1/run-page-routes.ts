/** Routes of the pages about runs: the list as it changes, changes of runs, and the parts of one run. */

import { RequestProblem } from "../http/index.ts";
import { defined } from "../kernel/index.ts";
import { fileAnswer, zipAnswer } from "./file-answer.ts";
import { RawAnswer } from "./raw-answer.ts";
import { prefix, type Sent, type V1Request, type V1Route } from "./route.ts";

function run({ labels }: V1Request): string {
  return labels["run"] ?? "";
}

const oneRun = `${prefix}/runs/{run}`;
const call = { kind: "text", about: "path of the call" } as const;
const path = { kind: "text", about: "path below the outputs, as `files` answers it" } as const;

const runIds = { kind: "texts", about: "ids of runs" } as const;

export const runPageRoutes: readonly V1Route[] = [
  {
    ...{ name: "followRuns", method: "GET", path: `${prefix}/runs/changes`, schema: "RunList" },
    ...{ for: "everybody", streams: true },
    summary:
      "With `accept: text/event-stream`: runs as they begin, change and end; otherwise the newest runs",
    query: { cursor: { kind: "text", about: "continues after this event" } },
    answer: ({ browse, caller, ask }) => browse.runs(caller, { limit: 100 }, ask),
    stream: async function* ({ browse, caller, ask }, after): AsyncGenerator<Sent | undefined> {
      for await (const change of browse.followRuns(caller, after, ask)) {
        if (change.kind === "idle") yield undefined;
        else if (change.kind === "run") yield { id: String(change.at), event: "run", data: change.run };
        else yield { id: String(change.at), event: "gone", data: { id: change.id } };
      }
    },
  },
  {
    ...{ name: "cancelRuns", method: "POST", path: `${prefix}/runs/cancel`, schema: "RunChanges" },
    ...{ for: "everybody", query: {}, body: { runs: runIds } },
    summary: "Asks runs to stop; each is answered for itself",
    answer: ({ browse, caller, body }) => browse.cancelRuns(caller, body.texts("runs")),
  },
  {
    ...{ name: "deleteRuns", method: "POST", path: `${prefix}/runs/delete`, schema: "RunChanges" },
    ...{ for: "everybody", query: {}, body: { runs: runIds } },
    summary:
      "Deletes ended runs; what they recorded stays in its cache, and what the server exported stays, too",
    answer: ({ browse, caller, body, ask }) => browse.deleteRuns(caller, body.texts("runs"), ask),
  },
  {
    ...{ name: "getTimeline", method: "GET", path: `${oneRun}/timeline`, schema: "Timeline" },
    ...{ for: "everybody", query: {} },
    summary: "The phases of each call over time, and which calls the end of the run waited for",
    answer: (request) => request.browse.timeline(request.caller, run(request)),
  },
  {
    ...{ name: "getGraph", method: "GET", path: `${oneRun}/graph`, schema: "RunGraph" },
    ...{ for: "everybody", query: {} },
    summary: "Whose outputs were whose inputs, by content; the calls of a task are one node",
    answer: (request) => request.browse.graph(request.caller, run(request)),
  },
  {
    ...{ name: "getResources", method: "GET", path: `${oneRun}/resources`, schema: "RunResources" },
    ...{ for: "everybody", query: {} },
    summary: "What each task asked for, and what its computed calls used",
    answer: (request) => request.browse.resources(request.caller, run(request)),
  },
  {
    ...{ name: "getInputs", method: "GET", path: `${oneRun}/inputs`, schema: "RunInputs" },
    ...{ for: "everybody", query: {} },
    summary: "The inputs of a run, as they were given",
    answer: (request) => request.browse.inputs(request.caller, run(request)),
  },
  {
    ...{ name: "getProvenance", method: "GET", path: `${oneRun}/provenance`, schema: "RunProvenance" },
    ...{ for: "operators", query: {}, isHeavy: true, command: "runs export --format json" },
    summary:
      "What a run used and made: its calls, and which output was which input; also of runs of predictions",
    answer: (request) => request.browse.provenance(request.caller, run(request), request.ask),
  },
  {
    ...{ name: "getCrate", method: "GET", path: `${oneRun}/crate`, schema: "Bytes", for: "operators" },
    ...{ isHeavy: true, command: "runs export" },
    summary: "A run that has ended as a Workflow Run RO-Crate, packed as ZIP",
    query: {
      files: {
        ...{ kind: "text", choices: ["outputs", "none"] },
        about: "files that are in it, default: outputs",
      },
    },
    answer: async ({ browse, caller, query, labels, version, ask }) => {
      const files = query.text("files") === "none" ? "none" : "outputs";
      const { name, chunks } = await browse.crate(caller, labels["run"] ?? "", { files, version }, ask);
      return new RawAnswer(zipAnswer(name, chunks));
    },
  },
  {
    ...{ name: "getRunForm", method: "GET", path: `${oneRun}/form`, schema: "RunForm" },
    ...{ for: "everybody", query: {}, isHeavy: true },
    summary:
      "The parameters of a run's workflow with the run's inputs, and whether it can be run again from here",
    answer: (request) => request.browse.form(request.caller, run(request), request.ask),
  },
  {
    ...{ name: "runAgain", method: "POST", path: `${oneRun}/again`, schema: "RunBegun" },
    ...{ for: "operators", query: {} },
    summary:
      "Runs a workflow of the command line again, as it was run, and answers when the new run has begun",
    body: {
      inputs: {
        ...{ kind: "text", longest: 60_000, isOptional: true },
        about: "a JSON object with all inputs; default: those of the run",
      },
      cache: { kind: "text", isOptional: true, about: "the cache of `entry`" },
      entry: {
        ...{ kind: "text", isOptional: true },
        about:
          "uuid of a result that is invalidated when the run is ready to begin; if it cannot begin, nothing is invalidated",
      },
    },
    answer: (request) => {
      const inputs = request.body.text("inputs");
      if (inputs !== undefined && !isObjectText(inputs))
        throw new RequestProblem({
          ...{ status: 400, code: "REQUEST_INVALID" },
          detail: "the member inputs of the body must be a JSON object as text",
        });
      const [cache, entry] = [request.body.text("cache"), request.body.text("entry")];
      if ((cache === undefined) !== (entry === undefined))
        throw new RequestProblem({
          ...{ status: 400, code: "REQUEST_INVALID" },
          detail: "the members cache and entry of the body belong together",
        });
      const invalidate = cache === undefined || entry === undefined ? undefined : { cache, entry };
      return request.browse.runAgain(
        request.caller,
        run(request),
        defined({ inputs, invalidate }),
        request.ask,
      );
    },
  },
  {
    ...{ name: "getCall", method: "GET", path: `${oneRun}/call`, schema: "CallDetail" },
    ...{ for: "everybody", query: { call }, isHeavy: true },
    summary:
      "One call: its key's components, why it was computed, its attempts, and where its files came from and went",
    answer: (request) =>
      request.browse.callDetail(request.caller, run(request), request.query.text("call") ?? "", request.ask),
  },
  {
    ...{ name: "getCallOutput", method: "GET", path: `${oneRun}/output`, schema: "CallOutput" },
    ...{ for: "everybody", streams: true },
    summary: "An output stream of a call from a byte on; with `accept: text/event-stream` as it is written",
    query: {
      call,
      stream: { kind: "text", about: "default: stdout", choices: ["stdout", "stderr"] },
      from: { kind: "integer", about: "first byte", least: 0, most: 1e15 - 1, usual: 0 },
    },
    answer: (request) => request.browse.output(request.caller, run(request), outputOptions(request)),
    stream: async function* (request, after): AsyncGenerator<Sent | undefined> {
      const { from, ...rest } = outputOptions(request);
      const start = /^\d{1,15}$/.test(after ?? "") ? Number(after) : from;
      const options = { ...rest, from: start };
      for await (const part of request.browse.followOutput(
        request.caller,
        run(request),
        options,
        request.ask,
      ))
        yield part === undefined ? undefined : { id: String(part.next), event: "text", data: part };
    },
  },
  {
    ...{ name: "listFiles", method: "GET", path: `${oneRun}/files`, schema: "FileTree" },
    ...{ for: "everybody", query: { path: { kind: "text", about: "a folder; default: all" } } },
    summary: "Files and folders of a run's outputs",
    answer: (request) =>
      request.browse.files(request.caller, run(request), request.query.text("path") ?? "", request.ask),
  },
  {
    ...{ name: "previewFile", method: "GET", path: `${oneRun}/preview`, schema: "FilePreview" },
    ...{ for: "everybody", query: { path } },
    summary: "The beginning of an output, as text or as rows of a table",
    answer: (request) =>
      request.browse.preview(request.caller, run(request), request.query.text("path") ?? "", request.ask),
  },
  {
    ...{ name: "getFile", method: "GET", path: `${oneRun}/file`, schema: "Bytes" },
    ...{ for: "everybody", query: { path } },
    summary: "An output, to be saved",
    answer: async (request) => new RawAnswer(await fileAnswer(request, "save")),
  },
  {
    ...{ name: "getRawFile", method: "GET", path: `${oneRun}/raw`, schema: "Bytes" },
    ...{ for: "everybody", query: { path } },
    summary: "An image or an HTML output, to be shown: HTML in a sandbox without an origin",
    answer: async (request) => new RawAnswer(await fileAnswer(request, "show")),
  },
];

function outputOptions({ query }: V1Request): {
  readonly call: string;
  readonly stream: "stdout" | "stderr";
  readonly from: number;
} {
  const stream = query.text("stream") === "stderr" ? "stderr" : "stdout";
  return { call: query.text("call") ?? "", stream, from: query.integer("from") ?? 0 };
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
