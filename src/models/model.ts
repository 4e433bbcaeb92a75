/**
 * A model: a package in Ersilia's layout or one that is built in, and what runs it. A runner never stores anything and
 * never decides what is reused.
 */
import type { Ask, ModelId } from "../kernel/index.ts";
import type { Column, Prediction } from "../task/index.ts";
import type { ModelImage } from "./image/model-container.ts";

export interface Model {
  readonly id: ModelId;
  /** `molecular-weight`: an alias for the id. */
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  /** Part of a row's identity. `v1` where the metadata name none. */
  readonly release: string;
  readonly columns: readonly Column[];
  /** Whether its answers may be stored; a reason otherwise (variable output, generative task). */
  readonly reusable: { readonly kind: "reusable" } | { readonly kind: "never"; readonly reason: string };
  /** All metadata as they were read, for `info` and `catalog --card`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Example inputs that come with the model. */
  readonly exampleInputs: readonly string[];
  /** What the package asks to have installed next to it, as lines for people; undefined where nothing is named. */
  readonly needs?: readonly string[];
  readonly source: ModelSource;
  /** Where a fetched model came from; undefined for built-in models and for folders used where they lie. */
  readonly origin?: ModelOrigin;
}

export interface ModelOrigin {
  /** As the user named it: a folder, a git URL, an archive, a server. */
  readonly from: string;
  /** ISO 8601 time, UTC. */
  readonly fetchedAt: string;
  /** Git commit, where there is one. */
  readonly revision?: string;
  /** sha-256 over the package's files; shows whether a model was changed without a new release. */
  readonly contentDigest?: string;
}

export type ModelSource =
  | { readonly kind: "builtin" }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "http"; readonly url: string }
  /** A server in a container of this image. */
  | ({ readonly kind: "image" } & ModelImage)
  /** The model is not installed: its columns and release were read from a cache, and only look-ups are possible. */
  | { readonly kind: "cache" };

export interface Runner {
  /** `builtin`, `script`, `http`: stored as provenance. */
  readonly kind: string;
  /** Such as `rdkit-wasm 2026.9.1`; undefined where not known. */
  readonly toolkit: string | undefined;
  /** True: a program starts for every batch, and ends when the Ask does. Few large batches are worth it. */
  readonly startsPerBatch?: true;
  /** Readies the model: loads it, waits for the server, checks for Git-LFS pointers. */
  open(ask: Ask): Promise<void>;
  /** One answer per input, in the inputs' order. A bad input is a failed Prediction; a throw means the runner broke. */
  predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]>;
  close(): Promise<void>;
}

/** What keeps a model's programs from what is not theirs. */
export interface ModelGuard {
  /** Called before anything is run. */
  open(ask: Ask): Promise<void>;
  /** Whether programs are guarded; known once it is open. */
  readonly isOn: boolean;
  /** Whether programs shall have no network and see no files but their own; a model where that is not possible is refused. */
  readonly isolates: boolean;
  /** The command line that runs the program so that it can write below `writable` and `own` only. */
  wrap(program: {
    readonly command: string;
    readonly args: readonly string[];
    readonly writable: string;
    /** The model's own folder. */
    readonly own: string;
    /** Further folders that must be seen, wherever they are. */
    readonly visible: readonly string[];
  }): { readonly command: string; readonly args: readonly string[] };
}
