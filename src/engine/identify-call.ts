/** Fingerprint, pin, key: the first three steps of a call. */
import { basename } from "node:path";
import type { Executor, ImageResolver, PinnedImage } from "../exec/core/index.ts";
import {
  AppError,
  type Ask,
  type CallKey,
  checkAsk,
  defined,
  isAppError,
  messageOf,
  type TaskPath,
} from "../kernel/index.ts";
import { type ContainerFact, type Fingerprinter, type Identity, type Key, keyOf } from "../keys/index.ts";
import type { FileValue, ImageRecipe, TaskCall, TaskFailure } from "../task/index.ts";
import type { Emit } from "./events.ts";
import type { Materials } from "./materials.ts";
import type { RunCacheParts, WorkflowRunParts } from "./run-parts.ts";

export interface Surroundings {
  readonly image?: PinnedImage;
  readonly container: ContainerFact | undefined;
}

/** What the call names as its program, where it runs without an image. */
export interface IdentifiedProgram {
  readonly file: FileValue;
  readonly identity: Identity;
}

export type IdentifiedCall =
  | {
      readonly kind: "keyed";
      readonly key: Key;
      readonly image?: PinnedImage;
      readonly identities: ReadonlyMap<TaskPath, Identity>;
      readonly program?: IdentifiedProgram;
      /** The same call as it was keyed before the content of inputs became known. */
      readonly formerKey?: CallKey;
      /** Inputs that have to be read before it is known whether their content was met before. */
      readonly unread?: true;
      readonly container: ContainerFact;
    }
  /** Computed, and neither looked up nor recorded. */
  | { readonly kind: "unkeyed"; readonly why: string; readonly image?: PinnedImage }
  | { readonly kind: "impossible"; readonly failure: TaskFailure };

export type KeyedCall = Extract<IdentifiedCall, { kind: "keyed" }>;

export interface IdentifyParts {
  readonly executor: Executor;
  /** Resolves when the executor is open; environments are known from then on. */
  readonly opened: () => Promise<void>;
  readonly images?: ImageResolver;
  readonly defaultImage?: string;
  readonly cache?: RunCacheParts;
  readonly materials: Materials;
  readonly fingerprinter: Fingerprinter;
  readonly emit: Emit;
}

/** The call with variables of the user, which decide its result as its own do. */
export function withPassedEnv(task: TaskCall, passedEnv: WorkflowRunParts["passedEnv"]): TaskCall {
  if (passedEnv === undefined || Object.keys(passedEnv).length === 0) return task;
  return { ...task, passedEnv: { ...passedEnv, ...task.passedEnv } };
}

export class CallIdentifier {
  readonly #parts: IdentifyParts;
  /** One answer per image and run: a tag that moves during the run moves nothing. */
  readonly #pins = new Map<string, Promise<PinnedImage>>();

  constructor(parts: IdentifyParts) {
    this.#parts = parts;
  }

  async identify(task: TaskCall, ask: Ask): Promise<IdentifiedCall> {
    const pinned = await this.#pin(task, ask);
    if ("kind" in pinned) return { kind: "impossible", failure: pinned };
    const image = pinned.image === undefined ? {} : { image: pinned.image };
    const why = await this.#whyNotReusable(task, pinned.image);
    if (why !== undefined) return { kind: "unkeyed", why, ...image };
    const known = this.#containerOf(pinned.image);
    if (known === undefined)
      return { kind: "unkeyed", why: "this machine's environment has no identity", ...image };
    const identities = new Map<TaskPath, Identity>();
    let program: IdentifiedProgram | undefined;
    try {
      if (pinned.image === undefined) program = await this.#programOf(task, ask);
      await Promise.all(
        task.inputs.map(async (input) => {
          identities.set(
            input.path,
            await this.#parts.materials.identityOf(input.source, ask, task.identity),
          );
        }),
      );
    } catch (error) {
      checkAsk(ask, `fingerprinting the inputs of ${task.path}`);
      return this.#unidentified(task, error, image);
    }
    const container =
      known.kind === "image" || task.program === undefined
        ? known
        : { ...known, program: program?.identity.text ?? "absent" };
    return this.#keyed(task, {
      identities,
      container,
      ...image,
      ...defined({ program }),
    });
  }

  /** The call keyed by the content of its inputs, which are read for it; undefined where they cannot be. */
  async withContent(task: TaskCall, call: KeyedCall, ask: Ask): Promise<KeyedCall | undefined> {
    const identities = new Map(call.identities);
    try {
      await Promise.all(
        task.inputs.map(async ({ path, source }) => {
          const identity = identities.get(path);
          if (identity !== undefined)
            identities.set(
              path,
              await this.#parts.materials.readContent({ file: source, identity }, ask, task.identity),
            );
        }),
      );
    } catch (error) {
      checkAsk(ask, `reading the inputs of ${task.path}`);
      // Staging meets the same trouble, and is where it is reported.
      if (isAppError(error)) return undefined;
      throw error;
    }
    const { container, image, program } = call;
    const read = this.#keyed(task, {
      identities,
      container,
      ...defined({ image, program }),
    });
    return read.key.key === call.key.key ? undefined : read;
  }

  #keyed(
    task: TaskCall,
    facts: {
      readonly identities: ReadonlyMap<TaskPath, Identity>;
      readonly container: ContainerFact;
      readonly image?: PinnedImage;
      readonly program?: IdentifiedProgram;
    },
  ): KeyedCall {
    const { identities, container } = facts;
    const resources = this.#parts.cache?.resources ?? "ignored";
    const keyBy = (text: (identity: Identity) => string) => {
      const inputs = new Map([...identities].map(([path, identity]) => [path, text(identity)]));
      return keyOf(task, { inputs, container, resources });
    };
    const all = [...identities.values()];
    return {
      kind: "keyed",
      key: keyBy((identity) => identity.text),
      ...facts,
      ...(all.some((identity) => identity.alternative !== undefined)
        ? { formerKey: keyBy((identity) => identity.alternative ?? identity.text).key }
        : {}),
      ...(all.some((identity) => identity.unread === true) ? { unread: true } : {}),
    };
  }

  /** A missing input ends the call; one that cannot be identified is computed without the cache. */
  #unidentified(task: TaskCall, error: unknown, image: { readonly image?: PinnedImage }): IdentifiedCall {
    if (!(error instanceof AppError)) throw error;
    if (error.row.kind === "not-found" || error.code === "FILE_NOT_REGULAR")
      return {
        kind: "impossible",
        failure: { kind: "input-unavailable", message: error.message, attempts: 0 },
      };
    const words = `the inputs could not be identified: ${error.message}`;
    this.#parts.emit({ kind: "cache.trouble", doing: "fingerprinting", call: task.path, words });
    return { kind: "unkeyed", why: words, ...image };
  }

  async #programOf(task: TaskCall, ask: Ask): Promise<IdentifiedProgram | undefined> {
    const { executor, fingerprinter } = this.#parts;
    if (task.program === undefined || executor.programPath === undefined) return undefined;
    const path = await executor.programPath(task.program, { ...task.passedEnv, ...task.env });
    if (path === undefined) return undefined;
    const file: FileValue = { kind: "file", location: path, basename: basename(path) };
    return { file, identity: await fingerprinter.identify(file, ask) };
  }

  async #whyNotReusable(task: TaskCall, image: PinnedImage | undefined): Promise<string | undefined> {
    const { cache } = this.#parts;
    if (cache === undefined) return "no cache is used";
    if (task.cachePolicy.kind === "never") return task.cachePolicy.reason;
    if (cache.isExcluded?.(task.name) === true)
      return "its results differed when they were computed again (--exclude-unstable)";
    if (task.outputRules.length === 0 && task.cachePolicy.withoutOutputs !== true)
      return "it declares no output";
    if (image !== undefined) return undefined;
    if (this.#parts.executor.can.ownWork === true) return undefined;
    if (!cache.hostTasks) return "it runs without a container (--cache-host-tasks allows it)";
    await this.#parts.opened();
    return undefined;
  }

  #containerOf(image: PinnedImage | undefined): ContainerFact | undefined {
    if (image !== undefined) {
      const { platform, configDigest, entrypoint } = image;
      return {
        kind: "image",
        platform,
        configDigest,
        ...(entrypoint === undefined ? {} : { entrypoint: "kept" }),
      };
    }
    const identity = this.#parts.executor.environmentIdentity();
    return identity === undefined ? undefined : { kind: "environment", identity };
  }

  /** The first acceptable image that is available; nothing where the executor runs without containers. */
  async #pin(task: TaskCall, ask: Ask): Promise<{ readonly image?: PinnedImage } | TaskFailure> {
    const { executor, images, defaultImage } = this.#parts;
    if (!executor.can.containers || images === undefined)
      return task.needsContainer === true
        ? unavailable("it must run in a container, and tasks run without containers here")
        : {};
    // Where tasks may run without an image, one that only suggests an image runs without it if it has to.
    const plain = executor.can.plainTasks === true && task.needsContainer !== true;
    const { imageRecipe: recipe } = task;
    if (plain && task.images.length === 0 && recipe === undefined) return {};
    const fallback = defaultImage === undefined ? [] : [defaultImage];
    const wanted = recipe !== undefined ? [recipe] : task.images.length > 0 ? task.images : fallback;
    if (wanted.length === 0)
      return unavailable("it asks for no container image; give one with --image, or use --executor host");
    const refusals: string[] = [];
    for (const each of wanted) {
      try {
        const image = await (typeof each === "string"
          ? this.#once(each, () => images.pin(each, ask))
          : this.#once(JSON.stringify(each), () => this.#make(each, images, ask)));
        return { image: await this.#withEntrypoint(task, image, images, ask) };
      } catch (error) {
        checkAsk(ask, `finding the image of ${task.path}`);
        if (!isAppError(error)) throw error;
        if (error.code === "EXEC_ENGINE_NOT_FOUND" && executor.can.plainTasks !== true) throw error;
        refusals.push(`${messageOf(error)}. ${error.hint}`);
      }
    }
    return plain ? {} : unavailable(refusals.join("; "));
  }

  #once(name: string, find: () => Promise<PinnedImage>): Promise<PinnedImage> {
    const asked = this.#pins.get(name);
    if (asked !== undefined) return asked;
    const pin = find();
    this.#pins.set(name, pin);
    return pin;
  }

  async #make(recipe: ImageRecipe, images: ImageResolver, ask: Ask): Promise<PinnedImage> {
    const { materials } = this.#parts;
    if (recipe.kind === "build" || recipe.kind === "local") {
      const identity = JSON.stringify(recipe);
      return images.make({ recipe, identity, archive: async () => "" }, ask);
    }
    const { text } = await materials.identityOf(recipe.archive, ask);
    const identity = JSON.stringify([recipe.kind, text, recipe.kind === "load" ? (recipe.name ?? "") : ""]);
    const archive = () => materials.hostPathOf(recipe.archive, ask);
    return images.make({ recipe, identity, archive }, ask);
  }

  async #withEntrypoint(
    task: TaskCall,
    image: PinnedImage,
    images: ImageResolver,
    ask: Ask,
  ): Promise<PinnedImage> {
    if (task.behindEntrypoint === undefined) return image;
    const { entrypoint, command } = await images.startOf(image, ask);
    const words = task.behindEntrypoint.words === "given" ? entrypoint : [...entrypoint, ...command];
    return words.length === 0 ? image : { ...image, entrypoint: words };
  }
}

function unavailable(message: string): TaskFailure {
  return { kind: "image-unavailable", message, attempts: 0 };
}
