/**
 * The work prefix: where bytes are that travel between Memoir and the machines of a service.
 *
 *   content/<sha256>                     inputs that were on this machine, each once
 *   attempts/<attempt>/<submission>/…    what a job has published
 */
import { statSync } from "node:fs";
import { sha256, sha256File } from "../../hash/index.ts";
import { AppError, type Ask, isAppError, onDisk, Semaphore, SingleFlight } from "../../kernel/index.ts";
import type { ObjectStore } from "../../store/objects/index.ts";

const uploadsAtOnce = 8;

export class WorkStore {
  readonly #objects: ObjectStore;
  readonly #uploads = new Semaphore(uploadsAtOnce);
  readonly #sending = new SingleFlight<void>();
  /** Digests of local files, by what shows that they are still the same. */
  readonly #digests = new Map<string, string>();
  readonly #sent = new Set<string>();

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  get uri(): string {
    return this.#objects.uri;
  }

  get objects(): ObjectStore {
    return this.#objects;
  }

  /** @throws AppError when the place cannot be read and written: before any task is submitted. */
  async open(ask: Ask): Promise<void> {
    await this.#objects.open(ask);
    // Who may list a bucket need not be allowed to write to it.
    const probe = `probe/${process.pid}-${Date.now().toString(36)}`;
    await this.#objects.put(
      probe,
      Buffer.from("written to find out whether this prefix can be written\n"),
      ask,
    );
    await this.#objects.remove([probe], ask);
  }

  close(): Promise<void> {
    return this.#objects.close();
  }

  uriOf(name: string): string {
    return `${this.uri}/${name}`;
  }

  /** Uploads a local file unless its content is there; answers where it is and what. */
  async putFile(
    path: string,
    ask: Ask,
  ): Promise<{ readonly uri: string; readonly sha256: string; readonly sizeBytes: number }> {
    const facts = statSync(onDisk(path), { bigint: true });
    const stamp = [path, facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join(" ");
    const digest = this.#digests.get(stamp) ?? (await sha256File(path, ask.signal));
    const sizeBytes = Number(facts.size);
    const name = `content/${digest}`;
    await this.#send(name, sizeBytes, ask, async () => {
      const { sha256: sent, sizeBytes: size } = await this.#objects.putFile(name, path, ask);
      const now = statSync(onDisk(path), { bigint: true });
      const changed =
        now.ctimeNs !== facts.ctimeNs || size !== sizeBytes || (sent !== undefined && sent !== digest);
      if (!changed) return;
      await this.#objects.remove([name], ask);
      throw new AppError("FILE_CHANGED", `uploading ${path}: it changed while it was read`);
    });
    this.#digests.set(stamp, digest);
    return { uri: this.uriOf(name), sha256: digest, sizeBytes };
  }

  async putBytes(
    bytes: Uint8Array,
    ask: Ask,
  ): Promise<{ readonly uri: string; readonly sha256: string; readonly sizeBytes: number }> {
    const digest = sha256(bytes);
    const name = `content/${digest}`;
    await this.#send(name, bytes.byteLength, ask, async () => {
      await this.#objects.put(name, bytes, ask);
    });
    return { uri: this.uriOf(name), sha256: digest, sizeBytes: bytes.byteLength };
  }

  async #send(name: string, sizeBytes: number, ask: Ask, put: () => Promise<void>): Promise<void> {
    if (this.#sent.has(name)) return;
    await this.#sending.run(name, () =>
      this.#uploads.use(async () => {
        const there = await this.#objects.head(name, ask);
        if (there?.sizeBytes !== sizeBytes) await put();
        this.#sent.add(name);
      }),
    );
  }

  /** undefined = not there (yet). */
  async read(name: string, ask: Ask): Promise<Uint8Array | undefined> {
    try {
      return await this.#objects.read(name, ask);
    } catch (error) {
      if (isAppError(error, "STORE_OBJECT_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  /** Sizes and ETags of everything below a folder, by name relative to it. */
  async list(
    folder: string,
    ask: Ask,
  ): Promise<ReadonlyMap<string, { readonly sizeBytes: number; readonly etag?: string }>> {
    const found = new Map<string, { readonly sizeBytes: number; readonly etag?: string }>();
    for await (const { name, sizeBytes, etag } of this.#objects.list(`${folder}/`, ask))
      found.set(name.slice(folder.length + 1), etag === undefined ? { sizeBytes } : { sizeBytes, etag });
    return found;
  }

  async removeFolder(folder: string, ask: Ask): Promise<void> {
    const names: string[] = [];
    for await (const { name } of this.#objects.list(`${folder}/`, ask)) names.push(name);
    if (names.length > 0) await this.#objects.remove(names, ask);
  }
}
