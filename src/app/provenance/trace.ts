/** Where a file came from: the call that made it, the calls that made its inputs, and so on to the first inputs. */
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { followLinks } from "../../files/index.ts";
import { AppError, type Ask, checkAsk, defined, shownName } from "../../kernel/index.ts";
import { createFingerprinter, type Fingerprinter, fileMemo } from "../../keys/index.ts";
import type { Environment } from "../environment.ts";
import type { PastRunOptions } from "../history/past-runs.ts";
import { createRemoteFiles } from "../workflows/remote-files.ts";
import { allRuns } from "./all-runs.ts";
import { EntryReader } from "./entry-facts.ts";
import {
  contentOf,
  type FoundMaker,
  type Made,
  type MakerKey,
  Makers,
  type ShownOutput,
  shownOutput,
} from "./makers.ts";
import { predictionRuns } from "./prediction-facts.ts";
import { type CallFacts, factsOfRun, type PredictionFacts, type RunFacts } from "./run-facts.ts";

export interface TraceOptions extends PastRunOptions {
  readonly file: string;
  /** How many calls back; default: to the first inputs. */
  readonly depth?: number;
}

export interface TracedFile {
  readonly path: string;
  readonly kind: "file" | "directory";
  /** `sha256:…` or `tree:…`; absent for what is not on this machine. */
  readonly identity?: string;
  readonly bytes?: number;
}

/** A call of a workflow, or a run of predictions. */
export interface TracedCall {
  /** Unique in this answer. */
  readonly id: string;
  readonly run: string;
  /** Of runs of the server. */
  readonly account?: string;
  /** `wdl`, `cwl`, `nextflow`, or `predictions`. */
  readonly language: string;
  /** The workflow, or the model. */
  readonly workflow: string;
  readonly call: string;
  readonly task: string;
  readonly state: CallFacts["state"];
  /** ISO 8601: when it ended. */
  readonly at?: string;
  /** The run that computed what was reused. */
  readonly computedBy?: { readonly run: string; readonly call?: string };
  readonly command?: string;
  readonly image?: string;
  readonly imageDigest?: string;
  readonly executor?: string;
  readonly outputs: readonly ShownOutput[];
  /** Of predictions: the model's release, and its batches. */
  readonly predictions?: PredictionFacts;
  /** Its inputs were not followed: the depth was reached. */
  readonly isCut?: boolean;
}

export interface TraceEdge {
  /** Of a traced call; absent for a first input. */
  readonly from?: string;
  /** Of the call that has it as an input. */
  readonly to: string;
  /** Below the task root. */
  readonly place: string;
  readonly location?: string;
  readonly identity?: string;
  /** How the maker was found. */
  readonly by?: FoundMaker["by"];
}

export interface FirstInput {
  readonly location?: string;
  readonly identity?: string;
  /** Written by the workflow itself, not by a call. */
  readonly writtenBy?: string;
  /** Ids of traced calls. */
  readonly usedBy: readonly string[];
}

export interface TraceResult {
  readonly file: TracedFile;
  /** `path`: it was brought there by the run, and is not the same any more. */
  readonly found: "content" | "path" | "location";
  /** Of what had been there, when it was changed since. */
  readonly recorded?: string;
  /** Id of the call that made it. */
  readonly madeBy: string;
  readonly output: string;
  /** Other calls that made the same content. */
  readonly alsoMadeBy: readonly { readonly run: string; readonly call: string }[];
  /** The one that made the file first. */
  readonly calls: readonly TracedCall[];
  readonly edges: readonly TraceEdge[];
  readonly firstInputs: readonly FirstInput[];
}

/** @throws FILE_NOT_FOUND, TRACE_NOT_FOUND */
export async function trace(options: TraceOptions, environment: Environment, ask: Ask): Promise<TraceResult> {
  const opened = openProvenance(environment, ask);
  try {
    return await new Tracer(opened, ask).trace(options, environment);
  } finally {
    await opened.close();
  }
}

export interface OpenProvenance {
  readonly fingerprinter: Fingerprinter;
  readonly entries: EntryReader;
  close(): Promise<void>;
}

export function openProvenance(environment: Environment, ask: Ask): OpenProvenance {
  const remote = createRemoteFiles(environment.s3);
  const fingerprinter = createFingerprinter({
    ...{ memo: fileMemo(join(environment.home, "fingerprints")), remote, policy: "content" },
  });
  return {
    fingerprinter,
    entries: new EntryReader({ remote, ask }),
    close: async () => {
      await fingerprinter.close();
      await remote.close();
    },
  };
}

/** Runs whose facts are kept: a trace goes back and forth between few. */
const mostRuns = 8;
const mostOthers = 20;

class Tracer {
  readonly #opened: OpenProvenance;
  readonly #ask: Ask;
  readonly #makers: Makers;
  /** Newest first. */
  #runs: readonly (() => Promise<RunFacts>)[] = [];
  readonly #facts = new Map<number, Promise<RunFacts>>();
  readonly #calls = new Map<string, TracedCall>();
  readonly #edges: TraceEdge[] = [];
  readonly #first = new Map<string, { -readonly [Name in keyof FirstInput]: FirstInput[Name] }>();

  constructor(opened: OpenProvenance, ask: Ask) {
    this.#opened = opened;
    this.#ask = ask;
    this.#makers = new Makers(opened.fingerprinter);
  }

  async trace(options: TraceOptions, environment: Environment): Promise<TraceResult> {
    const { file, paths } = await this.#identified(options.file, environment);
    await this.#readRuns(options, environment);
    const { root, found, recorded, others } = await this.#makerOfFile(file, paths);
    const madeBy = await this.#follow(root, options.depth ?? Number.POSITIVE_INFINITY);
    return {
      file,
      found,
      ...defined({ recorded }),
      madeBy,
      output: root.output.output,
      alsoMadeBy: await this.#shown(others, madeBy),
      calls: [...this.#calls.values()],
      edges: this.#edges,
      firstInputs: [...this.#first.values()],
    };
  }

  /** Each once, and not the one that computed what was reused. */
  async #shown(others: readonly Made[], madeBy: string): Promise<TraceResult["alsoMadeBy"]> {
    const { computedBy } = this.#calls.get(madeBy) ?? {};
    const shown = new Map<string, { readonly run: string; readonly call: string }>();
    for (const { run: index, call } of others.slice(0, mostOthers)) {
      const run = shownRun(await this.#run(index));
      if (run !== computedBy?.run) shown.set(`${run}/${call}`, { run, call });
    }
    return [...shown.values()];
  }

  async #identified(
    asked: string,
    environment: Environment,
  ): Promise<{ readonly file: TracedFile; readonly paths: readonly string[] }> {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(asked))
      return { file: { path: asked, kind: asked.endsWith("/") ? "directory" : "file" }, paths: [asked] };
    const path = resolve(environment.cwd, asked);
    const stats = await stat(path).catch(() => undefined);
    const paths = [path];
    // What was removed may still be known by its path.
    if (stats === undefined) return { file: { path, kind: "file" }, paths };
    if (!stats.isFile() && !stats.isDirectory())
      throw new AppError("FILE_NOT_REGULAR", `tracing ${shownName(path)}: expected a file or a folder`);
    const real = await followLinks(path);
    if (real !== undefined && real !== path) paths.push(real);
    const kind = stats.isFile() ? "file" : "directory";
    const { text } = await this.#opened.fingerprinter.identify(
      { kind, location: real ?? path, basename: basename(path) },
      this.#ask,
    );
    const bytes = stats.isFile() ? stats.size : undefined;
    return { file: { path, kind, identity: contentOf(text), ...defined({ bytes }) }, paths };
  }

  async #readRuns(options: TraceOptions, environment: Environment): Promise<void> {
    const found = await allRuns(options, environment, this.#ask);
    const workflows = found.map((run) => ({
      at: Date.parse(run.record.startedAt),
      read: () => factsOfRun(run, this.#opened.entries),
    }));
    const predictions =
      options.whose?.home === false ? [] : await predictionRuns(options.since ?? 0, environment);
    const all = [
      ...workflows,
      ...predictions.map((facts) => ({ at: Date.parse(facts.record.startedAt), read: async () => facts })),
    ].sort((a, b) => b.at - a.at);
    this.#runs = all.map(({ read }) => read);
    for (const [index] of this.#runs.entries()) {
      checkAsk(this.#ask, "reading past runs");
      this.#makers.add(index, await this.#run(index));
    }
  }

  #run(index: number): Promise<RunFacts> {
    const known = this.#facts.get(index);
    const facts =
      known ?? this.#runs[index]?.() ?? Promise.reject(new Error("invariant broken: no such run"));
    this.#facts.delete(index);
    this.#facts.set(index, facts);
    const [oldest] = this.#facts.keys();
    if (this.#facts.size > mostRuns && oldest !== undefined) this.#facts.delete(oldest);
    return facts;
  }

  async #makerOfFile(
    file: TracedFile,
    paths: readonly string[],
  ): Promise<{
    readonly root: Made;
    readonly found: TraceResult["found"];
    readonly recorded?: string;
    readonly others: readonly Made[];
  }> {
    const { identity, bytes, path } = file;
    const location = paths.at(-1) ?? path;
    const equal = await this.#makers.ofContent({ location, ...defined({ identity, bytes }) }, this.#ask);
    const places = paths.flatMap((at) => {
      const there = this.#makers.atLocation(at);
      const brought = this.#makers.broughtTo(at).map(({ made }) => made);
      return there === undefined ? brought : [there, ...brought];
    });
    const isSame = (made: Made) =>
      equal.some((each) => each.run === made.run && each.call === made.call) ||
      (made.output.identity !== undefined && made.output.identity === identity);
    const root = places.find(isSame) ?? equal[0];
    const others = (made: Made) =>
      equal
        .filter((each) => each.run !== made.run || each.call !== made.call)
        .filter(({ isReused }) => !isReused);
    if (root !== undefined) return { root, found: "content", others: others(root) };
    const [byPath] = places;
    if (byPath === undefined && identity === undefined && path.startsWith("/"))
      throw new AppError(
        "FILE_NOT_FOUND",
        `tracing ${shownName(path)}: there is no such file, and no run that is known here brought one there`,
      );
    if (byPath === undefined)
      throw new AppError(
        "TRACE_NOT_FOUND",
        `tracing ${shownName(path)}: no call of the ${this.#runs.length} runs that are known here made it, by content or by path`,
      );
    const { identity: recorded } = byPath.output;
    if (identity === undefined || recorded === undefined)
      return { root: byPath, found: "location", ...defined({ recorded }), others: [] };
    return { root: byPath, found: "path", recorded, others: [] };
  }

  /** Breadth first, so that the depth is the shortest way back. Answers the id of the first. */
  async #follow(root: Made, depth: number): Promise<string> {
    const first = await this.#traced(root);
    let level: readonly MakerKey[] = [root];
    for (let at = 1; level.length > 0; at++) {
      const next: MakerKey[] = [];
      for (const key of level) {
        checkAsk(this.#ask, "tracing a file");
        if (at >= depth) await this.#cut(key);
        else next.push(...(await this.#followInputs(key)));
      }
      level = next;
    }
    return first;
  }

  async #cut(key: MakerKey): Promise<void> {
    const id = await this.#idOf(key);
    const call = this.#calls.get(id);
    const facts = (await this.#run(key.run)).calls.get(key.call);
    if (call !== undefined && (facts?.inputs.length ?? 0) > 0) this.#calls.set(id, { ...call, isCut: true });
  }

  /** Calls that were not met before. */
  async #followInputs(key: MakerKey): Promise<readonly MakerKey[]> {
    const run = await this.#run(key.run);
    const to = idOf(run, key.call);
    const facts = run.calls.get(key.call);
    const fresh: MakerKey[] = [];
    for (const { place, location, identity } of facts?.inputs ?? []) {
      const bytes = location?.startsWith("/") === true ? await sizeAt(location) : undefined;
      const wanted = { ...defined({ location, identity, bytes }), by: facts?.askedAt ?? 0 };
      const found = await this.#makers.makerOf(wanted, key.run, this.#ask);
      const edge = { to, place, ...defined({ location, identity }) };
      if (found === undefined) {
        this.#edges.push(edge);
        this.#addFirst(edge, run);
        continue;
      }
      const from = await this.#idOf(found.made);
      if (!this.#calls.has(from)) {
        await this.#traced(found.made);
        fresh.push(found.made);
      }
      this.#edges.push({ from, ...edge, by: found.by });
    }
    return fresh;
  }

  #addFirst({ to, location, identity }: TraceEdge, run: RunFacts): void {
    const name = `${location} ${identity}`;
    const known = this.#first.get(name);
    if (known !== undefined) {
      if (!known.usedBy.includes(to)) known.usedBy = [...known.usedBy, to];
      return;
    }
    const isOwn = run.directory !== "" && location?.startsWith(`${run.directory}/`) === true;
    this.#first.set(name, {
      ...defined({ location, identity, writtenBy: isOwn ? shownRun(run) : undefined }),
      usedBy: [to],
    });
  }

  async #idOf({ run, call }: MakerKey): Promise<string> {
    return idOf(await this.#run(run), call);
  }

  async #traced({ run: index, call: name }: MakerKey): Promise<string> {
    const run = await this.#run(index);
    const id = idOf(run, name);
    const call = run.calls.get(name);
    if (call === undefined) throw new Error("invariant broken: a call that made something is in its run");
    const { record, origin, predictions } = run;
    const { task, state, endedAt, command, image, imageDigest, executor, fromRun, fromCall } = call;
    const isElsewhere = state === "reused" && fromRun !== undefined && fromRun !== record.id;
    this.#calls.set(id, {
      ...{ id, run: shownRun(run), language: record.language, workflow: record.workflow },
      ...{ call: name, task, state },
      ...defined({
        account: origin.account,
        at: endedAt === undefined ? undefined : new Date(endedAt).toISOString(),
        computedBy: isElsewhere ? { run: fromRun, ...defined({ call: fromCall }) } : undefined,
      }),
      ...defined({ command, image, imageDigest, executor: executor ?? record.executor, predictions }),
      outputs: call.outputs.filter(isShown).map(shownOutput),
    });
    return id;
  }
}

function isShown({ isMember, isLeft }: Made["output"]): boolean {
  return isMember !== true && isLeft !== true;
}

function idOf(run: RunFacts, call: string): string {
  return `${shownRun(run)}/${call}`;
}

/** As people know it: runs of the server have the server's id. */
function shownRun({ record, origin }: RunFacts): string {
  return origin.id ?? record.id;
}

async function sizeAt(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true ? stats.size : undefined;
}
