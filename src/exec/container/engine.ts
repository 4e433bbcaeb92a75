/** What Memoir wants from a container engine, in words that Docker and Podman share. */
import type { Ask } from "../../kernel/index.ts";
import type { ContainerMount } from "../core/index.ts";
import type { Credentials, LocalImage } from "../images/index.ts";
import type { TakenOut } from "./copy-out.ts";

export interface EngineFacts {
  readonly kind: "docker" | "podman";
  readonly version: string;
  /** `linux/amd64`. */
  readonly platform: string;
  readonly cpu: number;
  readonly memoryBytes: number;
  /** Runs as a plain user: root inside its containers is that user outside. */
  readonly rootless: boolean;
  readonly limits: { readonly memory: boolean; readonly cpu: boolean; readonly pids: boolean };
  /** The root storage is containerd's, where an image's id is a manifest digest and no config digest. */
  readonly containerdImages: boolean;
}

/** One container, fully decided; each engine writes it in its own dialect. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  /** Replaces the image's entrypoint and command. */
  readonly command: readonly string[];
  readonly workDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** `uid:gid`. */
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly ContainerMount[];
  readonly network: "none" | "host" | "default";
  /** A small init as pid 1. */
  readonly init: boolean;
  /** What the engine sends when somebody stops the container: `{ name: "USR1", linuxNumber: 10 }`. */
  readonly stopSignal: { readonly name: string; readonly linuxNumber: number };
  /** Processors; undefined = no limit. */
  readonly cpu?: number;
  /** Memory and swap together; undefined = no limit. */
  readonly memoryBytes?: number;
  readonly pids?: number;
  readonly sharedMemoryBytes: number;
  /** Capabilities kept, without `CAP_`; all others are dropped. */
  readonly capabilities: readonly string[];
  /** Number of GPUs. */
  readonly gpu: number;
}

export interface ContainerState {
  readonly status: "created" | "running" | "ended";
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** Epoch milliseconds; undefined before it began or ended. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ListedContainer {
  readonly name: string;
  readonly ended: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** A refusal that the engine explained; what it means depends on what was asked. */
export interface Refusal {
  readonly kind: "refused";
  readonly status: number;
  readonly message: string;
}

/** `exists`: a container of this name is there already. */
export type Creation =
  | { readonly kind: "created" }
  | { readonly kind: "exists" }
  | { readonly kind: "no-image" }
  | Refusal;

export interface PullRequest {
  /** `host/repo@sha256:…` or `host/repo:tag`. */
  readonly reference: string;
  readonly credentials: Credentials | undefined;
  /** Plain http, or a certificate that is not checked: loopback registries. */
  readonly insecure: boolean;
  readonly onProgress?: (line: string) => void;
}

/** An image that is made on this machine gets a name that it is found by later. */
export interface BuildRequest {
  readonly dockerfile: string;
  readonly name: ImageTag;
}

export interface ImageTag {
  /** `localhost/memoir/build`. */
  readonly repository: string;
  readonly tag: string;
}

/** `names`: what the engine says that it has loaded: names, or ids of images without one. */
export type Loading = { readonly kind: "loaded"; readonly names: readonly string[] } | Refusal;

export interface CopyRequest {
  /** Of the container. */
  readonly name: string;
  /** Absolute, in the container. */
  readonly path: string;
  /** Host path. */
  readonly to: string;
}

export interface ContainerEngine {
  readonly facts: EngineFacts;
  create(spec: ContainerSpec, ask: Ask): Promise<Creation>;
  start(name: string, ask: Ask): Promise<{ readonly kind: "started" } | Refusal>;
  /** Resolves when the container does not run any more (or no longer exists). */
  wait(name: string, ask: Ask): Promise<void>;
  /** undefined = no such container. */
  inspect(name: string, ask: Ask): Promise<ContainerState | undefined>;
  /** No error when it has ended or no longer exists. */
  kill(name: string, signal: "SIGTERM" | "SIGKILL", ask: Ask): Promise<void>;
  /** Of a container that has ended. `missing`: no such file, or no such container. */
  copyOut(request: CopyRequest, ask: Ask): Promise<TakenOut | { readonly kind: "missing" }>;
  /** With force, volumes included; no error when it no longer exists. */
  remove(name: string, ask: Ask): Promise<void>;
  /** All containers, running or not, that carry the label. */
  list(label: string, ask: Ask): Promise<readonly ListedContainer[]>;
  image(reference: string, ask: Ask): Promise<LocalImage | undefined>;
  pull(request: PullRequest, ask: Ask): Promise<{ readonly kind: "pulled" } | Refusal>;
  build(request: BuildRequest, ask: Ask): Promise<{ readonly kind: "built" } | Refusal>;
  /** An archive as `docker save` writes it. */
  load(archive: string, ask: Ask): Promise<Loading>;
  /** An archive of a root file system. */
  import(archive: string, name: ImageTag, ask: Ask): Promise<{ readonly kind: "imported" } | Refusal>;
  /** Another name for an image; a name that is taken moves. */
  tag(reference: string, name: ImageTag, ask: Ask): Promise<void>;
  close(): Promise<void>;
}
