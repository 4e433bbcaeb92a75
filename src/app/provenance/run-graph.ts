/** The graph of one run: its calls, what they used and made, and which call's output is which call's input. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ask, defined } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { findRun, runsFolder } from "../workflows/runs-folder.ts";
import { serverRun } from "./all-runs.ts";
import { contentOf, Makers } from "./makers.ts";
import { predictionRuns } from "./prediction-facts.ts";
import {
  type CallFacts,
  type FoundOrigin,
  factsOfRun,
  type PredictionFacts,
  type RunFacts,
} from "./run-facts.ts";
import { openProvenance } from "./trace.ts";

export interface GraphEdge {
  /** Path of a call of the run; absent for an input of the run, or a file of another one. */
  readonly from?: string;
  readonly output?: string;
  /** Path of a call. */
  readonly to: string;
  readonly place: string;
  readonly location?: string;
  readonly identity?: string;
}

export interface RunGraphFacts {
  readonly run: {
    readonly id: string;
    /** Of runs of the server. */
    readonly account?: string;
    readonly workflow: string;
    readonly language: string;
    readonly source?: string;
    readonly state: string;
    readonly startedAt: string;
    readonly endedAt?: string;
    readonly executor?: string;
    readonly failures?: readonly string[];
  };
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly calls: readonly CallFacts[];
  readonly edges: readonly GraphEdge[];
  /** Where final outputs were brought to, with their identities. */
  readonly delivered: readonly {
    readonly path: string;
    readonly location: string;
    readonly identity?: string;
    readonly bytes?: number;
  }[];
  /** Of a run of predictions: its model, and which run computed which rows. */
  readonly predictions?: PredictionFacts;
}

/** `run`: of the command line, of the server, or of predictions. */
export async function runGraph(
  options: { readonly run?: string; readonly runsDir?: string },
  environment: Environment,
  ask: Ask,
): Promise<RunGraphFacts> {
  const { run, runsDir } = options;
  const ofServer = run === undefined ? undefined : await serverRun(run, environment);
  if (ofServer !== undefined) return graphOfRun(ofServer, environment, ask);
  const predictions = run === undefined ? undefined : await predictionGraphOf(run, environment);
  if (predictions !== undefined) return predictions;
  const found = await findRun(run, runsFolder(runsDir, environment), environment.cwd);
  return graphOfRun({ ...found, origin: { kind: "home" } }, environment, ask);
}

/** undefined = no run of predictions has this id. */
export async function predictionGraphOf(
  id: string,
  environment: Environment,
): Promise<RunGraphFacts | undefined> {
  const found = (await predictionRuns(0, environment)).find(({ record }) => record.id === id);
  return found === undefined ? undefined : predictionGraph(found);
}

function predictionGraph({ record, calls, predictions }: RunFacts): RunGraphFacts {
  const { id, workflow, language, startedAt, state } = record;
  const [call] = calls.values();
  const [input, output] = [call?.inputs[0], call?.outputs[0]];
  const endedAt = call?.endedAt;
  return {
    run: {
      ...{ id, workflow, language, state, startedAt },
      ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
    },
    inputs: defined({ input: input?.location }),
    outputs: defined({ predictions: output?.location }),
    calls: [...calls.values()],
    edges: (call?.inputs ?? []).map((each) => ({ to: call?.call ?? "", ...each })),
    delivered:
      output === undefined
        ? []
        : [
            {
              ...{ path: output.location, location: output.location },
              ...defined({ identity: output.identity, bytes: output.bytes }),
            },
          ],
    ...defined({ predictions }),
  };
}

export async function graphOfRun(
  found: FoundOrigin,
  environment: Environment,
  ask: Ask,
): Promise<RunGraphFacts> {
  const opened = openProvenance(environment, ask);
  try {
    const facts = await factsOfRun(found, opened.entries);
    const makers = new Makers(opened.fingerprinter);
    makers.add(0, facts);
    return await graphOf(found, facts, makers, ask);
  } finally {
    await opened.close();
  }
}

async function graphOf(
  { record, directory, origin }: FoundOrigin,
  facts: RunFacts,
  makers: Makers,
  ask: Ask,
): Promise<RunGraphFacts> {
  const calls = [...facts.calls.values()];
  const edges: GraphEdge[] = [];
  for (const { call: to, askedAt: by, inputs } of calls)
    for (const { place, location, identity } of inputs) {
      const wanted = { ...defined({ location, identity }), by };
      const found = await makers.makerOf(wanted, 0, ask);
      edges.push({
        ...(found === undefined ? {} : { from: found.made.call, output: found.made.output.output }),
        ...{ to, place, ...defined({ location, identity }) },
      });
    }
  const delivered = [...facts.delivered].map(([path, location]) => {
    const output = makers.atLocation(location, 0)?.output;
    const isWhole = output?.location === location;
    return {
      ...{ path, location },
      ...(isWhole ? defined({ identity: output.identity, bytes: output.bytes }) : {}),
    };
  });
  const { workflow, language, source, state, startedAt, endedAt, executor, failures } = record;
  return {
    run: {
      ...{ id: origin.id ?? record.id, workflow, language, source, state, startedAt, executor },
      ...defined({ account: origin.account, endedAt, failures }),
    },
    inputs: await jsonAt(join(directory, "inputs.json")),
    outputs: await jsonAt(join(directory, "outputs.json")),
    calls,
    edges,
    delivered,
  };
}

/** Empty where there is none, such as the outputs of a run that failed. */
async function jsonAt(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : {};
  } catch {
    return {};
  }
}

/** Of a file: its SHA-256 in hex. */
export function sha256Of(identity: string | undefined): string | undefined {
  return /^sha256:([0-9a-f]{64})$/.exec(contentOf(identity ?? ""))?.[1];
}
