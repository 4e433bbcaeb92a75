/**
 * Names of images, as people write them: `debian:12`, `quay.io/biocontainers/bwa:0.7.17`, `localhost:5000/x@sha256:…`,
 * `docker://ubuntu`. Grammar: https://github.com/distribution/reference (name[:tag][@digest]).
 */
import { defined } from "../../kernel/index.ts";

export interface ImageName {
  /** `docker.io`, `quay.io`, `127.0.0.1:5000`; `localhost` means: only on this machine. */
  readonly host: string;
  /** `library/debian`. */
  readonly repository: string;
  /** `latest` when neither tag nor digest is written. */
  readonly tag?: string;
  readonly digest?: string;
}

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const hostPattern =
  "(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?";
const grammar = new RegExp(
  `^(?:(?<host>${hostPattern})/)?(?<path>${component}(?:/${component})*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})))?$`,
);

/** undefined when the text is not an image name. */
export function parseImageName(text: string): ImageName | undefined {
  const trimmed = text.trim().replace(/^docker:\/\//, "");
  // An id is a name of the local store, and no repository.
  if (/^(sha256:)?[0-9a-f]{64}$/.test(trimmed)) return undefined;
  const groups = grammar.exec(trimmed)?.groups;
  const path = groups?.["path"];
  if (groups === undefined || path === undefined) return undefined;
  const { host, tag, digest } = groups;
  // The first part is a host only when it looks like one: a dot, a port, or `localhost`.
  const isHost = host !== undefined && (/[.:\]]/.test(host) || host === "localhost");
  const registry = isHost ? host : "docker.io";
  const repository = isHost || host === undefined ? path : `${host}/${path}`;
  const names = hubName(registry, repository);
  // More than the grammar of one group: a first part that is not a host must be a path component.
  if (!new RegExp(`^${component}(?:/${component})*$`).test(names.repository)) return undefined;
  return {
    ...names,
    ...(tag === undefined ? (digest === undefined ? { tag: "latest" } : {}) : { tag }),
    ...defined({ digest }),
  };
}

/** Docker Hub goes by three names, and its one-word repositories live under `library/`. */
function hubName(host: string, repository: string): Pick<ImageName, "host" | "repository"> {
  const isHub = ["docker.io", "index.docker.io", "registry-1.docker.io"].includes(host);
  if (!isHub) return { host, repository };
  return { host: "docker.io", repository: repository.includes("/") ? repository : `library/${repository}` };
}

/** `docker.io/library/debian:12`. */
export function imageText(name: ImageName): string {
  const tag = name.tag === undefined ? "" : `:${name.tag}`;
  const digest = name.digest === undefined ? "" : `@${name.digest}`;
  return `${name.host}/${name.repository}${tag}${digest}`;
}

/** Registries on this machine speak plain http. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
}

/** Registries on this machine, for tests and caches, speak plain http. */
export function isPlainHttp(reference: string): boolean {
  const name = parseImageName(reference);
  return name !== undefined && isLoopback(name.host);
}
