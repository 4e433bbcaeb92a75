/** The graph of one run: its calls, what they used and made, and which call's output is which call's input. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ask, defined } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type FoundRun, findRun, runsFolder } from "../workflows/runs-folder.ts";
import { contentOf, Makers } from "./makers.ts";
import { type CallFacts, factsOfRun, type RunFacts } from "./run-facts.ts";
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
}

export async function runGraph(
  options: { readonly run?: string; readonly runsDir?: string },
  environment: Environment,
  ask: Ask,
): Promise<RunGraphFacts> {
  const found = await findRun(options.run, runsFolder(options.runsDir, environment), environment.cwd);
  const opened = openProvenance(environment, ask);
  try {
    const facts = await factsOfRun({ ...found, origin: { kind: "home" } }, opened.entries);
    const makers = new Makers(opened.fingerprinter);
    makers.add(0, facts);
    return await graphOf(found, facts, makers, ask);
  } finally {
    await opened.close();
  }
}

async function graphOf(
  { record, directory }: FoundRun,
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
  const { id, workflow, language, source, state, startedAt, endedAt, executor, failures } = record;
  return {
    run: { id, workflow, language, source, state, startedAt, executor, ...defined({ endedAt, failures }) },
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
