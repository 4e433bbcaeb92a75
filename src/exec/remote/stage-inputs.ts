/**
 * Makes sure that a job's inputs are where its service can fetch them: objects stay where they are, and what is on this
 * machine is uploaded once by its content. What comes out says for each file of the task from where it comes and what it
 * has to be.
 */
import { statSync } from "node:fs";
import { spreadTree } from "../../files/index.ts";
import {
  AppError,
  type Ask,
  bytesOfText,
  mapBounded,
  onDisk,
  shownName,
  systemErrorCode,
} from "../../kernel/index.ts";
import { isObjectUri, type StoredContent, type StoredFile, taskRoot } from "../../task/index.ts";
import { type Attempt, placedInputs, placedLinks } from "../core/index.ts";
import { type PreparedFile, prepareScript, publishScript, stagedFolder } from "./job-scripts.ts";
import type { TesInput } from "./tes-task.ts";
import type { WorkStore } from "./work-store.ts";

export interface StagedJob {
  readonly inputs: readonly TesInput[];
  /** Paths in the container. */
  readonly prepare: string;
  readonly publish: string;
  /** Paths of the inputs' files, as the task sees them. */
  readonly placed: readonly string[];
}

interface Place extends Pick<StoredFile, "sha256" | "sizeBytes" | "executable"> {
  readonly path: string;
  readonly uri: string;
}

const filesAtOnce = 8;

/**
 * @throws AppError EXEC_INPUT_MISSING for a source that is not there; EXEC_START_FAILED for inputs that contradict each
 *   other
 */
export async function stageInputs(attempt: Attempt, work: WorkStore, ask: Ask): Promise<StagedJob> {
  const links = placedLinks(attempt).map(({ path, to }) => ({ path: path as string, target: to as string }));
  const folders: string[] = [`${taskRoot}/work`, `${taskRoot}/tmp`, ...(attempt.disks ?? [])];
  const places: Place[] = [];
  for (const { path, source } of placedInputs(attempt)) {
    const stored = attempt.stored?.get(source.location);
    const { content, uri } =
      stored === undefined
        ? await localContent(attempt, { path, source }, work, ask)
        : { content: stored, uri: source.location };
    if (content.kind === "file") places.push({ ...content, path, uri });
    else {
      folders.push(path);
      for (const member of content.members) {
        const at = `${path}/${member.path}`;
        if (member.kind === "file") places.push({ ...member, path: at, uri: member.location });
        else if (member.kind === "link") links.push({ path: at, target: member.target });
        else folders.push(member.path === "" ? path : at);
      }
    }
  }
  for (const { path, content } of attempt.literalFiles ?? [])
    places.push({ ...(await work.putBytes(bytesOfText(content), ask)), path, executable: false });
  const command = await work.putFile(`${attempt.directory}/command`, ask);
  places.push({ ...command, path: `${taskRoot}/command`, executable: true });
  return described(attempt, { places, folders, links }, work, ask);
}

async function described(
  attempt: Attempt,
  job: {
    readonly places: readonly Place[];
    readonly folders: readonly string[];
    readonly links: readonly { readonly path: string; readonly target: string }[];
  },
  work: WorkStore,
  ask: Ask,
): Promise<StagedJob> {
  const { places, folders, links } = job;
  const staged = new Map<string, string>();
  const inputs: TesInput[] = [];
  const stage = (url: string): string => {
    const known = staged.get(url);
    if (known !== undefined) return known;
    const path = `${stagedFolder}/${inputs.length}`;
    staged.set(url, path);
    inputs.push({ url, path, type: "FILE" });
    return path;
  };
  const files = places.map(({ uri, path, sha256, sizeBytes, executable }): PreparedFile => {
    const isInside = path.startsWith(`${taskRoot}/`);
    if (!isInside && !isOnDisk(attempt, path)) {
      inputs.push({ url: uri, path, type: "FILE" });
      return { staged: path, path, sha256, sizeBytes, executable };
    }
    return { staged: stage(uri), path, sha256, sizeBytes, executable };
  });
  const known = places.flatMap(({ path, sha256 }) =>
    sha256 === undefined || /\n/.test(path) ? [] : `${sha256} ${path}\n`,
  );
  const table = await work.putBytes(bytesOfText(known.join("")), ask);
  const roots = [taskRoot, ...(attempt.disks ?? [])];
  const inside = folders.filter((path) => path.startsWith(`${taskRoot}/`) || isOnDisk(attempt, path));
  const prepare = await work.putBytes(prepareScript({ files, folders: inside, links, roots }), ask);
  const publish = await work.putBytes(publishScript(roots, stage(table.uri)), ask);
  return {
    prepare: stage(prepare.uri),
    publish: stage(publish.uri),
    inputs,
    placed: places.map(({ path }) => path),
  };
}

function isOnDisk({ disks }: Attempt, path: string): boolean {
  return disks?.some((disk) => path === disk || path.startsWith(`${disk}/`)) === true;
}

async function localContent(
  attempt: Attempt,
  { path, source }: Pick<Attempt["inputs"][number], "path" | "source">,
  work: WorkStore,
  ask: Ask,
): Promise<{ readonly content: StoredContent; readonly uri: string }> {
  const { location, kind } = source;
  const doing = `staging ${path} of ${attempt.id}`;
  if (isObjectUri(location))
    throw new AppError("EXEC_START_FAILED", `${doing}: nothing is known of the object ${location}`);
  try {
    const facts = statSync(onDisk(location));
    if (kind === "directory" ? !facts.isDirectory() : !facts.isFile())
      throw new AppError("EXEC_START_FAILED", `${doing}: ${shownName(location)} is not a ${kind}`);
    if (kind === "file") {
      const { uri, ...content } = await work.putFile(location, ask);
      return { content: { kind, ...content, executable: (facts.mode & 0o100) !== 0 }, uri };
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw new AppError("EXEC_INPUT_MISSING", `${doing}: ${location} cannot be read (${code})`, {
      cause: error,
    });
  }
  const tree = await spreadTree(location, { doing });
  const files = await mapBounded(tree.files, filesAtOnce, async (file) => {
    const { uri, ...content } = await work.putFile(file.source, ask);
    return { kind: "file" as const, path: file.path, ...content, executable: file.executable, location: uri };
  });
  const members = [
    ...tree.emptyFolders.map((each) => ({ kind: "empty" as const, path: each })),
    ...files,
    ...tree.links.map((each) => ({ kind: "link" as const, ...each })),
  ];
  return { content: { kind, members }, uri: location };
}
