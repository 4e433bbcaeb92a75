/** Brings a model's files from a folder, a git repository or an archive into an empty folder. */
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ArchiveLimits, topOfArchive, unpackArchive } from "../../archive/index.ts";
import { isHttpTrouble, isSuccess, openHttp } from "../../http-client/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  isAppError,
  messageOf,
  redact,
  systemErrorCode,
} from "../../kernel/index.ts";
import { describeOutcome, runProgram } from "../../process/index.ts";
import type { FetchSource } from "./fetch-source.ts";

export interface Obtained {
  /** The model folder: `into` or a folder in it. */
  readonly folder: string;
  /** Git commit. */
  readonly revision?: string;
}

interface Request<Source extends FetchSource> {
  readonly source: Source;
  readonly into: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: ArchiveLimits;
}

type SourceOf<Kind extends FetchSource["kind"]> = Extract<FetchSource, { kind: Kind }>;

/** `git clone --depth 1`, without prompts and without transports that run commands. */
export async function cloneRepository(request: Request<SourceOf<"git">>, ask: Ask): Promise<Obtained> {
  const { source, into, env } = request;
  const name = redact(source.url) + (source.ref === undefined ? "" : ` at ${source.ref}`);
  const git = async (args: readonly string[]) => {
    const outcome = await runProgram(
      {
        command: "git",
        args,
        cwd: into,
        env: { ...env, GIT_TERMINAL_PROMPT: "0", GIT_ALLOW_PROTOCOL: "file:git:http:https:ssh", LC_ALL: "C" },
      },
      ask,
    );
    checkAsk(ask, `fetching ${name}`);
    if (outcome.kind === "exited" && outcome.exitCode === 0) return outcome.stdout.trim();
    const words = outcome.stderr.trim().split("\n").slice(-3).join(" ");
    throw new AppError("MODEL_FETCH_FAILED", `fetching ${name}: git: ${words || describeOutcome(outcome)}`);
  };
  const branch = source.ref === undefined ? [] : ["--branch", source.ref];
  await git(["clone", "--quiet", "--depth", "1", ...branch, "--", source.url, "repository"]);
  const folder = join(into, "repository");
  const revision = await git(["-C", folder, "rev-parse", "HEAD"]);
  return { folder, revision };
}

const archiveCodes = { unsafe: "MODEL_ARCHIVE_UNSAFE", damaged: "MODEL_FETCH_FAILED" } as const;

export async function openArchive(request: Request<SourceOf<"archive">>, ask: Ask): Promise<Obtained> {
  const { source, into, limits } = request;
  const name = redact(source.location);
  const isRemote = /^https?:\/\//i.test(source.location);
  const archive = isRemote
    ? join(into, basename(new URL(source.location).pathname).replace(/[^A-Za-z0-9._-]/g, "_"))
    : source.location;
  if (isRemote)
    await download({ url: source.location, name, to: archive, limitBytes: limits.totalBytes }, ask);
  const unpacked = join(into, "unpacked");
  await mkdir(unpacked);
  try {
    await unpackArchive({ archive, name, into: unpacked, limits, codes: archiveCodes }, ask);
    return { folder: await topOfArchive(unpacked) };
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    throw new AppError("FILE_NOT_FOUND", `reading the archive ${name}: no such file`, { cause: error });
  } finally {
    if (isRemote) await rm(archive, { force: true });
  }
}

async function download(
  request: { readonly url: string; readonly name: string; readonly to: string; readonly limitBytes: number },
  ask: Ask,
): Promise<void> {
  const { url, name, to, limitBytes } = request;
  const failed = (what: string, cause?: unknown) =>
    new AppError("MODEL_FETCH_FAILED", `downloading ${name}: ${what}`, { cause });
  try {
    const reply = await openHttp({ url, redirects: 20, tries: 3 }, ask);
    if (!isSuccess(reply)) {
      reply.body.destroy();
      throw failed(`HTTP ${reply.status}`);
    }
    let size = 0;
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        if (size > limitBytes) done(failed(`it is longer than ${limitBytes} bytes`));
        else done(undefined, chunk);
      },
    });
    await pipeline(reply.body, counter, createWriteStream(to), { signal: ask.signal });
  } catch (error) {
    checkAsk(ask, `downloading ${name}`);
    if (isAppError(error)) throw error;
    const code = isHttpTrouble(error) ? error.code : systemErrorCode(error);
    throw failed(code ?? messageOf(error), error);
  }
}
