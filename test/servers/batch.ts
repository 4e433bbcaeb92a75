/**
 * AWS Batch for tests: it runs the containers of the jobs that it is given on a real engine, checks every request against the
 * model of the SDK, and misbehaves when a test asks for it. Jobs reach a real S3 server over the local network.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type {
  JobDetail,
  RegisterJobDefinitionRequest,
  SubmitJobRequest,
  TaskContainerProperties,
} from "@aws-sdk/client-batch";
import { requestViolations } from "./batch-model.ts";
import type { S3Address } from "./s3.ts";
import type { TestEngine } from "./test-engine.ts";

interface ServedJob {
  readonly id: string;
  readonly request: SubmitJobRequest;
  readonly containers: readonly TaskContainerProperties[];
  readonly volumes: readonly string[];
  status: string;
  statusReason: string;
  results: Map<string, { exitCode: number; reason?: string }>;
  running: string | undefined;
  ending: { readonly reason: string; readonly by: "user" | "service" } | undefined;
}

export interface BatchFaults {
  /** So many jobs are made without an answer. */
  lostAnswers: number;
  /** So many requests are answered with TooManyRequestsException. */
  throttled: number;
  /** Lists name no job, as where they are made from a copy that is late. */
  lateLists: boolean;
  /** New jobs wait until it is false, for this reason. */
  holds: string | undefined;
  /** Tasks get a network, and the credentials of the job's role, as they do from ECS. */
  roleForTasks: boolean;
  /** More mounts of tasks: what their image would hold. */
  mounts: readonly string[];
  /** Memory of the task's container, in bytes, that the engine really grants. */
  memoryBytes: number | undefined;
}

const noFaults: BatchFaults = {
  lostAnswers: 0,
  throttled: 0,
  lateLists: false,
  holds: undefined,
  roleForTasks: false,
  mounts: [],
  memoryBytes: undefined,
};

export const testQueue = "memoir-tests";

export class BatchServer {
  readonly faults: BatchFaults = { ...noFaults };
  readonly violations: string[] = [];
  readonly requests: string[] = [];
  queue = { state: "ENABLED", status: "VALID" };
  readonly #engine: TestEngine;
  readonly #s3: S3Address;
  readonly #folder = mkdtempSync(join(tmpdir(), "memoir-test-batch-"));
  readonly #definitions = new Map<string, RegisterJobDefinitionRequest>();
  readonly #jobs = new Map<string, ServedJob>();
  readonly #forgotten: ServedJob[] = [];
  readonly #going = new Set<Promise<void>>();
  #server: Server | undefined;
  #serial = 0;

  constructor(parts: { engine: TestEngine; s3: S3Address }) {
    this.#engine = parts.engine;
    this.#s3 = parts.s3;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        response.writeHead(500, { "x-amzn-errortype": "ServerException" });
        response.end(JSON.stringify({ message: String(error) }));
      });
    });
    this.#server = server;
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  }

  get url(): string {
    if (this.#server === undefined) throw new Error("the service was not started");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get definitions(): number {
    return this.#definitions.size;
  }

  get jobs(): readonly Pick<ServedJob, "id">[] {
    return [...this.#jobs.values()];
  }

  jobsOf(attemptId: string): readonly Pick<ServedJob, "id" | "status" | "request">[] {
    return [...this.#jobs.values()].filter(({ request }) => request.tags?.["memoir.attempt"] === attemptId);
  }

  /** Where this machine sees the task root of a job. */
  inside(id: string): string {
    return join(this.#folder, id, "volume-0");
  }

  behave(): void {
    Object.assign(this.faults, noFaults);
    this.queue = { state: "ENABLED", status: "VALID" };
  }

  /** It continues all the same. */
  forget(id: string): void {
    const job = this.#jobs.get(id);
    if (job !== undefined) this.#forgotten.push(job);
    this.#jobs.delete(id);
  }

  /** Ends a job as the service does it by itself. */
  async end(id: string, reason: string): Promise<void> {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new Error(`there is no job ${id}`);
    job.ending = { reason, by: "service" };
    await this.#kill(job);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#going);
  }

  async stop(): Promise<void> {
    for (const job of [...this.#jobs.values(), ...this.#forgotten]) {
      job.ending ??= { reason: "the service ends", by: "service" };
      await this.#kill(job);
    }
    await this.settled();
    this.#server?.closeAllConnections();
    await new Promise((done) => this.#server?.close(done));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 20 });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as never;
    const operation = operations[request.url ?? ""];
    const send = (status: number, value: unknown, error?: string) => {
      const headers = {
        "content-type": "application/json",
        ...(error === undefined ? {} : { "x-amzn-errortype": error }),
      };
      response.writeHead(status, headers);
      response.end(JSON.stringify(value));
    };
    const refuse = (message: string) => send(400, { message }, "ClientException");
    this.requests.push(operation ?? String(request.url));
    if (!request.headers.authorization?.includes("/batch/aws4_request"))
      this.violations.push("an unsigned request");
    if (operation === undefined) return refuse(`unknown path ${request.url}`);
    if (this.faults.throttled > 0) {
      this.faults.throttled--;
      return send(429, { message: "Too Many Requests" }, "TooManyRequestsException");
    }
    const wrong = requestViolations(operation, body);
    if (wrong.length > 0) {
      this.violations.push(...wrong);
      return refuse(wrong.join("; "));
    }
    switch (operation) {
      case "DescribeJobQueues": {
        const { jobQueues = [] } = body as { jobQueues?: string[] };
        const found = jobQueues.includes(testQueue) ? [{ jobQueueName: testQueue, ...this.queue }] : [];
        return send(200, { jobQueues: found });
      }
      case "DescribeJobDefinitions": {
        const { jobDefinitionName = "" } = body as { jobDefinitionName?: string };
        const has = this.#definitions.has(jobDefinitionName);
        return send(200, {
          jobDefinitions: has ? [{ jobDefinitionName, jobDefinitionArn: arnOf(jobDefinitionName) }] : [],
        });
      }
      case "RegisterJobDefinition": {
        const definition = body as RegisterJobDefinitionRequest;
        const name = definition.jobDefinitionName ?? "";
        this.#definitions.set(name, definition);
        return send(200, { jobDefinitionName: name, jobDefinitionArn: arnOf(name), revision: 1 });
      }
      case "SubmitJob": {
        const answer = this.#submit(body as SubmitJobRequest);
        if (typeof answer === "string") return refuse(answer);
        if (this.faults.lostAnswers > 0) {
          this.faults.lostAnswers--;
          response.destroy();
          return;
        }
        return send(200, { jobId: answer.id, jobName: answer.request.jobName });
      }
      case "ListJobs": {
        const { filters = [] } = body as { filters?: { values?: string[] }[] };
        const names = filters[0]?.values ?? [];
        const found = [...this.#jobs.values()].filter(({ request: { jobName = "" } }) =>
          names.includes(jobName),
        );
        return send(200, {
          jobSummaryList: this.faults.lateLists
            ? []
            : found.map(({ id, request: { jobName } }) => ({ jobId: id, jobName })),
        });
      }
      case "DescribeJobs": {
        const { jobs = [] } = body as { jobs?: string[] };
        if (jobs.length > 100) return refuse("more than 100 jobs");
        const found = jobs.flatMap((id) => this.#jobs.get(id) ?? []);
        return send(200, { jobs: found.map(shown) });
      }
      default: {
        const { jobId = "", reason = "" } = body as { jobId?: string; reason?: string };
        const job = this.#jobs.get(jobId);
        if (job !== undefined && job.status !== "SUCCEEDED" && job.status !== "FAILED") {
          job.ending ??= { reason, by: "user" };
          void this.#kill(job);
        }
        return send(200, {});
      }
    }
  }

  #submit(request: SubmitJobRequest): ServedJob | string {
    if (request.jobQueue !== testQueue) return `JobQueue ${request.jobQueue} does not exist`;
    if (this.queue.state !== "ENABLED") return `JobQueue ${testQueue} is disabled`;
    const definition = this.#definitions.get(
      String(request.jobDefinition).split("/").at(-1)?.split(":")[0] ?? "",
    );
    const task = definition?.ecsProperties?.taskProperties?.[0];
    if (task === undefined) return `JobDefinition ${request.jobDefinition} does not exist`;
    const id = `job-${this.#serial++}`;
    const overrides = request.ecsPropertiesOverride?.taskProperties?.[0]?.containers ?? [];
    const volumes = (task.volumes ?? []).map(({ name = "" }) => name);
    for (const name of volumes) mkdirSync(join(this.#folder, id, name), { recursive: true });
    const containers = (task.containers ?? []).map((container) => ({
      ...container,
      ...overrides.find(({ name }) => name === container.name),
    }));
    const job: ServedJob = {
      id,
      request,
      containers,
      volumes,
      status: "SUBMITTED",
      statusReason: "",
      results: new Map(),
      running: undefined,
      ending: undefined,
    };
    this.#jobs.set(id, job);
    const going = this.#run(job).finally(() => this.#going.delete(going));
    this.#going.add(going);
    return job;
  }

  async #run(job: ServedJob): Promise<void> {
    job.status = "RUNNABLE";
    while (this.faults.holds !== undefined && job.ending === undefined) {
      job.statusReason = this.faults.holds;
      await new Promise((done) => setTimeout(done, 20));
    }
    job.statusReason = "";
    job.status = "STARTING";
    let essential = 0;
    for (const container of job.containers) {
      if (job.ending !== undefined) break;
      const before = container.dependsOn?.[0];
      const needed = job.results.get(before?.containerName ?? "");
      if (before?.condition === "SUCCESS" && needed?.exitCode !== 0) {
        essential = 1;
        job.statusReason = "Dependent containers did not complete successfully";
        break;
      }
      job.status = "RUNNING";
      const result = await this.#runContainer(job, container);
      if (result === undefined) {
        essential = 1;
        break;
      }
      job.results.set(container.name ?? "", result);
      if (container.essential === true) essential = result.exitCode;
    }
    if (job.ending !== undefined) job.statusReason = job.ending.reason;
    else if (essential !== 0) job.statusReason ||= "Essential container in task exited";
    job.status = job.ending !== undefined || essential !== 0 ? "FAILED" : "SUCCEEDED";
  }

  async #runContainer(
    job: ServedJob,
    container: TaskContainerProperties,
  ): Promise<{ exitCode: number; reason?: string } | undefined> {
    const name = `memoir-batch-${process.pid}-${job.id}-${container.name}`;
    job.running = name;
    const isTask = container.name === "task";
    const hasRole = !isTask || this.faults.roleForTasks;
    const { accessKeyId, secretAccessKey } = this.#s3;
    // As the role of a job does it.
    const role = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const environment = (container.environment ?? []).map(({ name: key = "", value = "" }) => [key, value]);
    const memory = isTask ? this.faults.memoryBytes : undefined;
    const ran = await this.#podman([
      ...["run", "--rm", "--name", name, "--pull=missing", "--tls-verify=false", "--log-driver=none"],
      ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4000:4000"],
      ...(hasRole ? ["--network=host"] : ["--network=none"]),
      ...(isTask ? this.faults.mounts.flatMap((each) => ["-v", each]) : []),
      ...(memory === undefined ? [] : ["--memory", String(memory), "--memory-swap", String(memory)]),
      ...(container.user === undefined ? [] : ["--user", container.user]),
      ...(container.mountPoints ?? []).flatMap(({ sourceVolume = "", containerPath = "" }) => [
        "-v",
        `${join(this.#folder, job.id, sourceVolume)}:${containerPath}`,
      ]),
      ...[...environment, ...(hasRole ? Object.entries(role) : [])].flatMap(([key, value]) => [
        "-e",
        `${key}=${value}`,
      ]),
      container.image ?? "",
      ...(container.command ?? []),
    ]);
    job.running = undefined;
    if (ran.exitCode === 125 && job.ending === undefined) {
      job.statusReason = `CannotPullContainerError: ${ran.stderr.trim()}`;
      return undefined;
    }
    if (ran.exitCode === 137 && memory !== undefined)
      return { exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" };
    const said = ran.stderr.trim();
    return { exitCode: ran.exitCode, ...(said === "" || isTask ? {} : { reason: said.slice(-500) }) };
  }

  async #kill(job: ServedJob): Promise<void> {
    // It may be about to be made.
    while (job.running !== undefined) {
      await this.#podman(["rm", "--force", "--ignore", "--time=0", job.running]);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  #podman(args: readonly string[]): Promise<{ exitCode: number; stderr: string }> {
    const global = ["--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=file"];
    return new Promise((resolve) => {
      execFile(
        "podman",
        [...global, ...args],
        { env: this.#engine.env, cwd: dirname(this.#folder), maxBuffer: 64 << 20 },
        (error, _, stderr) => {
          const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : 125;
          resolve({ exitCode, stderr });
        },
      );
    });
  }
}

const operations: Readonly<Record<string, string>> = {
  "/v1/describejobqueues": "DescribeJobQueues",
  "/v1/describejobdefinitions": "DescribeJobDefinitions",
  "/v1/registerjobdefinition": "RegisterJobDefinition",
  "/v1/submitjob": "SubmitJob",
  "/v1/listjobs": "ListJobs",
  "/v1/describejobs": "DescribeJobs",
  "/v1/terminatejob": "TerminateJob",
};

function arnOf(name: string): string {
  return `arn:aws:batch:us-east-1:000000000000:job-definition/${name}:1`;
}

function shown({ id, request, status, statusReason, results, ending, containers }: ServedJob): JobDetail {
  const taskProperties = [
    {
      containers: containers.map(({ name = "" }) => ({ name, ...results.get(name) })),
    },
  ];
  return {
    jobId: id,
    jobName: request.jobName,
    jobQueue: request.jobQueue,
    jobDefinition: request.jobDefinition,
    startedAt: 0,
    status: status as JobDetail["status"] & string,
    statusReason,
    tags: request.tags ?? {},
    isTerminated: ending?.by === "user",
    attempts: results.size === 0 ? [] : [{ taskProperties }],
  };
}
