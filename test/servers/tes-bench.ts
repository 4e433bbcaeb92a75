/** A TES service on a real engine and a real S3 server, and executors that use it. */
import { setTimeout as wait } from "node:timers/promises";
import type { Attempt, Executor, PinnedImage } from "../../src/exec/core/index.ts";
import {
  createServiceExecutor,
  type ServiceExecutorOptions,
} from "../../src/exec/remote/service-executor.ts";
import { type TaskRecord, writeRecord } from "../../src/exec/remote/task-record.ts";
import { TesClient } from "../../src/exec/remote/tes-client.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import type { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { RemoteBench } from "./remote-bench.ts";
import { type S3Address, s3Environment } from "./s3.ts";
import { TesServer } from "./tes.ts";
import type { TestEngine } from "./test-engine.ts";

export class TesBench extends RemoteBench<TesServer> {
  /** Without a shell. */
  emptyImage: PinnedImage = { requested: "", reference: "", platform: "", configDigest: "" };

  async open(): Promise<void> {
    const images = await this.openWith(["busybox", "empty"]);
    this.emptyImage = { ...this.image, reference: images.empty.reference };
  }

  protected async startServer(engine: TestEngine, s3: S3Address): Promise<TesServer> {
    const server = new TesServer({ engine, s3 });
    await server.start();
    return server;
  }

  protected idsOf(attemptId: string): readonly string[] {
    return this.server.tasksOf(attemptId).map(({ id }) => id);
  }

  /** What makes Memoir's command line use the service. */
  get environment(): Readonly<Record<string, string>> {
    return {
      ...s3Environment(this.s3),
      MEMOIR_TES_URL: this.server.url,
      MEMOIR_WORK_PREFIX: this.workPrefix,
    };
  }

  /** The same folder with the engine that the service uses, for containers on this machine. */
  boxOf(box: Sandbox): Sandbox {
    return box.with(this.engine.env);
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

  /** Another service, which only those with the token may use. */
  async lockedServer(token: string): Promise<TesServer> {
    const server = new TesServer({ engine: this.engine, s3: this.s3, token });
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
