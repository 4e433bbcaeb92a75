/** Reads the listing that a job has written of what its task left (job-scripts.ts). */
import { nameOfBytes } from "../../kernel/index.ts";

export interface ListedFile {
  readonly kind: "file";
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly md5: string;
  readonly executable: boolean;
  /** The object's name below `files/`; undefined = the input that was staged there, unchanged. */
  readonly object: string | undefined;
}

export type Listed =
  | ListedFile
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory" }
  | { readonly kind: "special"; readonly what: string };

export interface Listing {
  /** By absolute path in the task. */
  readonly members: ReadonlyMap<string, Listed>;
  /** Small files of Memoir's own: the exit code, and what was used. */
  readonly texts: ReadonlyMap<string, string>;
}

/** undefined for a listing that is not whole, or not one. */
export function parseListing(bytes: Uint8Array): Listing | undefined {
  const fields = new Fields(bytes);
  const members = new Map<string, Listed>();
  const texts = new Map<string, string>();
  for (;;) {
    const kind = fields.next();
    if (kind === "end") return fields.isAtEnd ? { members, texts } : undefined;
    const path = fields.next();
    if (path === undefined || !path.startsWith("/")) return undefined;
    if (kind === "directory") members.set(path, { kind });
    else if (kind === "file") {
      const file = fileOf(fields);
      if (file === undefined) return undefined;
      members.set(path, file);
    } else {
      const more = fields.next();
      if (more === undefined) return undefined;
      if (kind === "link") members.set(path, { kind, target: more });
      else if (kind === "special") members.set(path, { kind, what: more });
      else if (kind === "text") texts.set(path, more);
      else return undefined;
    }
  }
}

function fileOf(fields: Fields): ListedFile | undefined {
  const [size = "", sha256 = "", md5 = "", mode, object = ""] = Array.from({ length: 5 }, () =>
    fields.next(),
  );
  const isWhole =
    /^\d{1,16}$/.test(size) &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    /^[0-9a-f]{32}$/.test(md5) &&
    (mode === "x" || mode === "-") &&
    object !== "" &&
    !object.split("/").includes("..");
  if (!isWhole) return undefined;
  return {
    kind: "file",
    sizeBytes: Number(size),
    sha256,
    md5,
    executable: mode === "x",
    object: object === "=" ? undefined : object,
  };
}

class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  next(): string | undefined {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) return undefined;
    const field = nameOfBytes(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return field;
  }
}
