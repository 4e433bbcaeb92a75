/** Files as a workflow's own expressions see them: locations on this machine and URLs. */
import { dirname, isAbsolute, resolve } from "node:path";
import type { Ask } from "../../../../kernel/index.ts";
import { originFolder } from "../../../../task/index.ts";
import type { FileAccess } from "../../../core/index.ts";
import { onlyInOutputs } from "../../stdlib/context.ts";
import { atLeast, type WdlVersion } from "../../syntax/version.ts";
import { ValueFailure } from "../../values/failure.ts";
import type { PathValue } from "../../values/value.ts";
import { fileAt, isUrl, lookAt, readTextFile, statFile, withoutFileScheme } from "./host-files.ts";
import { nothing, type ScopedFiles } from "./scoped-files.ts";

export interface WorkflowFilesOptions {
  readonly host: FileAccess;
  readonly ask: Ask;
  readonly version: WdlVersion;
  /** Folders that a relative path is looked up in, in this order: the document's, the inputs'. */
  readonly folders: readonly string[];
}

export function workflowFiles({ host, ask, version, folders }: WorkflowFilesOptions): ScopedFiles {
  const locate = async (path: PathValue): Promise<string> => {
    if (path.source !== undefined) return path.source.location;
    const text = withoutFileScheme(path.path);
    if (isUrl(text) || isAbsolute(text)) return text;
    for (const folder of folders) {
      const candidate = resolve(folder, text);
      if ((await lookAt(host, candidate, ask)) !== undefined) return candidate;
    }
    return resolve(folders[0] ?? "/", text);
  };

  return {
    readText: async (path) => readTextFile(host, await locate(path), path.path, ask),
    stat: async (path) => {
      const known = path.source?.sizeBytes;
      if (path.kind === "file" && known !== undefined) return { kind: "file", sizeBytes: known };
      return statFile(host, await locate(path), ask);
    },
    write: async (basename, content) => {
      const location = await host.write(basename, content, ask);
      return {
        kind: "file",
        path: location,
        source: { kind: "file", location, basename, sizeBytes: Buffer.byteLength(content) },
        // Made here, so nothing is next to it, wherever the host keeps it.
        group: `written:${location}`,
      };
    },
    glob: () => onlyInOutputs("glob"),
    stdout: () => onlyInOutputs("stdout"),
    stderr: () => onlyInOutputs("stderr"),
    absolute: (path) => (isUrl(path) || isAbsolute(path) ? path : resolve(folders[0] ?? "/", path)),
    settle: async (path, optional) => {
      if (path.source !== undefined) return path;
      const location = await locate(path);
      // What lies behind a URL is looked at when it is needed, not for every mention.
      const found = isUrl(location) ? { kind: path.kind } : await lookAt(host, location, ask);
      if (found === undefined) {
        // Up to 1.2 a path may be written down without naming anything; the examples of its text rely on that.
        if (!atLeast(version, "1.3")) return path;
        if (optional) return nothing;
        throw new ValueFailure(`the ${path.kind} ${path.path} does not exist`);
      }
      const source = fileAt(location, found.kind);
      return { kind: found.kind, path: source.location, source, group: originFolder(source) };
    },
  };
}

/** The folder of a document, for relative paths in it. */
export function folderOf(documentPath: string | undefined): readonly string[] {
  return documentPath === undefined ? [] : [dirname(documentPath)];
}
