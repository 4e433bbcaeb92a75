/** The documents of a workflow as the user names them: a file, a folder, a zip bundle or a URL. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { AppError, type Ask, defined, messageOf, systemErrorCode } from "../../kernel/index.ts";
import {
  createBundleSource,
  createFileSource,
  createFolderSource,
  type ImportMap,
  type SourceTree,
} from "../../lang/core/index.ts";
import { localPath } from "./local-path.ts";

export interface OpenSource {
  readonly tree: SourceTree;
  /** URI of the main document, where the user named one. */
  readonly main: string | undefined;
  /** What the user named, absolute: names the workflow between runs. */
  readonly identity: string;
  /** Whose text it is: documents of `others` (a bundle, a web site) read only what they are allowed to. */
  readonly author: "user" | "others";
  /** The folder that the documents are in; undefined = on a server. */
  readonly folder: string | undefined;
  /** Removes what was unpacked. */
  close(): Promise<void>;
}

export interface SourceOrder {
  /** A file, a folder, a `.zip`, or an http(s) URL. */
  readonly workflow: string;
  /** The main document inside a folder or bundle. */
  readonly main?: string;
  /** Whether documents of a folder may import others from outside it. Default `any`; a bundle's never may. */
  readonly reach?: "any" | "inside";
  /** Whether documents are fetched over http(s). Default `allowed`. */
  readonly network?: "allowed" | "refused";
  /** JSON file: prefixes of web addresses, and the folders here that hold their documents. */
  readonly importMap?: string;
}

export async function openSource(order: SourceOrder, cwd: string, ask: Ask): Promise<OpenSource> {
  const { workflow: name } = order;
  const imports = order.importMap === undefined ? {} : { imports: await readImportMap(order.importMap, cwd) };
  if (/^https?:\/\//i.test(name)) {
    const tree = createFolderSource({ folder: cwd, name, ...imports });
    const author = "others" as const;
    return { tree, main: name, identity: name, author, folder: undefined, close: async () => {} };
  }
  const path = localPath(name, cwd);
  const kind = await kindOf(path, name);
  if (kind === "file" && /\.zip$/i.test(path)) return openBundle(path, order, imports, ask);
  if (kind === "file")
    return {
      tree: createFileSource({ file: path, name, ...imports }),
      main: path,
      identity: path,
      author: "user",
      folder: dirname(path),
      close: async () => {},
    };
  const { reach, network } = order;
  const tree = createFolderSource({
    folder: path,
    name,
    ...defined({ reach, network }),
    ...imports,
  });
  const main = mainIn(tree, order);
  return { tree, main, identity: path, author: "user", folder: path, close: async () => {} };
}

async function openBundle(
  path: string,
  order: SourceOrder,
  imports: { readonly imports?: ImportMap },
  ask: Ask,
): Promise<OpenSource> {
  const folder = await mkdtemp(join(tmpdir(), "memoir-bundle-"));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const tree = await createBundleSource(
      { file: path, name: order.workflow, into: folder, ...imports },
      ask,
    );
    const main = await mainOfBundle(tree, folder, order);
    return { tree, main, identity: path, author: "others", folder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function mainIn(tree: SourceTree, { main }: SourceOrder): string | undefined {
  return main === undefined ? undefined : tree.resolve(main, undefined);
}

/** Folders are relative to the map. */
async function readImportMap(asked: string, cwd: string): Promise<ImportMap> {
  const file = resolve(cwd, asked);
  let map: unknown;
  try {
    map = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    const code = systemErrorCode(error) === "ENOENT" ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE";
    throw new AppError(code, `reading the import map ${asked}: ${messageOf(error)}`, { cause: error });
  }
  const entries = typeof map === "object" && map !== null && !Array.isArray(map) ? Object.entries(map) : [];
  const wrong = entries.find(
    ([prefix, to]) => !/^https?:\/\/./i.test(prefix) || !URL.canParse(prefix) || typeof to !== "string",
  );
  if (entries.length === 0 || wrong !== undefined)
    throw new AppError(
      "CLI_USAGE",
      `reading the import map ${asked}: expected {"https://…/": "folder", …}${wrong === undefined ? "" : `, got ${wrong[0]}`}`,
    );
  return new Map(entries.map(([prefix, to]) => [new URL(prefix).href, localPath(String(to), dirname(file))]));
}

/** A bundle with everything in one folder may be named with and without that folder. */
async function mainOfBundle(
  tree: SourceTree,
  folder: string,
  order: SourceOrder,
): Promise<string | undefined> {
  const { main } = order;
  if (main === undefined) return undefined;
  const outer = resolve(folder, main);
  const isThere = await stat(outer).then(
    () => true,
    () => false,
  );
  return isThere ? tree.resolve(outer, undefined) : mainIn(tree, order);
}

async function kindOf(path: string, asked: string): Promise<"file" | "folder"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    const why = systemErrorCode(error) === "ENOENT" ? "there is no such file or folder" : messageOf(error);
    throw new AppError("WORKFLOW_NOT_FOUND", `opening the workflow ${asked}: ${why}`, { cause: error });
  }
}
