/** What a user may name as the source of a model, distinguished by its text. */
import { isAbsolute, resolve } from "node:path";
import { AppError } from "../../kernel/index.ts";
import { isErsiliaId } from "../model-id.ts";

export type FetchSource =
  | { readonly kind: "folder"; readonly path: string }
  /** `ref`: a tag or branch; undefined = the default branch. */
  | { readonly kind: "git"; readonly url: string; readonly ref?: string }
  /** `location`: a path or an http(s) URL of a .zip, .tar.gz or .tgz. */
  | { readonly kind: "archive"; readonly location: string }
  /** An image that holds an ersilia-pack server; `id`: the model that it must be. */
  | {
      readonly kind: "image";
      readonly image: string;
      readonly id?: string;
      readonly memoryBytes?: number;
      readonly cpus?: number;
    }
  /** A running ersilia-pack server. */
  | { readonly kind: "server"; readonly url: string };

/**
 * Reads what the user wrote: `eos3b5e` (Ersilia's repository of that name), a git URL (`https://….git`, GitHub and
 * GitLab pages, `ssh://`, `git@host:path`, `file://`), an archive by its ending, any other http(s) URL as a running
 * server, and everything else as a folder below `cwd`.
 * @throws AppError MODEL_SOURCE_INVALID for an empty text, a URL that is none, and for a version given to anything but a git source.
 */
export function parseFetchSource(
  text: string,
  options: { readonly cwd: string; readonly version?: string },
): FetchSource {
  const source = sourceOf(text.trim(), options.cwd);
  if (options.version === undefined) return source;
  if (source.kind === "git") return { ...source, ref: options.version };
  throw new AppError(
    "MODEL_SOURCE_INVALID",
    `fetching ${text}: a version (${options.version}) can be chosen only from a git repository, got a ${source.kind}`,
  );
}

function sourceOf(text: string, cwd: string): FetchSource {
  if (text === "") throw new AppError("MODEL_SOURCE_INVALID", "fetching a model: got an empty source");
  if (isErsiliaId(text)) return { kind: "git", url: `https://github.com/ersilia-os/${text}` };
  const isHttp = /^https?:\/\//i.test(text);
  if (isHttp && !URL.canParse(text))
    throw new AppError("MODEL_SOURCE_INVALID", `fetching ${text}: not a valid URL`);
  if (/\.(zip|tar\.gz|tgz)$/i.test(isHttp ? new URL(text).pathname : text))
    return { kind: "archive", location: isHttp || isAbsolute(text) ? text : resolve(cwd, text) };
  if (/^(ssh|git|file):\/\//i.test(text) || /^[\w.-]+@[\w.-]+:/.test(text)) return { kind: "git", url: text };
  if (isHttp) {
    const url = new URL(text);
    const isRepository =
      url.pathname.endsWith(".git") || /^(www\.)?(github|gitlab)\.com$/i.test(url.hostname);
    return isRepository ? { kind: "git", url: text } : { kind: "server", url: text };
  }
  return { kind: "folder", path: resolve(cwd, text) };
}
