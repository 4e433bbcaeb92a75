/** AWS Batch as a service of tasks. */
import type { JobDetail, BatchClient as SdkClient } from "@aws-sdk/client-batch";
import { type Ask, bytesOfText, checkAsk, defined, messageOf, SingleFlight } from "../../kernel/index.ts";
import { type BatchPlace, definitionOf, jobNameOf, submissionOf, taskOf } from "./batch-job.ts";
import { objectUrl } from "./batch-scripts.ts";
import { stagedFolder } from "./job-scripts.ts";
import type { ServiceAnswer, ServiceClient, ServiceFacts, ServiceTask, TaskTag } from "./service-client.ts";
import { attemptTag, phaseOf, type TesTaskDocument } from "./tes-task.ts";

export interface BatchClientOptions extends BatchPlace {
  readonly region?: string;
  readonly endpoint?: string;
  /** Default: the standard chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Puts the lists of inputs where jobs find them; answers their URIs. */
  readonly putBytes: (bytes: Uint8Array, ask: Ask) => Promise<string>;
  readonly say: (words: string) => void;
}

interface Connection {
  readonly sdk: typeof import("@aws-sdk/client-batch");
  readonly client: SdkClient;
}

/** Batch describes this many jobs at once. */
const mostDescribed = 100;
/** Batch takes requests of 30 KiB. */
const mostRequestBytes = 30_000;

export class BatchClient implements ServiceClient {
  readonly #options: BatchClientOptions;
  readonly #definitions = new Map<string, string>();
  readonly #registering = new SingleFlight<string>();
  /** Jobs that somebody waits for: what a list is made of. */
  readonly #asked = new Set<string>();
  readonly #reported = new Set<string>();
  #loaded: Promise<Connection> | undefined;

  constructor(options: BatchClientOptions) {
    this.#options = options;
  }

  get url(): string {
    return `AWS Batch (job queue ${this.#options.queue})`;
  }

  async service(ask: Ask): Promise<ServiceAnswer<ServiceFacts>> {
    const { queue } = this.#options;
    const answer = await this.#send(ask, ({ sdk, client }, options) =>
      client.send(new sdk.DescribeJobQueuesCommand({ jobQueues: [queue] }), options),
    );
    if (answer.kind !== "answered") return answer;
    const [found] = answer.value.jobQueues ?? [];
    const words =
      found === undefined
        ? `there is no job queue ${queue}`
        : found.state !== "ENABLED"
          ? `the job queue ${queue} is ${found.state?.toLowerCase() ?? "in no known state"}`
          : found.status !== "VALID"
            ? `the job queue ${queue} is ${found.status?.toLowerCase()}: ${found.statusReason ?? "no reason given"}`
            : undefined;
    if (words !== undefined) return { kind: "refused", status: 400, words };
    return {
      kind: "answered",
      value: { name: `AWS Batch, job queue ${queue}`, version: "2016-08-10", storage: ["s3://"] },
    };
  }

  async create(task: TesTaskDocument, ask: Ask): Promise<ServiceAnswer<string>> {
    const outside = task.inputs.find(({ path }) => !path.startsWith(`${stagedFolder}/`));
    if (outside !== undefined)
      return {
        kind: "refused",
        status: 400,
        words: `an input at ${outside.path} cannot be placed in a job of AWS Batch`,
      };
    const definition = await this.#definitionFor(task, ask);
    if (definition.kind !== "answered") return definition;
    const { s3 } = this.#options;
    const lines = task.inputs.map(({ url, path }) => `${path} ${objectUrl(url, s3)}\n`);
    const list = await this.#options.putBytes(bytesOfText(lines.join("")), ask);
    const request = submissionOf(task, this.#options, { definition: definition.value, list });
    const bytes = Buffer.byteLength(JSON.stringify(request));
    if (bytes > mostRequestBytes)
      return {
        kind: "refused",
        status: 400,
        words: `the request has ${bytes} bytes, AWS Batch takes ${mostRequestBytes}: the environment of the task is too long`,
      };
    const answer = await this.#send(ask, ({ sdk, client }, options) =>
      client.send(new sdk.SubmitJobCommand(request), options),
    );
    if (answer.kind !== "answered") return answer;
    const { jobId = "" } = answer.value;
    if (jobId === "") return { kind: "unclear", words: "the answer has no id of the job" };
    this.#asked.add(jobId);
    return { kind: "answered", value: jobId };
  }

  async #definitionFor(task: TesTaskDocument, ask: Ask): Promise<ServiceAnswer<string>> {
    const request = definitionOf(task, this.#options);
    const name = request.jobDefinitionName ?? "";
    const known = this.#definitions.get(name);
    if (known !== undefined) return { kind: "answered", value: known };
    let trouble: ServiceAnswer<never> | undefined;
    const arn = await this.#registering.run(name, async () => {
      const there = await this.#send(ask, ({ sdk, client }, options) =>
        client.send(
          new sdk.DescribeJobDefinitionsCommand({ jobDefinitionName: name, status: "ACTIVE" }),
          options,
        ),
      );
      if (there.kind !== "answered") {
        trouble = there;
        return "";
      }
      // Its name is a digest of what is in it.
      const found = there.value.jobDefinitions?.[0]?.jobDefinitionArn;
      if (found !== undefined) return found;
      const made = await this.#send(ask, ({ sdk, client }, options) =>
        client.send(new sdk.RegisterJobDefinitionCommand(request), options),
      );
      if (made.kind === "answered") return made.value.jobDefinitionArn ?? "";
      trouble = made;
      return "";
    });
    if (arn === "") return trouble ?? { kind: "unclear", words: "no job definition was registered" };
    this.#definitions.set(name, arn);
    return { kind: "answered", value: arn };
  }

  async get(id: string, _view: unknown, ask: Ask): Promise<ServiceAnswer<ServiceTask>> {
    const answer = await this.#describe([id], ask);
    if (answer.kind !== "answered") return answer;
    const [job] = answer.value;
    if (job === undefined) return { kind: "refused", status: 404, words: `there is no job ${id}` };
    this.#asked.add(id);
    return { kind: "answered", value: job };
  }

  async list(tag: TaskTag, _view: unknown, ask: Ask): Promise<ServiceAnswer<readonly ServiceTask[]>> {
    if (tag.key !== attemptTag) return this.#describe([...this.#asked], ask);
    const { queue } = this.#options;
    const ids: string[] = [];
    let nextToken: string | undefined;
    do {
      const answer = await this.#send(ask, ({ sdk, client }, options) =>
        client.send(
          new sdk.ListJobsCommand({
            jobQueue: queue,
            filters: [{ name: "JOB_NAME", values: [jobNameOf(tag.value)] }],
            ...defined({ nextToken }),
          }),
          options,
        ),
      );
      if (answer.kind !== "answered") return answer;
      ids.push(...(answer.value.jobSummaryList ?? []).flatMap(({ jobId }) => jobId ?? []));
      nextToken = answer.value.nextToken;
    } while (nextToken !== undefined && nextToken !== "");
    return this.#describe(ids, ask);
  }

  async #describe(ids: readonly string[], ask: Ask): Promise<ServiceAnswer<readonly ServiceTask[]>> {
    const found: ServiceTask[] = [];
    for (let from = 0; from < ids.length; from += mostDescribed) {
      const jobs = ids.slice(from, from + mostDescribed);
      const answer = await this.#send(ask, ({ sdk, client }, options) =>
        client.send(new sdk.DescribeJobsCommand({ jobs }), options),
      );
      if (answer.kind !== "answered") return answer;
      for (const job of answer.value.jobs ?? []) {
        this.#reportStuck(job);
        const task = taskOf(job);
        if (phaseOf(task.state) !== "going") this.#asked.delete(task.id);
        found.push(task);
      }
    }
    return { kind: "answered", value: found };
  }

  /** Batch says why a job may wait for ever, and leaves it waiting. */
  #reportStuck({ jobId = "", jobName, status, statusReason = "" }: JobDetail): void {
    if (status !== "RUNNABLE" || statusReason === "" || this.#reported.has(jobId)) return;
    this.#reported.add(jobId);
    this.#options.say(`job ${jobName} (${jobId}) does not start: ${statusReason}`);
  }

  cancel(id: string, ask: Ask): Promise<ServiceAnswer<unknown>> {
    return this.#send(ask, ({ sdk, client }, options) =>
      client.send(new sdk.TerminateJobCommand({ jobId: id, reason: "cancelled by Memoir" }), options),
    );
  }

  close(): void {
    void this.#loaded?.then(({ client }) => client.destroy()).catch(() => {});
  }

  #load(): Promise<Connection> {
    const { region, endpoint, credentials } = this.#options;
    this.#loaded ??= import("@aws-sdk/client-batch").then((sdk) => ({
      sdk,
      client: new sdk.BatchClient({
        ...defined({ region, endpoint }),
        ...(credentials === undefined ? {} : { credentials }),
        // Its own repetitions would submit jobs again whose answer was lost.
        maxAttempts: 1,
      }),
    }));
    return this.#loaded;
  }

  async #send<Output>(
    ask: Ask,
    request: (connection: Connection, options: { readonly abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<ServiceAnswer<Output>> {
    const connection = await this.#load();
    try {
      return { kind: "answered", value: await request(connection, { abortSignal: ask.signal }) };
    } catch (error) {
      checkAsk(ask, `asking ${this.url}`);
      const { name, $metadata: metadata } = error as {
        name?: string;
        $metadata?: { httpStatusCode?: number };
      };
      const status = metadata?.httpStatusCode ?? 0;
      const words = `${name ?? "Error"}: ${messageOf(error)}`;
      const isRefusal =
        status >= 400 && status < 500 && status !== 429 && name !== "TooManyRequestsException";
      const isUnsigned = name === "CredentialsProviderError";
      return isRefusal || isUnsigned
        ? { kind: "refused", status: status || 401, words }
        : { kind: "unclear", words };
    }
  }
}
