/** AWS Batch on a real engine with a real S3 server, and executors that use it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Attempt, Executor, PinnedImage } from "../../src/exec/core/index.ts";
import { BatchClient, type BatchClientOptions } from "../../src/exec/remote/batch-client.ts";
import {
  createServiceExecutor,
  type ServiceExecutorOptions,
} from "../../src/exec/remote/service-executor.ts";
import { WorkStore } from "../../src/exec/remote/work-store.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { openObjectStore } from "../../src/store/objects/index.ts";
import { limitMs } from "../limit.mjs";
import { BatchServer, testQueue } from "./batch.ts";
import { startPodman } from "./podman.ts";
import { makeBucket, type S3Address, s3Environment, sharedS3 } from "./s3.ts";
import type { TestEngine } from "./test-engine.ts";
import { testArchitecture, testImages } from "./test-images.ts";

export class BatchBench {
  readonly said: string[] = [];
  image: PinnedImage = { requested: "", reference: "", platform: "", configDigest: "" };
  #engine: TestEngine | undefined;
  #server: BatchServer | undefined;
  #s3: S3Address | undefined;
  #bucket = "";
  #helper = "";

  async open(): Promise<void> {
    const images = await testImages();
    this.#engine = await startPodman();
    await this.#engine.load(images.busybox);
    await this.#engine.load(images.curl);
    this.#s3 = await sharedS3();
    this.#bucket = await makeBucket(this.#s3);
    const { reference, configDigest } = images.busybox;
    this.image = { requested: reference, reference, platform: `linux/${testArchitecture()}`, configDigest };
    this.#helper = images.curl.reference;
    this.#server = new BatchServer({ engine: this.#engine, s3: this.#s3 });
    await this.#server.start();
  }

  async close(): Promise<void> {
    await this.#server?.stop();
    await this.#engine?.stop();
  }

  get server(): BatchServer {
    if (this.#server === undefined) throw new Error("the bench is not open");
    return this.#server;
  }

  get workPrefix(): string {
    return `s3://${this.#bucket}/work`;
  }

  /** What makes Memoir's command line use the service. */
  get environment(): Readonly<Record<string, string>> {
    if (this.#s3 === undefined) throw new Error("the bench is not open");
    return {
      ...s3Environment(this.#s3),
      AWS_ENDPOINT_URL_BATCH: this.server.url,
      MEMOIR_BATCH_QUEUE: testQueue,
      MEMOIR_WORK_PREFIX: this.workPrefix,
      MEMOIR_HELPER_IMAGE: this.#helper,
    };
  }

  openObjects = (uri: string) => {
    if (this.#s3 === undefined) throw new Error("the bench is not open");
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#s3;
    const credentials = { accessKeyId, secretAccessKey };
    return openObjectStore(uri, { s3: { endpoint, region, credentials }, names: "any" });
  };

  makeExecutor(
    more: Partial<ServiceExecutorOptions> = {},
    client: Partial<BatchClientOptions> = {},
  ): Executor {
    if (this.#s3 === undefined) throw new Error("the bench is not open");
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#s3;
    const lists = new WorkStore(this.openObjects(this.workPrefix));
    const say = (words: string) => void this.said.push(words);
    return createServiceExecutor({
      name: "aws-batch",
      client: new BatchClient({
        queue: testQueue,
        region,
        endpoint: this.server.url,
        credentials: { accessKeyId, secretAccessKey },
        s3: { endpoint, region },
        putBytes: async (bytes, ask) => (await lists.putBytes(bytes, ask)).uri,
        say,
        ...client,
      }),
      work: this.openObjects(this.workPrefix),
      openObjects: this.openObjects,
      helperImage: this.#helper,
      times: { pollMs: 100, missingMs: 500, settleMs: 60_000, awayMs: limitMs },
      say,
      ...more,
    });
  }

  /** Once the job has been made. */
  async inside({ id }: Attempt): Promise<string> {
    for (const end = Date.now() + limitMs; Date.now() < end; await wait(20))
      for (const job of this.server.jobsOf(id)) return this.server.inside(job.id);
    throw new Error(`the service got no job of ${id}`);
  }

  /** Makes a file for a job that runs, by its path below the task root. */
  async leaveIn(jobId: string, name: string): Promise<void> {
    for (const end = Date.now() + limitMs; Date.now() < end; await wait(20)) {
      const made = await writeFile(join(this.server.inside(jobId), name), "").then(
        () => true,
        () => false,
      );
      if (made) return;
    }
    throw new Error(`there was no place for ${name} in ${jobId}`);
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
