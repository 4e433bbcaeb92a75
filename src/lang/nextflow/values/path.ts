/** Paths of files, local or elsewhere (`s3://`, `https://`). */
import { normalize } from "node:path/posix";
import type { FileValue } from "../../../task/index.ts";
import type { ScriptFiles } from "./files.ts";
import { Thing, type Value } from "./thing.ts";

export class Path extends Thing {
  readonly type = "Path";
  override readonly kinds = ["UnixPath", "java.nio.file.Path"];
  /** Absolute, or relative as its writer had it; with its scheme for places elsewhere. */
  readonly location: string;
  readonly files: ScriptFiles;
  /** In a task: where it is put there, relative to the working directory. */
  readonly staged: string | undefined;

  /** What a task has made, or was given by the run: it may have another name than its location says. */
  readonly source: FileValue | undefined;

  constructor(location: string, files: ScriptFiles, staged?: string, source?: FileValue) {
    super();
    this.source = source;
    this.location = location;
    this.files = files;
    this.staged = staged;
  }

  /** In a task the name that it has there, made safe for a shell. */
  override text(): string {
    return this.staged === undefined ? this.location : escaped(this.staged);
  }

  override key(): string {
    return `\u0000path:${this.location}`;
  }

  override compare(other: Value): number | undefined {
    if (!(other instanceof Path)) return undefined;
    return this.location < other.location ? -1 : this.location > other.location ? 1 : 0;
  }

  get isRemote(): boolean {
    return schemeOf(this.location) !== undefined;
  }

  /** The last part, or in a task the staged path. */
  get name(): string {
    return this.staged ?? this.source?.basename ?? lastPart(this.location);
  }

  get fileName(): string {
    return lastPart(this.staged ?? this.source?.basename ?? this.location);
  }

  with(location: string): Path {
    return new Path(location, this.files);
  }

  /** Absolute on this machine, from where relative paths start. */
  get absolute(): string {
    if (this.isRemote || this.location.startsWith("/")) return this.location;
    return cleaned(`${this.files.launchDir}/${this.location}`);
  }

  get parent(): Path | null {
    const scheme = schemeOf(this.location);
    const rest = scheme === undefined ? this.location : this.location.slice(scheme.length + 3);
    const slash = rest.lastIndexOf("/");
    if (slash < 0) return null;
    if (slash === 0) return rest === "/" ? null : this.with("/");
    return this.with(`${scheme === undefined ? "" : `${scheme}://`}${rest.slice(0, slash)}`);
  }

  /** One name of the path; null where there are fewer. */
  part(index: number): Path | null {
    const parts = (this.staged ?? this.location).split("/").filter((each) => each !== "");
    const found = parts[index < 0 ? parts.length + index : index];
    return found === undefined ? null : new Path(found, this.files);
  }

  resolve(other: string): Path {
    if (other.startsWith("/") || schemeOf(other) !== undefined) return this.with(other);
    if (other === "") return this;
    return this.with(this.location.endsWith("/") ? this.location + other : `${this.location}/${other}`);
  }
}

export function schemeOf(location: string): string | undefined {
  return /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(location)?.[1];
}

/** Without `.`, `..`, doubled and final slashes. */
export function cleaned(path: string): string {
  const result = normalize(path);
  return result.length > 1 && result.endsWith("/") ? result.slice(0, -1) : result;
}

export function lastPart(path: string): string {
  const whole = path.replace(/\/+$/, "");
  return whole.slice(whole.lastIndexOf("/") + 1);
}

/** Characters that a shell would read otherwise get a backslash. */
export function escaped(path: string): string {
  return path.replace(/(?<!\[)!|['" ()\\&|<>`:;]/g, "\\$&");
}
