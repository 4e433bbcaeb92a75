/** Exports a run: the plain graph, or a Workflow Run RO-Crate in a separate folder. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { copyTree, makeFolders, replaceByCopy } from "../../files/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  messageOf,
  onDisk,
  shownName,
  systemErrorCode,
} from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type Crate, crateOf } from "./ro-crate.ts";
import { type RunGraphFacts, runGraph } from "./run-graph.ts";

export interface ExportOptions {
  readonly run?: string;
  readonly runsDir?: string;
  readonly format: "ro-crate" | "json";
  /** A folder that is not there, or empty. Needed for a crate; the graph is in the answer. */
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
  if (graph.run.state === "running")
    throw new AppError("CLI_USAGE", `exporting the run ${graph.run.id}: it has not ended yet`);
  if (options.output === undefined)
    throw new AppError("CLI_USAGE", "exporting a crate: --output names the folder that is made for it");
  const folder = resolve(environment.cwd, options.output);
  const { source } = graph.run;
  const hasSource =
    source?.startsWith("/") === true && (await stat(source).catch(() => undefined))?.isFile() === true;
  const { license, version, files = "outputs" } = options;
  const crate = crateOf(graph, {
    ...{ version, files, hasSource, exportedAt: new Date().toISOString() },
    ...defined({ license }),
  });
  await writeCrate(crate, folder, ask);
  return {
    ...{ format: "ro-crate", run: graph.run.id, folder, files: crate.files.length },
    entities: crate.metadata["@graph"].length,
  };
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
      if (sha256 !== undefined && (await sha256OfFile(to)) !== sha256)
        throw new AppError(
          "FILE_CHANGED",
          `copying ${shownName(source)} into a crate: it was changed since the run made it, and is not its output any more; --files none describes it without a copy`,
        );
    }
    const text = `${JSON.stringify(crate.metadata, null, 2)}\n`;
    await writeFile(join(fresh, "ro-crate-metadata.json"), text);
    // Fails for a folder that has been filled meanwhile.
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (error instanceof AppError) throw error;
    const code = systemErrorCode(error) === "ENOSPC" ? "DISK_FULL" : "FILE_NOT_WRITABLE";
    throw new AppError(code, `writing the crate ${shownName(folder)}: ${messageOf(error)}`, { cause: error });
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
