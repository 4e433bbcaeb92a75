/** A TES service on a real engine and a real S3 server, and executors that use it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Attempt, Executor, PinnedImage } from "../../src/exec/core/index.ts";
import {
  createServiceExecutor,
  type ServiceExecutorOptions,
} from "../../src/exec/remote/service-executor.ts";
import { type TaskRecord, writeRecord } from "../../src/exec/remote/task-record.ts";
import { TesClient } from "../../src/exec/remote/tes-client.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { openObjectStore } from "../../src/store/objects/index.ts";
import type { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { startPodman } from "./podman.ts";
import { makeBucket, type S3Address, s3Environment, sharedS3 } from "./s3.ts";
import { TesServer } from "./tes.ts";
import type { TestEngine } from "./test-engine.ts";
import { testArchitecture, testImages } from "./test-images.ts";

export class TesBench {
  #engine: TestEngine | undefined;
  #server: TesServer | undefined;
  #s3: S3Address | undefined;
  #bucket = "";
  /** Without a shell. */
  emptyImage: PinnedImage = { requested: "", reference: "", platform: "", configDigest: "" };
  image: PinnedImage = { requested: "", reference: "", platform: "", configDigest: "" };

  async open(): Promise<void> {
    const images = await testImages();
    this.#engine = await startPodman();
    await this.#engine.load(images.busybox);
    await this.#engine.load(images.empty);
    this.#s3 = await sharedS3();
    this.#bucket = await makeBucket(this.#s3);
    const { reference, configDigest } = images.busybox;
    this.image = { requested: reference, reference, platform: `linux/${testArchitecture()}`, configDigest };
    this.emptyImage = { ...this.image, reference: images.empty.reference };
    this.#server = new TesServer({ engine: this.#engine, s3: this.#s3 });
    await this.#server.start();
  }

  async close(): Promise<void> {
    await this.#server?.stop();
    await this.#engine?.stop();
  }

  get server(): TesServer {
    if (this.#server === undefined) throw new Error("the bench is not open");
    return this.#server;
  }

  get workPrefix(): string {
    return `s3://${this.#bucket}/work`;
  }

  get bucketUri(): string {
    return `s3://${this.#bucket}`;
  }

  /** What makes Memoir's command line use the service. */
  get environment(): Readonly<Record<string, string>> {
    if (this.#s3 === undefined) throw new Error("the bench is not open");
    return {
      ...s3Environment(this.#s3),
      MEMOIR_TES_URL: this.server.url,
      MEMOIR_WORK_PREFIX: this.workPrefix,
    };
  }

  /** The same folder with the engine that the service uses, for containers on this machine. */
  boxOf(box: Sandbox): Sandbox {
    return box.with(this.#engine?.env ?? {});
  }

  async putObject(name: string, text: string): Promise<void> {
    const store = this.openObjects(this.bucketUri);
    await store.put(name, Buffer.from(text), freshAsk());
    await store.close();
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + limitMs; Date.now() < end; await wait(50)) if (await holds()) return;
    throw new Error(`it did not come about that ${what}`);
  }

  openObjects = (uri: string) => {
    if (this.#s3 === undefined) throw new Error("the bench is not open");
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#s3;
    const credentials = { accessKeyId, secretAccessKey };
    return openObjectStore(uri, { s3: { endpoint, region, credentials }, names: "any" });
  };

  makeExecutor(more: Partial<ServiceExecutorOptions> = {}): Executor {
    return createServiceExecutor({
      name: "tes",
      client: new TesClient({ url: this.server.url }),
      work: this.openObjects(this.workPrefix),
      openObjects: this.openObjects,
      helperImage: this.image.reference,
      times: { pollMs: 100, missingMs: 500, settleMs: 60_000, awayMs: limitMs },
      ...more,
    });
  }

  /** Once the task has been made. */
  async inside({ id }: Attempt): Promise<string> {
    for (const end = Date.now() + limitMs; Date.now() < end; await wait(20))
      for (const task of this.server.tasksOf(id)) return this.server.inside(task.id);
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

  /** Another service, which only those with the token may use. */
  async lockedServer(token: string): Promise<TesServer> {
    if (this.#engine === undefined || this.#s3 === undefined) throw new Error("the bench is not open");
    const server = new TesServer({ engine: this.#engine, s3: this.#s3, token });
    await server.start();
    return server;
  }

  submissionOf({ id }: Attempt): string {
    return this.server.tasksOf(id)[0]?.document.tags["memoir.submission"] ?? "";
  }

  /** As a Memoir that died before the answer to its request came. */
  async leaveRecord({ directory }: Attempt, record: Omit<TaskRecord, "taskId">): Promise<void> {
    writeRecord(directory, { ...record, taskId: undefined });
  }
}
