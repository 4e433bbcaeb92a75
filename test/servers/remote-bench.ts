/** A real engine and a real S3 server, for a service that shares no disk with Memoir, and what its executors leave. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Attempt, PinnedImage } from "../../src/exec/core/index.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { openObjectStore } from "../../src/store/objects/index.ts";
import { limitMs } from "../limit.mjs";
import { startPodman } from "./podman.ts";
import { makeBucket, type S3Address, sharedS3 } from "./s3.ts";
import type { TestEngine } from "./test-engine.ts";
import { testArchitecture, testImages } from "./test-images.ts";

export interface RemoteServer {
  stop(): Promise<void>;
  /** Host path of what a task sees as its task root. */
  inside(id: string): string;
}

export type TestImageName = keyof Awaited<ReturnType<typeof testImages>>;

export abstract class RemoteBench<Server extends RemoteServer> {
  image: PinnedImage = { requested: "", reference: "", platform: "", configDigest: "" };
  #engine: TestEngine | undefined;
  #server: Server | undefined;
  #s3: S3Address | undefined;
  #bucket = "";

  protected abstract startServer(engine: TestEngine, s3: S3Address): Promise<Server>;
  /** Ids of what the service has got for an attempt. */
  protected abstract idsOf(attemptId: string): readonly string[];

  /** With these images in its engine, busybox among them. */
  protected async openWith(names: readonly TestImageName[]): Promise<Awaited<ReturnType<typeof testImages>>> {
    const images = await testImages();
    this.#engine = await startPodman();
    for (const name of names) await this.#engine.load(images[name]);
    this.#s3 = await sharedS3();
    this.#bucket = await makeBucket(this.#s3);
    const { reference, configDigest } = images.busybox;
    this.image = { requested: reference, reference, platform: `linux/${testArchitecture()}`, configDigest };
    this.#server = await this.startServer(this.#engine, this.#s3);
    return images;
  }

  async close(): Promise<void> {
    await this.#server?.stop();
    await this.#engine?.stop();
  }

  get server(): Server {
    return opened(this.#server);
  }

  get engine(): TestEngine {
    return opened(this.#engine);
  }

  get s3(): S3Address {
    return opened(this.#s3);
  }

  get workPrefix(): string {
    return `s3://${this.#bucket}/work`;
  }

  get bucketUri(): string {
    return `s3://${this.#bucket}`;
  }

  openObjects = (uri: string) => {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.s3;
    const credentials = { accessKeyId, secretAccessKey };
    return openObjectStore(uri, { s3: { endpoint, region, credentials }, names: "any" });
  };

  /** Once the task has been made. */
  async inside({ id }: Attempt): Promise<string> {
    for (const end = Date.now() + limitMs; Date.now() < end; await wait(20))
      for (const task of this.idsOf(id)) return this.server.inside(task);
    throw new Error(`the service got no task of ${id}`);
  }

  /** Makes a file for a task that runs, by its path below the task root. */
  async leaveIn(taskId: string, name: string): Promise<void> {
    for (const end = Date.now() + limitMs; Date.now() < end; await wait(20)) {
      const made = await writeFile(join(this.server.inside(taskId), name), "").then(
        () => true,
        () => false,
      );
      if (made) return;
    }
    throw new Error(`there was no place for ${name} in ${taskId}`);
  }

  /** Names of what an attempt has left in the work prefix. */
  async objectsOf({ id }: Attempt): Promise<readonly string[]> {
    const store = this.openObjects(this.workPrefix);
    const names: string[] = [];
    for await (const { name } of store.list(`attempts/${id}/`, freshAsk())) names.push(name);
    await store.close();
    return names;
  }
}

function opened<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("the bench is not open");
  return part;
}
