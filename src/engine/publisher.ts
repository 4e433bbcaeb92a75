/**
 * Results brought to where a person looks for them, during the run. A link leads to a recorded result, which is
 * pinned first: pruning must not take away what somebody published. Everything else is copied, sharing blocks where the
 * file system can.
 */
import { lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { followLinks, notRegular, spreadTree } from "../files/index.ts";
import { sha256File } from "../hash/index.ts";
import {
  type Ask,
  checkAsk,
  defined,
  mapBounded,
  messageOf,
  nameOfBytes,
  onDisk,
  Semaphore,
  shownName,
} from "../kernel/index.ts";
import type { Published, PublishOrder } from "../lang/core/index.ts";
import type { FileValue } from "../task/index.ts";
import type { Emit } from "./events.ts";
import type { Materials } from "./materials.ts";
import { copyWhole, type WritingPlaces, writeError } from "./writing-places.ts";

const publishesAtOnce = 8;
const membersAtOnce = 8;

export interface PublisherParts {
  readonly materials: Materials;
  readonly places: WritingPlaces;
  readonly emit: Emit;
  /** Keeps an entry from being pruned; absent where entries cannot be pinned. */
  readonly pin?: (entryUuid: string, ask: Ask) => Promise<void>;
}

export class Publisher {
  readonly #parts: PublisherParts;
  readonly #turns = new Semaphore(publishesAtOnce);
  readonly #going = new Set<Promise<unknown>>();
  /** By entry; found out once. */
  readonly #pinned = new Map<string, Promise<boolean>>();

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  publish(file: FileValue, order: PublishOrder, ask: Ask): Promise<Published> {
    const going = this.#turns.use(() => this.#publish(file, order, ask));
    this.#going.add(going);
    const ended = () => void this.#going.delete(going);
    going.then(ended, ended);
    return going;
  }

  /** Waits for what is under way; whoever asked for it hears of its failures. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#going]);
  }

  async #publish(file: FileValue, order: PublishOrder, ask: Ask): Promise<Published> {
    checkAsk(ask, `publishing ${order.target}`);
    const { materials, emit } = this.#parts;
    const source = await materials.hostPathOf(file, ask);
    if (order.linkText !== undefined) {
      const { linkText } = order;
      const how = await this.#putLink(async () => linkText, source, order, ask);
      emit({
        kind: "file.published",
        ...defined({ call: order.call }),
        source: file.location,
        target: order.target,
        how,
      });
      return { how, target: order.target };
    }
    const entryUuid = order.mode === "copy" ? undefined : await this.#linkable(file, source, ask);
    const how =
      entryUuid === undefined ? await this.#copy(source, order, ask) : await this.#link(source, order, ask);
    emit({
      kind: "file.published",
      ...defined({ call: order.call }),
      source: file.location,
      target: order.target,
      how,
      ...(entryUuid === undefined || how !== "linked" ? {} : { entryUuid }),
    });
    return { how, target: order.target };
  }

  /** The entry that a link may lead to, pinned by now. */
  async #linkable(file: FileValue, source: string, ask: Ask): Promise<string | undefined> {
    const { materials, pin, emit } = this.#parts;
    const uuid = materials.entryHolding(file, source);
    if (uuid === undefined || pin === undefined) return undefined;
    const known =
      this.#pinned.get(uuid) ??
      pin(uuid, ask).then(
        () => true,
        (error) => {
          checkAsk(ask, `pinning ${uuid}`);
          emit({
            kind: "cache.trouble",
            doing: "pinning",
            words: `${messageOf(error)}; results of it are copied`,
          });
          return false;
        },
      );
    this.#pinned.set(uuid, known);
    return (await known) ? uuid : undefined;
  }

  #link(source: string, { target, mode, overwrite }: PublishOrder, ask: Ask): Promise<Published["how"]> {
    const textAt = async (target: string) => {
      const from = mode === "relative link" ? await followLinks(dirname(target)) : undefined;
      return from === undefined ? source : relative(from, source);
    };
    return this.#putLink(textAt, source, { target, overwrite }, ask);
  }

  async #putLink(
    textAt: (target: string) => Promise<string>,
    source: string,
    { target, overwrite }: Pick<PublishOrder, "target" | "overwrite">,
    ask: Ask,
  ): Promise<Published["how"]> {
    const place = await this.#parts.places.open(target);
    try {
      const text = await textAt(place.target);
      const found = lstatSync(onDisk(place.path), { throwIfNoEntry: false });
      const isSame =
        found?.isSymbolicLink() === true &&
        nameOfBytes(readlinkSync(onDisk(place.path), { encoding: "buffer" })) === text;
      if (found !== undefined && (isSame || (await isKept(found, place.path, source, overwrite, ask))))
        return "kept";
      await place.fill((temporary) => symlink(onDisk(text), onDisk(temporary)));
      return "linked";
    } finally {
      place.close();
    }
  }

  async #copy(source: string, order: PublishOrder, ask: Ask): Promise<Published["how"]> {
    const stats = statSync(onDisk(source));
    if (stats.isFile()) return this.#copyFile(source, order.target, order, ask);
    if (!stats.isDirectory()) throw notRegular("publishing", shownName(source), stats);
    const { places } = this.#parts;
    const tree = await spreadTree(source, { doing: `publishing ${shownName(source)}` });
    await places.makeFolder(order.target);
    for (const path of tree.emptyFolders) await places.makeFolder(join(order.target, path));
    const copied = await mapBounded(tree.files, membersAtOnce, (file) =>
      this.#copyFile(file.source, join(order.target, file.path), order, ask),
    );
    for (const { path, target } of tree.links) {
      const place = await places.open(join(order.target, path));
      try {
        const found = lstatSync(onDisk(place.path), { throwIfNoEntry: false });
        if (found !== undefined && order.overwrite === "never") continue;
        await place.fill((temporary) => symlink(onDisk(target), onDisk(temporary)));
      } finally {
        place.close();
      }
    }
    return tree.files.length > 0 && copied.every((how) => how === "kept") ? "kept" : "copied";
  }

  async #copyFile(
    source: string,
    target: string,
    { overwrite }: PublishOrder,
    ask: Ask,
  ): Promise<Published["how"]> {
    checkAsk(ask, `publishing ${target}`);
    const place = await this.#parts.places.open(target);
    try {
      const found = lstatSync(onDisk(place.path), { throwIfNoEntry: false });
      if (found !== undefined && (await isKept(found, place.path, source, overwrite, ask))) return "kept";
      await place.fill((temporary) => copyWhole(source, temporary));
      return "copied";
    } catch (error) {
      throw writeError(target, error);
    } finally {
      place.close();
    }
  }
}

/** Whether what is there stays. */
async function isKept(
  found: Stats,
  path: string,
  source: string,
  overwrite: PublishOrder["overwrite"],
  ask: Ask,
): Promise<boolean> {
  if (overwrite !== "if different") return overwrite === "never";
  const wanted = statSync(onDisk(source));
  if (!found.isFile() || !wanted.isFile() || found.size !== wanted.size) return false;
  const [here, there] = [await sha256File(path, ask.signal), await sha256File(source, ask.signal)];
  return here === there;
}
