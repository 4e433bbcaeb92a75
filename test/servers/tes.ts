/**
 * A TES service for tests: it runs the containers of the tasks that it is given on a real engine, brings inputs from and
 * outputs to a real S3 server, checks every request against the specification, and misbehaves when a test asks for it.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { appendFile, mkdir, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import type { TesTaskDocument } from "../../src/exec/remote/tes-task.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { createS3Store, parseS3Uri } from "../../src/store/objects/index.ts";
import type { S3Address } from "./s3.ts";
import { queryViolations, taskSchema } from "./tes-schema.ts";
import type { TestEngine } from "./test-engine.ts";

type View = "MINIMAL" | "BASIC" | "FULL";

interface ServedTask {
  readonly id: string;
  readonly document: TesTaskDocument;
  readonly folder: string;
  readonly created: Date;
  state: string;
  logs: { exit_code: number; stdout: string; stderr: string }[];
  systemLogs: string[];
  container: string | undefined;
  /** The state that it ends in, whatever its executors do. */
  ending: string | undefined;
}

/** What goes wrong, until it is set back. */
export interface TesFaults {
  /** So many tasks are created without an answer. */
  lostAnswers: number;
  /** So many requests are answered that the server is busy. */
  busyAnswers: number;
  /** Lists name no task, as where they are made from a copy that is late. */
  lateLists: boolean;
  /** Lists name all tasks, as where the server knows no tags. */
  knowsNoTags: boolean;
  /** Ends at the first executor that fails. */
  ignoresIgnoreError: boolean;
  /** More mounts of tasks: what their image would hold. */
  mounts: readonly string[];
  /** An input whose content is this gets other bytes on its way. */
  spoiledInput: string | undefined;
  /** So many objects of outputs are not uploaded. */
  lostOutputs: number;
  /** Answers 409 when a task that has ended is cancelled. */
  conflicts: boolean;
  /** Most memory that a task can have, in GB. */
  mostMemory: number;
  /** New tasks wait until it is false. */
  holds: boolean;
}

const noFaults: TesFaults = {
  lostAnswers: 0,
  busyAnswers: 0,
  lateLists: false,
  knowsNoTags: false,
  ignoresIgnoreError: false,
  mounts: [],
  spoiledInput: undefined,
  lostOutputs: 0,
  conflicts: false,
  mostMemory: 1_000,
  holds: false,
};

const going = ["QUEUED", "INITIALIZING", "RUNNING", "PAUSED", "CANCELING"];

export class TesServer {
  readonly faults: TesFaults = { ...noFaults };
  /** Of all requests so far. */
  readonly violations: string[] = [];
  /** `GET /tasks`. */
  readonly requests: string[] = [];
  readonly #engine: TestEngine;
  readonly #s3: S3Address;
  readonly #folder = mkdtempSync(join(tmpdir(), "memoir-test-tes-"));
  readonly #tasks = new Map<string, ServedTask>();
  readonly #forgotten: ServedTask[] = [];
  readonly #running = new Set<Promise<void>>();
  #server: Server | undefined;
  #serial = 0;
  readonly #credentials: string | undefined;

  constructor(parts: { engine: TestEngine; s3: S3Address; token?: string }) {
    this.#engine = parts.engine;
    this.#s3 = parts.s3;
    this.#credentials = parts.token === undefined ? undefined : `Bearer ${parts.token}`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        response.writeHead(500);
        response.end(JSON.stringify({ msg: String(error) }));
      });
    });
    this.#server = server;
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  }

  get url(): string {
    if (this.#server === undefined) throw new Error("the service was not started");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get tasks(): readonly Pick<ServedTask, "id" | "state" | "document">[] {
    return [...this.#tasks.values()];
  }

  tasksOf(attemptId: string) {
    return this.tasks.filter(({ document }) => document.tags["memoir.attempt"] === attemptId);
  }

  behave(): void {
    Object.assign(this.faults, noFaults);
  }

  /** Where this machine sees the task root of a task. */
  inside(id: string): string {
    const task = this.#tasks.get(id);
    if (task === undefined) throw new Error(`there is no task ${id}`);
    return volumeOf(task, 0);
  }

  /** Once nothing runs any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** It continues all the same. */
  forget(id: string): void {
    const task = this.#tasks.get(id);
    if (task !== undefined) this.#forgotten.push(task);
    this.#tasks.delete(id);
  }

  /** Ends a task as the service does it by itself. */
  async end(id: string, state: "PREEMPTED" | "SYSTEM_ERROR" | "CANCELED", words = ""): Promise<void> {
    const task = this.#tasks.get(id);
    if (task === undefined) throw new Error(`there is no task ${id}`);
    task.ending = state;
    if (words !== "") task.systemLogs.push(words);
    await this.#kill(task);
  }

  async stop(): Promise<void> {
    for (const task of [...this.#tasks.values(), ...this.#forgotten]) {
      task.ending ??= "CANCELED";
      await this.#kill(task);
    }
    this.faults.holds = false;
    await Promise.all(this.#running);
    this.#server?.closeAllConnections();
    await new Promise((done) => this.#server?.close(done));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 20 });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const body = await bodyOf(request);
    const path = url.pathname.replace("/ga4gh/tes/v1", "");
    this.requests.push(`${request.method} ${path}`);
    const send = (status: number, value: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (this.#credentials !== undefined && request.headers.authorization !== this.#credentials)
      return send(401, { msg: "who are you?" });
    if (this.faults.busyAnswers > 0) {
      this.faults.busyAnswers--;
      return send(429, { msg: "Too many requests" });
    }
    if (!url.pathname.startsWith("/ga4gh/tes/v1/")) return send(404, { msg: "not found" });
    if (request.method === "GET") this.violations.push(...queryViolations(url.searchParams));
    if (path === "/service-info") return send(200, serviceInfo);
    if (path === "/tasks" && request.method === "POST") return this.#create(JSON.parse(body), response, send);
    if (path === "/tasks") return send(200, this.#list(url.searchParams));
    const [, id = "", action] = /^\/tasks\/([^/:]+)(:cancel)?$/.exec(path) ?? [];
    const task = this.#tasks.get(decodeURIComponent(id));
    if (task === undefined) return send(404, { msg: "task not found" });
    if (action === undefined)
      return send(200, shown(task, (url.searchParams.get("view") ?? "MINIMAL") as View));
    if (!going.includes(task.state))
      return this.faults.conflicts ? send(409, { msg: "it has ended" }) : send(200, {});
    task.ending ??= "CANCELED";
    task.state = "CANCELING";
    send(200, {});
    await this.#kill(task);
  }

  #create(raw: unknown, response: ServerResponse, send: (status: number, value: unknown) => void): void {
    const violations = taskSchema(raw, "task");
    if (violations.length > 0) {
      this.violations.push(...violations);
      send(400, { msg: violations.join("; ") });
      return;
    }
    const document = raw as TesTaskDocument;
    const { mostMemory } = this.faults;
    if ((document.resources.ram_gb ?? 0) > mostMemory) {
      send(400, { msg: `ram_gb: no machine has more than ${mostMemory} GB` });
      return;
    }
    const id = `task-${this.#serial++}`;
    const folder = join(this.#folder, id);
    for (const [i] of document.volumes.entries()) mkdirSync(join(folder, `volume-${i}`), { recursive: true });
    const task: ServedTask = {
      id,
      document,
      folder,
      created: new Date(),
      state: "QUEUED",
      logs: [],
      systemLogs: [],
      container: undefined,
      ending: undefined,
    };
    this.#tasks.set(id, task);
    const running = this.#run(task).finally(() => this.#running.delete(running));
    this.#running.add(running);
    if (this.faults.lostAnswers > 0) {
      this.faults.lostAnswers--;
      response.destroy();
      return;
    }
    send(200, { id });
  }

  #list(query: URLSearchParams): unknown {
    if (this.faults.lateLists) return { tasks: [] };
    const [key, value, size] = [
      query.get("tag_key"),
      query.get("tag_value"),
      Number(query.get("page_size") ?? 256),
    ];
    const all = [...this.#tasks.values()].filter(
      ({ document }) => this.faults.knowsNoTags || key === null || document.tags[key] === value,
    );
    const from = Number(query.get("page_token") ?? 0);
    const page = all.slice(from, from + size);
    const view = (query.get("view") ?? "MINIMAL") as View;
    const next = from + size < all.length ? { next_page_token: String(from + size) } : {};
    return { tasks: page.map((task) => shown(task, view)), ...next };
  }

  async #run(task: ServedTask): Promise<void> {
    try {
      while (this.faults.holds && task.ending === undefined)
        await new Promise((done) => setTimeout(done, 20));
      if (task.ending === undefined) {
        task.state = "INITIALIZING";
        await this.#bringInputs(task);
      }
      if (task.ending === undefined) task.state = "RUNNING";
      const failed = await this.#execute(task);
      if (task.ending === undefined && !failed) await this.#takeOutputs(task);
      task.state = task.ending ?? (failed ? "EXECUTOR_ERROR" : "COMPLETE");
    } catch (error) {
      task.systemLogs.push(String(error));
      task.state = task.ending ?? "SYSTEM_ERROR";
    }
  }

  /** Whether an executor failed that may not. */
  async #execute(task: ServedTask): Promise<boolean> {
    const { document } = task;
    for (const [i, executor] of document.executors.entries()) {
      if (task.ending !== undefined) return false;
      const name = `memoir-tes-${process.pid}-${task.id}-${i}`;
      task.container = name;
      const mounts = [
        ...document.volumes.map((path, at) => `${volumeOf(task, at)}:${path}`),
        ...document.inputs.map(({ path }, at) => `${inputOf(task, at)}:${path}:ro`),
      ];
      const ran = await this.#podman([
        ...[
          "run",
          "--rm",
          "--name",
          name,
          "--network=none",
          "--pull=missing",
          "--tls-verify=false",
          "--log-driver=none",
        ],
        ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4000:4000"],
        ...[...mounts, ...(executor.ignore_error === true ? this.faults.mounts : [])].flatMap((mount) => [
          "-v",
          mount,
        ]),
        ...Object.entries(executor.env ?? {}).flatMap(([key, value]) => ["-e", `${key}=${value}`]),
        executor.image,
        ...executor.command,
      ]);
      task.container = undefined;
      task.logs.push({
        exit_code: ran.exitCode,
        stdout: ran.stdout.slice(-1_000),
        stderr: ran.stderr.slice(-1_000),
      });
      // 125: the engine could not make the container.
      if (ran.exitCode === 125 && task.ending === undefined) throw new Error(ran.stderr.trim());
      const mayFail = executor.ignore_error === true && !this.faults.ignoresIgnoreError;
      if (ran.exitCode !== 0 && !mayFail) return true;
    }
    return false;
  }

  async #bringInputs(task: ServedTask): Promise<void> {
    await mkdir(join(task.folder, "inputs"), { recursive: true });
    for (const [i, { url }] of task.document.inputs.entries()) {
      const { bucket, key } = parseS3Uri(url);
      const to = inputOf(task, i);
      await this.#store(bucket).fetchFile(key, to, {}, freshAsk());
      if (this.faults.spoiledInput !== undefined && url.endsWith(this.faults.spoiledInput))
        await appendFile(to, "x");
    }
  }

  async #takeOutputs(task: ServedTask): Promise<void> {
    for (const { url, path } of task.document.outputs) {
      const at = task.document.volumes.findIndex((volume) => path.startsWith(`${volume}/`));
      const root = volumeOf(task, at) + path.slice(task.document.volumes[at]?.length);
      const { bucket, key } = parseS3Uri(url);
      const store = this.#store(bucket);
      const names = await readdir(root, { recursive: true, withFileTypes: true });
      // What is made last is uploaded first: nobody may rely on an order.
      for (const entry of names.filter((each) => each.isFile()).reverse()) {
        const from = join(entry.parentPath, entry.name);
        if (this.faults.lostOutputs > 0 && !from.endsWith("/listing")) {
          this.faults.lostOutputs--;
          continue;
        }
        await store.putFile(`${key}/${relative(root, from)}`, from, freshAsk());
      }
    }
  }

  #store(bucket: string) {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#s3;
    const credentials = { accessKeyId, secretAccessKey };
    return createS3Store({ endpoint, region, credentials, bucket, names: "any" });
  }

  async #kill(task: ServedTask): Promise<void> {
    // It may be about to be made.
    while (task.container !== undefined) {
      const { container } = task;
      await this.#podman(["rm", "--force", "--ignore", "--time=0", container]);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  #podman(args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const global = ["--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=file"];
    return new Promise((resolve) => {
      execFile(
        "podman",
        [...global, ...args],
        { env: this.#engine.env, cwd: dirname(this.#folder), maxBuffer: 64 << 20 },
        (error, stdout, stderr) => {
          const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : 125;
          resolve({ exitCode, stdout, stderr });
        },
      );
    });
  }
}

const serviceInfo = {
  id: "memoir.test.tes",
  name: "TES for Memoir's tests",
  type: { group: "org.ga4gh", artifact: "tes", version: "1.1.0" },
  organization: { name: "Memoir", url: "https://example.org" },
  version: "1",
  storage: ["s3://"],
};

function shown(task: ServedTask, view: View): unknown {
  const { id, state, document, logs, systemLogs } = task;
  if (view === "MINIMAL") return { id, state };
  const isFull = view === "FULL";
  const now = task.created.toISOString();
  const log = {
    logs: logs.map(({ exit_code, stdout, stderr }) => ({
      exit_code,
      start_time: now,
      ...(isFull ? { stdout, stderr } : {}),
    })),
    ...(isFull ? { system_logs: systemLogs } : {}),
    // Some servers say a number here.
    outputs: document.outputs.map(({ url, path }) => ({ url, path, size_bytes: isFull ? "0" : 0 })),
  };
  // An earlier try of the server, of which nothing counts.
  const earlier = { logs: [{ exit_code: 99 }], outputs: [] };
  return { id, state, ...document, creation_time: now, logs: logs.length === 0 ? [] : [earlier, log] };
}

function volumeOf({ folder }: ServedTask, at: number): string {
  return join(folder, `volume-${at}`);
}

function inputOf({ folder }: ServedTask, at: number): string {
  return join(folder, "inputs", String(at));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
