/** AWS Batch on a real engine with a real S3 server, and executors that use it. */
import type { Executor } from "../../src/exec/core/index.ts";
import { BatchClient, type BatchClientOptions } from "../../src/exec/remote/batch-client.ts";
import {
  createServiceExecutor,
  type ServiceExecutorOptions,
} from "../../src/exec/remote/service-executor.ts";
import { WorkStore } from "../../src/exec/remote/work-store.ts";
import { limitMs } from "../limit.mjs";
import { BatchServer, testQueue } from "./batch.ts";
import { RemoteBench } from "./remote-bench.ts";
import { type S3Address, s3Environment } from "./s3.ts";
import type { TestEngine } from "./test-engine.ts";

export class BatchBench extends RemoteBench<BatchServer> {
  readonly said: string[] = [];
  #helper = "";

  async open(): Promise<void> {
    const images = await this.openWith(["busybox", "curl"]);
    this.#helper = images.curl.reference;
  }

  protected async startServer(engine: TestEngine, s3: S3Address): Promise<BatchServer> {
    const server = new BatchServer({ engine, s3 });
    await server.start();
    return server;
  }

  protected idsOf(attemptId: string): readonly string[] {
    return this.server.jobsOf(attemptId).map(({ id }) => id);
  }

  /** What makes Memoir's command line use the service. */
  get environment(): Readonly<Record<string, string>> {
    return {
      ...s3Environment(this.s3),
      AWS_ENDPOINT_URL_BATCH: this.server.url,
      MEMOIR_BATCH_QUEUE: testQueue,
      MEMOIR_WORK_PREFIX: this.workPrefix,
      MEMOIR_HELPER_IMAGE: this.#helper,
    };
  }

  makeExecutor(
    more: Partial<ServiceExecutorOptions> = {},
    client: Partial<BatchClientOptions> = {},
  ): Executor {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.s3;
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
}
