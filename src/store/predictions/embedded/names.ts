/**
 * Names that records refer to by number: scopes (their number starts every key) and provenances (their number is in
 * every record). Numbers are given out once and never again; both sides live in one small table.
 */
import { sha256 } from "../../../hash/index.ts";
import type { Provenance } from "../../../task/index.ts";
import type { LmdbTable } from "./lmdb-store.ts";

/** What a record says about its row's origin: an interned name, and the time where the record has room for it. */
export interface ProvenanceNote {
  readonly number: number;
  readonly computedAtMs: number | undefined;
}

export interface Names {
  /** undefined = no row of this scope was ever stored. */
  findScope(identity: string): number | undefined;
  /** Gives a number where there is none. Inside a write transaction only. */
  internScope(identity: string): number;
  /** Writes down what columns a digest stands for. Inside a write transaction only. */
  noteColumns(digest: string, text: string): void;
  columns(digest: string): string | undefined;
  /** Every scope that ever had a number. */
  scopes(): readonly { readonly identity: string; readonly number: number }[];
  internProvenance(provenance: Provenance | undefined): ProvenanceNote;
  provenance(number: number, computedAtMs: number | undefined): Provenance | undefined;
  /** Forgets numbers given out in a transaction that was not committed. */
  forget(): void;
}

/** Records have 16 bits for the number of a provenance; 0 means none. */
const mostProvenances = 0xffff;

export function createNames(table: LmdbTable<string>): Names {
  const numbers = new Map<string, number>();
  const texts = new Map<number, Provenance>();
  let last: { number: number; ms: number | undefined; provenance: Provenance | undefined } = {
    number: -1,
    ms: undefined,
    provenance: undefined,
  };
  let lastNoted: { provenance: Provenance; note: ProvenanceNote } | undefined;

  function find(name: string): number | undefined {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const stored = table.get(name);
    if (stored === undefined) return undefined;
    const number = Number(stored);
    numbers.set(name, number);
    return number;
  }

  function intern(kind: "scope" | "provenance", text: string): number {
    const name = nameOf(kind, text);
    const known = find(name);
    if (known !== undefined) return known;
    const number = Number(table.get(`next ${kind}`) ?? 1);
    table.putSync(`next ${kind}`, String(number + 1));
    table.putSync(name, String(number));
    table.putSync(`${kind} ${number}`, text);
    numbers.set(name, number);
    return number;
  }

  function internFresh(provenance: Provenance | undefined): ProvenanceNote {
    if (provenance === undefined) return { number: 0, computedAtMs: undefined };
    // A usual time takes 8 bytes of the record; only unusual ones become part of the name.
    const ms = provenance.computedAt === undefined ? undefined : exactMs(provenance.computedAt);
    const { computedAt, ...origin } = provenance;
    const text = JSON.stringify(ms === undefined && computedAt !== undefined ? provenance : origin);
    if (
      find(nameOf("provenance", text)) === undefined &&
      Number(table.get("next provenance") ?? 1) > mostProvenances
    )
      return { number: 0, computedAtMs: undefined };
    return { number: intern("provenance", text), computedAtMs: ms };
  }

  function originOf(number: number): Provenance | undefined {
    const known = texts.get(number);
    if (known !== undefined) return known;
    const text = table.get(`provenance ${number}`);
    if (text === undefined) return undefined;
    const origin = JSON.parse(text) as Provenance;
    texts.set(number, origin);
    return origin;
  }

  return {
    findScope: (identity) => find(nameOf("scope", identity)),
    internScope: (identity) => intern("scope", identity),
    noteColumns: (digest, text) => {
      if (table.get(`columns ${digest}`) === undefined) table.putSync(`columns ${digest}`, text);
    },
    columns: (digest) => table.get(`columns ${digest}`),
    scopes: () => {
      const next = Number(table.get("next scope") ?? 1);
      return Array.from({ length: next - 1 }, (_, i) => i + 1).flatMap((number) => {
        const identity = table.get(`scope ${number}`);
        return identity === undefined ? [] : [{ identity, number }];
      });
    },
    internProvenance: (provenance) => {
      // Rows of one batch share one object.
      if (provenance !== undefined && lastNoted?.provenance === provenance) return lastNoted.note;
      const note = internFresh(provenance);
      if (provenance !== undefined) lastNoted = { provenance, note };
      return note;
    },
    provenance: (number, computedAtMs) => {
      if (number === 0) return undefined;
      if (last.number === number && last.ms === computedAtMs) return last.provenance;
      const origin = originOf(number);
      const provenance =
        computedAtMs === undefined
          ? origin
          : Object.freeze({ computedAt: new Date(computedAtMs).toISOString(), ...origin });
      last = { number, ms: computedAtMs, provenance };
      return provenance;
    },
    forget: () => {
      numbers.clear();
      texts.clear();
      lastNoted = undefined;
      last = { number: -1, ms: undefined, provenance: undefined };
    },
  };
}

/** Keys of the table have a limit, and a release or a toolkit may be any words: long texts go by their digest. */
function nameOf(kind: "scope" | "provenance", text: string): string {
  return text.length <= 400 ? `${kind}: ${text}` : `${kind} by digest: ${sha256(text)}`;
}

/** Milliseconds of a time that prints back to the same text, else undefined. */
function exactMs(computedAt: string): number | undefined {
  const ms = Date.parse(computedAt);
  return Number.isFinite(ms) && new Date(ms).toISOString() === computedAt ? ms : undefined;
}
