/**
 * What an attempt has left in the work prefix. Only what is small is brought here: the exit code, what was used, the streams,
 * and the listing of everything else, which is taken only when every object of it is there as the job has listed it.
 */
import { appendFileSync, writeFileSync } from "node:fs";
import { sha256 as sha256Of } from "../../hash/index.ts";
import { AppError, type Ask, onDisk, pause } from "../../kernel/index.ts";
import { type ObjectStore, parseS3Uri } from "../../store/objects/index.ts";
import { type AttemptFiles, taskRoot } from "../../task/index.ts";
import { type Attempt, type AttemptEnd, attemptPaths, readAttemptEnd } from "../core/index.ts";
import { listingName } from "./job-scripts.ts";
import { type ListedFile, type Listing, parseListing } from "./listing.ts";
import { ObjectAttemptFiles } from "./object-attempt-files.ts";
import { readJobFile, readRecord, type TaskRecord, writeJobFile } from "./task-record.ts";
import type { WorkStore } from "./work-store.ts";

/** Streams up to this size are brought here whole, of larger ones the end. */
const streamBytes = 16 << 20;
const streamTailBytes = 256 << 10;

export interface AttemptResultsOptions {
  readonly work: WorkStore;
  /** For inputs that are read here. */
  readonly openObjects: (uri: string) => ObjectStore;
  readonly pollMs: number;
  /** How long what a task has left may take to be seen in the work prefix. */
  readonly settleMs: number;
}

export class AttemptResults {
  readonly #options: AttemptResultsOptions;
  readonly #work: WorkStore;
  /** An object was found here whose ETag is not the MD5 of its content although it is whole. */
  #hasOtherEtags = false;

  constructor(options: AttemptResultsOptions) {
    this.#options = options;
    this.#work = options.work;
  }

  /** The end, where the results are here already. */
  async recordedEnd(attempt: Attempt): Promise<AttemptEnd | undefined> {
    const end = await readAttemptEnd(attempt.directory, { wallSeconds: 0 });
    if (end?.kind !== "exited") return end;
    const listing = listingOf(attempt);
    return listing === undefined ? undefined : spoiledEnd(end, listing);
  }

  /** Words when the results are not whole after a while. */
  async bring(attempt: Attempt, record: TaskRecord, ask: Ask): Promise<string | undefined> {
    const { id } = attempt;
    const [submission = ""] = record.submissions;
    const place = placeOf(id, submission);
    const until = performance.now() + this.#options.settleMs;
    for (;;) {
      const trouble = await this.#bringOnce(attempt, place, ask);
      if (trouble === undefined) return undefined;
      if (performance.now() > until)
        return `the results of ${id} are not whole in ${this.#work.uriOf(place)}: ${trouble}`;
      await pause(this.#options.pollMs, ask);
    }
  }

  async #bringOnce(attempt: Attempt, place: string, ask: Ask): Promise<string | undefined> {
    const bytes = await this.#work.read(`${place}/${listingName}`, ask);
    if (bytes === undefined) return "its listing is not there";
    const listing = parseListing(bytes);
    if (listing === undefined) return "its listing is not whole";
    const missing = await this.#missing(place, listing, ask);
    if (missing !== undefined) return missing;
    await this.#bringStreams(attempt, place, listing, ask);
    writeJobFile(attempt.directory, listingName, bytes);
    const paths = attemptPaths(attempt.directory);
    writeFileSync(onDisk(paths.usage), listing.texts.get(`${taskRoot}/usage.json`) ?? "");
    const rc = listing.texts.get(`${taskRoot}/rc`);
    // Last: what is there is complete.
    if (rc !== undefined) writeFileSync(onDisk(paths.rc), rc);
    return undefined;
  }

  /** Words when an object is not there as the job has listed it. */
  async #missing(place: string, listing: Listing, ask: Ask): Promise<string | undefined> {
    const there = await this.#work.list(`${place}/files`, ask);
    for (const [path, member] of listing.members) {
      if (member.kind !== "file" || member.object === undefined) continue;
      const found = there.get(member.object);
      if (found === undefined) return `${path} is not there`;
      if (found.sizeBytes !== member.sizeBytes)
        return `${path} has ${found.sizeBytes} bytes, expected ${member.sizeBytes}`;
      const isOther = /^[0-9a-f]{32}$/.test(found.etag ?? "") && found.etag !== member.md5;
      if (isOther && !(await this.#holds(`${place}/files/${member.object}`, member, ask)))
        return `${path} has the MD5 ${found.etag}, expected ${member.md5}`;
    }
    return undefined;
  }

  /** Of objects that are encrypted with a key of the customer the ETag is not a digest, and only reading them shows it. */
  async #holds(name: string, { sha256, sizeBytes }: ListedFile, ask: Ask): Promise<boolean> {
    if (this.#hasOtherEtags || sizeBytes > streamBytes) return this.#hasOtherEtags;
    const bytes = await this.#work.read(name, ask);
    this.#hasOtherEtags = bytes !== undefined && sha256Of(bytes) === sha256;
    return this.#hasOtherEtags;
  }

  async #bringStreams(attempt: Attempt, place: string, listing: Listing, ask: Ask): Promise<void> {
    const { stdout, stderr } = attemptPaths(attempt.directory);
    for (const [name, to] of [
      ["stdout", stdout],
      ["stderr", stderr],
    ] as const) {
      const member = listing.members.get(`${taskRoot}/${name}`);
      if (member?.kind !== "file" || member.object === undefined) continue;
      const object = `${place}/files/${member.object}`;
      const { sizeBytes: end } = member;
      const start = end <= streamBytes ? 0 : end - streamTailBytes;
      const bytes =
        end === 0 ? new Uint8Array() : await this.#work.objects.readRange(object, { start, end }, ask);
      writeFileSync(
        onDisk(to),
        start === 0 ? bytes : `… the first ${start} bytes are in ${this.#work.uriOf(object)}\n`,
      );
      if (start > 0) appendFileSync(onDisk(to), bytes);
    }
  }

  filesOf(attempt: Attempt, ask: Ask): AttemptFiles {
    const record = readRecord(attempt.directory);
    const place = placeOf(attempt.id, record?.submissions[0] ?? "");
    return new ObjectAttemptFiles(
      {
        attempt,
        members: listingOf(attempt)?.members ?? new Map(),
        staged: new Set(record?.staged),
        uri: this.#work.uriOf(place),
        read: async (object, range, within) => {
          const name = `${place}/files/${object}`;
          if (range !== undefined) return this.#work.objects.readRange(name, range, within);
          const bytes = await this.#work.read(name, within);
          if (bytes !== undefined) return bytes;
          throw new AppError("STORE_OBJECT_NOT_FOUND", `reading ${this.#work.uriOf(name)}: it is not there`);
        },
        readInput: async (location, within) => {
          const { bucket, key } = parseS3Uri(location);
          const store = this.#options.openObjects(`s3://${bucket}`);
          try {
            const bytes = await store.read(key, within);
            if (bytes !== undefined) return bytes;
            throw new AppError("STORE_OBJECT_NOT_FOUND", `reading ${location}: it is not there`);
          } finally {
            await store.close();
          }
        },
      },
      ask,
    );
  }
}

/** Of what one request to create a task publishes. */
export function placeOf(id: string, submission: string): string {
  return `attempts/${id}/${submission}`;
}

function listingOf({ directory }: Attempt): Listing | undefined {
  const bytes = readJobFile(directory, listingName);
  return bytes === undefined ? undefined : parseListing(bytes);
}

/** The end with what the task has deleted or replaced of what its outputs are read with. */
function spoiledEnd(end: Extract<AttemptEnd, { kind: "exited" }>, { members }: Listing): AttemptEnd {
  const needed = [
    ["stdout", "file", "its standard output"],
    ["stderr", "file", "its standard error"],
    ["work", "directory", "its working directory"],
    ["rc", "file", "the file of its exit code"],
  ] as const;
  const gone = needed.find(([name, kind]) => members.get(`${taskRoot}/${name}`)?.kind !== kind);
  return gone === undefined ? end : { ...end, spoiled: `${gone[2]} (${taskRoot}/${gone[0]})` };
}
