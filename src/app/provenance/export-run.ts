/** Exports a run: the plain graph, or a Workflow Run RO-Crate in a separate folder or ZIP file. */
import { createHash } from "node:crypto";
import { constants, createReadStream, createWriteStream } from "node:fs";
import { copyFile, link, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { zipOf } from "../../archive/index.ts";
import { copyTree, makeFolders, replaceByCopy } from "../../files/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  mapBounded,
  messageOf,
  onDisk,
  shownName,
  systemErrorCode,
} from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { changedOutput, crateMembers, refuseMissing } from "./crate-members.ts";
import { predictionCrateOf } from "./prediction-crate.ts";
import { type Crate, crateOf, noLicense } from "./ro-crate.ts";
import { type RunGraphFacts, runGraph } from "./run-graph.ts";

export interface ExportOptions {
  readonly run?: string;
  readonly runsDir?: string;
  readonly format: "ro-crate" | "json";
  /**
   * A folder that is not there, or empty; or a file that is not there and ends with `.zip`. Needed for a crate; the graph
   * is in the answer.
   */
  readonly output?: string;
  /** A URL or a text. */
  readonly license?: string;
  /** Default: `outputs`. */
  readonly files?: "outputs" | "none";
  /** Of Memoir. */
  readonly version: string;
}

export type ExportResult =
  | { readonly format: "json"; readonly graph: RunGraphFacts }
  | {
      readonly format: "ro-crate";
      readonly run: string;
      /** Or the ZIP file. */
      readonly folder: string;
      /** Copied into the crate. */
      readonly files: number;
      /** Descriptions in it. */
      readonly entities: number;
    };

export async function exportRun(
  options: ExportOptions,
  environment: Environment,
  ask: Ask,
): Promise<ExportResult> {
  const graph = await runGraph(options, environment, ask);
  if (options.format === "json") return { format: "json", graph };
  if (options.output === undefined)
    throw new AppError(
      "CLI_USAGE",
      "exporting a crate: --output names the folder or .zip that is made for it",
    );
  const folder = resolve(environment.cwd, options.output);
  const crate = await crateOfGraph(graph, options);
  if (/\.zip$/i.test(folder)) await writeZip(crate, folder, ask);
  else await writeCrate(crate, folder, ask);
  return {
    ...{ format: "ro-crate", run: graph.run.id, folder, files: crate.files.length },
    entities: crate.metadata["@graph"].length,
  };
}

type CrateChoice = Pick<ExportOptions, "license" | "files" | "version">;

/** @throws CLI_USAGE for a run that has not ended. */
async function crateOfGraph(graph: RunGraphFacts, choice: CrateChoice): Promise<Crate> {
  if (graph.run.state === "running")
    throw new AppError("CLI_USAGE", `exporting the run ${graph.run.id}: it has not ended yet`);
  const { source } = graph.run;
  const hasSource =
    source?.startsWith("/") === true && (await stat(source).catch(() => undefined))?.isFile() === true;
  const { license, version, files = "outputs" } = choice;
  const options = { version, files, exportedAt: new Date().toISOString(), ...defined({ license }) };
  const found = { ...graph, delivered: await whatIsHere(graph) };
  const crate =
    graph.predictions === undefined
      ? crateOf(found, { ...options, hasSource })
      : predictionCrateOf(found, graph.predictions, { ...options, noLicense });
  const placed = crate.files.map((file) => {
    const at = found.delivered.find(({ path }) => path === file.source)?.at;
    return at === undefined ? file : { ...file, source: at };
  });
  return { ...crate, files: placed };
}

type Delivered = RunGraphFacts["delivered"][number] & {
  /** Where its bytes are, where that is not `path`. */
  readonly at?: string;
};

/**
 * The server moves the outputs of its runs to the location of the request: a copy is made of the result that they came
 * from, which has the same bytes, and where it is not here any more either, the output is only described.
 */
async function whatIsHere({ run, delivered }: RunGraphFacts): Promise<readonly Delivered[]> {
  if (run.account === undefined) return delivered;
  const isThere = async (path: string) => (await stat(onDisk(path)).catch(() => undefined)) !== undefined;
  const found = await mapBounded(delivered, 16, async (each): Promise<readonly Delivered[]> => {
    const { path, location } = each;
    if (await isThere(path)) return [each];
    return location.startsWith("/") && (await isThere(location)) ? [{ ...each, at: location }] : [];
  });
  return found.flat();
}

/** A crate to be sent; what is missing is refused before the first byte. */
export async function zippedCrate(
  graph: RunGraphFacts,
  choice: CrateChoice,
  ask: Ask,
): Promise<AsyncIterable<Uint8Array>> {
  const crate = await crateOfGraph(graph, choice);
  await refuseMissing(crate);
  return zipOf(crateMembers(crate, ask));
}

/** Next to it, with its name when everything is there. What is there already stays. */
async function writeZip(crate: Crate, file: string, ask: Ask): Promise<void> {
  await refuseMissing(crate);
  await makeFolders(dirname(file));
  const fresh = `${file}.${process.pid}.new`;
  try {
    await pipeline(Readable.from(zipOf(crateMembers(crate, ask))), createWriteStream(onDisk(fresh)));
    // Some file systems have no links; neither replaces what is there.
    await link(onDisk(fresh), onDisk(file)).catch(() =>
      copyFile(onDisk(fresh), onDisk(file), constants.COPYFILE_EXCL),
    );
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw notWritten(file, error);
  } finally {
    await rm(fresh, { force: true });
  }
}

function notWritten(place: string, error: unknown): AppError {
  const doing = `writing the crate ${shownName(place)}`;
  const code = systemErrorCode(error);
  if (code === "EEXIST")
    return new AppError("CLI_USAGE", `${doing}: the file is there already; nothing is replaced`);
  return new AppError(
    code === "ENOSPC" ? "DISK_FULL" : "FILE_NOT_WRITABLE",
    `${doing}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}

/** In a folder next to it, which gets its name when everything is there. */
async function writeCrate(crate: Crate, folder: string, ask: Ask): Promise<void> {
  await refuseFull(folder);
  await makeFolders(dirname(folder));
  const fresh = `${folder}.${process.pid}.new`;
  await rm(fresh, { recursive: true, force: true });
  try {
    await mkdir(fresh);
    for (const { source, target, sha256 } of crate.files) {
      checkAsk(ask, "copying the files of a crate");
      const to = join(fresh, target);
      await makeFolders(dirname(to));
      const isFolder = (await stat(source)).isDirectory();
      if (isFolder) await copyTree(source, to, { doing: `copying ${shownName(source)}` });
      else await replaceByCopy(source, to);
      if (sha256 !== undefined && (await sha256OfFile(to)) !== sha256) throw changedOutput(source);
    }
    const text = `${JSON.stringify(crate.metadata, null, 2)}\n`;
    await writeFile(join(fresh, "ro-crate-metadata.json"), text);
    // Fails for a folder that has been filled meanwhile.
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (error instanceof AppError) throw error;
    throw notWritten(folder, error);
  }
}

async function refuseFull(folder: string): Promise<void> {
  const members = await readdir(folder).catch((error) => {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw new AppError("FILE_NOT_WRITABLE", `writing the crate ${shownName(folder)}: ${messageOf(error)}`);
  });
  if (members.length > 0)
    throw new AppError(
      "CLI_USAGE",
      `writing the crate ${shownName(folder)}: the folder is not empty; nothing in it is replaced`,
    );
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(onDisk(path), { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}
