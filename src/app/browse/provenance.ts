/**
 * Which call's output is which call's input, by content: entries know the digest of every output file, and keys that of
 * every input. Known for calls whose results are in a cache on this machine.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { CallRow } from "../../engine/index.ts";
import { mapBounded } from "../../kernel/index.ts";
import type { CallFold } from "./call-folds.ts";

export interface OutputFact {
  readonly output: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface InputFact {
  /** Place in the task's view: `inputs/0/reads.fq`. */
  readonly place: string;
  /** `sha256:…` and other identities, as in the key. */
  readonly identity: string;
  /** Calls of the run that made a file of this content, which ended before this one was asked for. */
  readonly from: readonly string[];
}

export interface RunProvenance {
  readonly outputs: ReadonlyMap<string, readonly OutputFact[]>;
  readonly inputs: ReadonlyMap<string, readonly InputFact[]>;
}

interface CallFacts {
  readonly call: string;
  readonly outputs: readonly OutputFact[];
  readonly inputs: Readonly<Record<string, unknown>>;
}

const manifestsAtOnce = 32;

export async function provenanceOf(fold: CallFold): Promise<RunProvenance> {
  const facts = await mapBounded([...fold.rows.values()], manifestsAtOnce, (row) => factsOf(row, fold));
  const makers = new Map<string, CallRow[]>();
  for (const { call, outputs } of facts) {
    const row = fold.rows.get(call);
    for (const digest of new Set(outputs.map(({ sha256 }) => sha256)))
      if (row !== undefined) makers.set(digest, [...(makers.get(digest) ?? []), row]);
  }
  const inputs = new Map<string, readonly InputFact[]>();
  for (const { call, inputs: known } of facts) {
    const askedAt = fold.rows.get(call)?.askedAt ?? 0;
    inputs.set(
      call,
      Object.entries(known).map(([place, value]) => {
        const identity = typeof value === "string" ? value : JSON.stringify(value);
        const digest = /^sha256:([0-9a-f]{64})$/.exec(identity)?.[1];
        const from = (digest === undefined ? [] : (makers.get(digest) ?? []))
          .filter((maker) => maker.call !== call && (maker.endedAt ?? Number.POSITIVE_INFINITY) <= askedAt)
          .map((maker) => maker.call);
        return { place, identity, from };
      }),
    );
  }
  return { outputs: new Map(facts.map(({ call, outputs }) => [call, outputs])), inputs };
}

async function factsOf(row: CallRow, fold: CallFold): Promise<CallFacts> {
  const { call } = row;
  const marks = fold.marks.get(call);
  const manifest = await readManifestAt(marks?.entry ?? row.entry);
  const outputs = manifest?.files ?? [];
  return { call, outputs, inputs: marks?.inputs ?? manifest?.inputs ?? {} };
}

/** undefined = the entry is elsewhere, or it was removed. */
async function readManifestAt(
  uri: string | undefined,
): Promise<
  { readonly files: readonly OutputFact[]; readonly inputs: Readonly<Record<string, unknown>> } | undefined
> {
  if (uri?.startsWith("file://") !== true) return undefined;
  try {
    const json = JSON.parse(await readFile(`${fileURLToPath(uri)}.json`, "utf8")) as {
      readonly files: readonly {
        readonly name: string;
        readonly path: string;
        readonly sizeBytes: number;
        readonly sha256: string;
      }[];
      readonly components: { readonly inputs?: Readonly<Record<string, unknown>> };
    };
    return {
      files: json.files.map(({ name, path, sizeBytes, sha256 }) => ({
        ...{ output: name, path, bytes: sizeBytes, sha256 },
      })),
      inputs: json.components.inputs ?? {},
    };
  } catch {
    return undefined;
  }
}
