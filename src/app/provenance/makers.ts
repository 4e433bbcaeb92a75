/**
 * Which call made what, over all runs of a home: by where results are, by where they were brought to, and by content.
 * Content alone is a guess where files are empty or were there before, so such matches are left out.
 */
import { stat } from "node:fs/promises";
import { type Ask, checkAsk, defined, mapBounded } from "../../kernel/index.ts";
import type { Fingerprinter } from "../../keys/index.ts";
import type { OutputFact } from "./entry-facts.ts";
import type { CallFacts, RunFacts } from "./run-facts.ts";

/** A run by its position in the list of runs, and a call in it. */
export interface MakerKey {
  readonly run: number;
  readonly call: string;
}

export interface Made extends MakerKey {
  readonly output: OutputFact;
  /** Milliseconds since 1970: when the call that computed it, or reused it, had ended. */
  readonly endedAt: number;
  readonly isReused: boolean;
}

export interface Wanted {
  readonly location?: string;
  readonly identity?: string;
  readonly bytes?: number;
  /** It was there by then: milliseconds since 1970. Default: now. */
  readonly by?: number;
}

export interface FoundMaker {
  readonly made: Made;
  /** `location`: it is the result itself. `path`: it was brought there, and its content is not known to be the same. */
  readonly by: "location" | "content" | "path";
}

interface Delivered {
  readonly run: number;
  readonly source: string;
}

/** Of a file without content. */
const emptyFile = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const statsAtOnce = 32;

export class Makers {
  readonly #fingerprinter: Fingerprinter;
  readonly #byLocation = new Map<string, Made[]>();
  readonly #byIdentity = new Map<string, Made[]>();
  readonly #delivered = new Map<string, Delivered[]>();
  /** When a file of this content was first used at a place. */
  readonly #used = new Map<string, number>();
  #unidentified: Made[] = [];
  #bySize: Promise<ReadonlyMap<number, readonly Made[]>> | undefined;

  constructor(fingerprinter: Fingerprinter) {
    this.#fingerprinter = fingerprinter;
  }

  add(run: number, { calls, delivered }: RunFacts): void {
    for (const call of calls.values()) {
      this.#addUses(call);
      this.#addOutputs(run, call);
    }
    for (const [target, source] of delivered) push(this.#delivered, plain(target), { run, source });
  }

  #addUses({ inputs, askedAt }: CallFacts): void {
    for (const { location, identity } of inputs) {
      if (location === undefined || identity === undefined) continue;
      const name = useName(location, contentOf(identity));
      this.#used.set(name, Math.min(askedAt, this.#used.get(name) ?? Number.POSITIVE_INFINITY));
    }
  }

  #addOutputs(run: number, { call, state, endedAt, outputs }: CallFacts): void {
    if (endedAt === undefined || (state !== "computed" && state !== "reused")) return;
    for (const output of outputs) {
      const made: Made = { run, call, output, endedAt, isReused: state === "reused" };
      push(this.#byLocation, plain(output.location), made);
      if (output.identity !== undefined) push(this.#byIdentity, output.identity, made);
      else if (output.kind === "file" && output.isLeft !== true) this.#unidentified.push(made);
    }
  }

  /** The result that is at this place, or the folder around it; of a run first where it is given. */
  atLocation(location: string, preferred?: number): Made | undefined {
    for (let at = plain(location); at.length > 1; at = at.slice(0, at.lastIndexOf("/"))) {
      const found = this.#byLocation.get(at);
      if (found !== undefined) return best(found, preferred);
      if (!at.includes("/")) break;
    }
    return undefined;
  }

  /** What was brought to this place, or to a folder around it. Newest run first. */
  broughtTo(location: string): readonly { readonly made: Made; readonly rest: string }[] {
    const whole = plain(location);
    for (let at = whole; at.length > 1; at = at.slice(0, at.lastIndexOf("/"))) {
      const found = this.#delivered.get(at);
      if (found !== undefined) {
        const rest = whole.slice(at.length);
        return [...found]
          .sort((a, b) => a.run - b.run)
          .flatMap(({ run, source }) => {
            const made = this.atLocation(source + rest, run);
            return made === undefined ? [] : [{ made, rest }];
          });
      }
      if (!at.includes("/")) break;
    }
    return [];
  }

  /** Every call that made this content before it was first seen at its place. The first to compute it is first: others may have copied it. */
  async ofContent(wanted: Wanted, ask: Ask): Promise<readonly Made[]> {
    const { location, identity, bytes } = wanted;
    if (identity === undefined) return [];
    const content = contentOf(identity);
    if (content === emptyFile) return [];
    const firstUse = location === undefined ? undefined : this.#used.get(useName(location, content));
    const until = Math.min(wanted.by ?? Number.POSITIVE_INFINITY, firstUse ?? Number.POSITIVE_INFINITY);
    const known = this.#byIdentity.get(content) ?? [];
    const read =
      bytes === undefined || !content.startsWith("sha256:") ? [] : await this.#unread(content, bytes, ask);
    return [...known, ...read]
      .filter(({ endedAt }) => endedAt <= until)
      .sort((a, b) => Number(a.isReused) - Number(b.isReused) || a.endedAt - b.endedAt);
  }

  /** Who made an input: by its place, by where it was brought to, by its content. */
  async makerOf(wanted: Wanted, consumer: number, ask: Ask): Promise<FoundMaker | undefined> {
    const { location, identity } = wanted;
    const by = wanted.by ?? Number.POSITIVE_INFINITY;
    if (location !== undefined) {
      const there = this.atLocation(location, consumer);
      if (there !== undefined && there.endedAt <= by) return { made: there, by: "location" };
      for (const { made } of this.broughtTo(location)) {
        if (made.endedAt > by) continue;
        const recorded = made.output.identity ?? (await this.#identityAt(made.output, ask));
        if (recorded === undefined || identity === undefined) return { made, by: "path" };
        if (recorded === contentOf(identity)) return { made, by: "content" };
      }
    }
    const [made] = (await this.ofContent(wanted, ask)).filter(
      // What a call of the same run made is taken by its place; a file of the user that is equal to it is another one.
      ({ run }) => location === undefined || run !== consumer,
    );
    return made === undefined ? undefined : { made, by: "content" };
  }

  /** Results that no cache holds are read, if one has the right size. */
  async #unread(content: string, bytes: number, ask: Ask): Promise<readonly Made[]> {
    this.#bySize ??= this.#sizes();
    const equal: Made[] = [];
    for (const made of (await this.#bySize).get(bytes) ?? []) {
      checkAsk(ask, "comparing the contents of files");
      if ((await this.#identityAt(made.output, ask)) === content) equal.push(made);
    }
    return equal;
  }

  async #sizes(): Promise<ReadonlyMap<number, readonly Made[]>> {
    const sizes = new Map<number, Made[]>();
    await mapBounded(this.#unidentified, statsAtOnce, async (made) => {
      const stats = await stat(made.output.location).catch(() => undefined);
      if (stats?.isFile() === true) push(sizes, stats.size, made);
    });
    return sizes;
  }

  async #identityAt({ location }: OutputFact, ask: Ask): Promise<string | undefined> {
    if (!location.startsWith("/")) return undefined;
    return this.#fingerprinter.contentOf(location, ask).then(
      ({ sha256 }) => `sha256:${sha256}`,
      () => {
        checkAsk(ask, `reading ${location}`);
        return undefined;
      },
    );
  }
}

/** The identity of a file's content, whether it may be executed or not. */
export function contentOf(identity: string): string {
  return identity.replace(/ executable$/, "");
}

function plain(location: string): string {
  return location.length > 1 ? location.replace(/\/+$/, "") : location;
}

function useName(location: string, content: string): string {
  return `${content} ${plain(location)}`;
}

function push<Name, Value>(map: Map<Name, Value[]>, name: Name, value: Value): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [value]);
  else known.push(value);
}

/** Several calls of one run may share an entry: the one that computed it, else the first. */
function best(found: readonly Made[], preferred: number | undefined): Made | undefined {
  const own = found.filter(({ run }) => run === preferred);
  const among = own.length > 0 ? own : found;
  return [...among].sort((a, b) => Number(a.isReused) - Number(b.isReused) || a.endedAt - b.endedAt)[0];
}

/** As a trace shows it. */
export type ShownOutput = Omit<OutputFact, "isMember" | "isLeft">;

export function shownOutput(output: OutputFact): ShownOutput {
  const { output: name, kind, location, identity, bytes } = output;
  return { output: name, kind, location, ...defined({ identity, bytes }) };
}
