/**
 * The server of a model inside a container of Docker or Podman. It is started without a network: Memoir enters the
 * container's network namespace with a relay, so that nobody else reaches the server. Only root may enter; for others a
 * port on the loopback address is published.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, type Ask, checkAsk, systemErrorCode } from "../../kernel/index.ts";
import {
  type Conversation,
  describeOutcome,
  isOwner,
  lifeOf,
  runProgram,
  startConversation,
  thisOwner,
} from "../../process/index.ts";

export interface ModelImage {
  /** `ersiliaos/eos3b5e:latest`, as the user named it. */
  readonly image: string;
  /** Digest of the image's configuration: what is run, whatever the name means later. */
  readonly digest: string;
  readonly engine: Engine;
  readonly memoryBytes?: number;
  readonly cpus?: number;
}

type Engine = "docker" | "podman";

interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly tempDir?: string;
  /** The file of the session that the container belongs to; undefined = it belongs to this process. */
  readonly sessionFile?: string;
}

/** Where ersilia-pack's server listens in its images. */
const port = 80;
const ownerLabel = "memoir.model-owner";
const sessionLabel = "memoir.model-session";
const commandMs = 120_000;
const pullMs = 3_600_000;

/**
 * The image of this name, pulled where it is not here.
 * @throws AppError EXEC_ENGINE_NOT_FOUND, MODEL_IMAGE_MISSING
 */
export async function findImage(
  image: string,
  { env }: Place,
  ask: Ask,
): Promise<Pick<ModelImage, "engine" | "digest">> {
  const engines: Engine[] = [];
  for (const engine of ["docker", "podman"] as const) {
    const version = await command(engine, ["version"], env, ask);
    if (version.code !== 0) continue;
    engines.push(engine);
    for (const name of namesOf(engine, image)) {
      const digest = await digestOf(engine, name, env, ask);
      if (digest !== undefined) return { engine, digest };
    }
  }
  const [first] = engines;
  if (first === undefined)
    throw new AppError(
      "EXEC_ENGINE_NOT_FOUND",
      `fetching the image ${image}: neither docker nor podman answers (docker version, podman version)`,
    );
  const words: string[] = [];
  for (const engine of engines) {
    for (const name of namesOf(engine, image)) {
      const pulled = await command(engine, ["pull", "--quiet", name], env, ask, pullMs);
      const digest = pulled.code === 0 ? await digestOf(engine, name, env, ask) : undefined;
      if (digest !== undefined) return { engine, digest };
      words.push(`${engine}: ${pulled.words}`);
    }
  }
  throw new AppError("MODEL_IMAGE_MISSING", `fetching the image ${image}: ${words.join("; ")}`);
}

/**
 * Docker looks for a name without a registry on Docker Hub. Podman looks for it in the registries of its configuration,
 * which names none as Debian installs it; what the user configured comes first.
 */
function namesOf(engine: Engine, image: string): readonly string[] {
  const [first = "", ...rest] = image.split("/");
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  if (engine === "docker" || hasRegistry || /^(sha256:)?[0-9a-f]{64}$/.test(image)) return [image];
  return [image, `docker.io/${rest.length === 0 ? "library/" : ""}${image}`];
}

async function digestOf(
  engine: Engine,
  image: string,
  env: Place["env"],
  ask: Ask,
): Promise<string | undefined> {
  const found = await command(engine, ["image", "inspect", "--format", "{{.Id}}", image], env, ask);
  const [digest] = /[0-9a-f]{64}/.exec(found.out) ?? [];
  return found.code === 0 ? digest : undefined;
}

/** A running container with the way to its server. */
export class ModelContainer {
  readonly #image: ModelImage;
  readonly #place: Place;
  readonly name: string;
  readonly #isShared: boolean;
  #folder: string | undefined;
  #relay: Conversation | undefined;
  #front: Server | undefined;
  readonly #sockets = new Set<Socket>();
  #started = false;

  /** `running`: the name of a session's container, which is used and left running. */
  constructor(image: ModelImage, place: Place & { readonly running?: string }) {
    this.#image = image;
    this.#place = place;
    this.#isShared = place.running !== undefined;
    this.name = place.running ?? `memoir-model-${randomUUID()}`;
  }

  /** The URL of the server of a running container of this image; undefined = there is none of that name any more. */
  async attach(ask: Ask): Promise<string | undefined> {
    const { digest, engine } = this.#image;
    const words = ["inspect", "--format", "{{.State.Running}} {{.Image}}", this.name];
    const found = await command(engine, words, this.#place.env, ask);
    const [, now] = /^true (?:sha256:)?([0-9a-f]{64})\s*$/.exec(found.out) ?? [];
    if (found.code !== 0 || now !== digest) return undefined;
    return entersNetwork() ? await this.#relayed(ask) : await this.#published(ask);
  }

  /** Lets go of it while it runs. */
  async leave(): Promise<void> {
    this.#front?.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#relay?.close();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  /** Starts it; answers the URL of its server, which may not be ready yet. @throws MODEL_IMAGE_MISSING, MODEL_CONTAINER_FAILED */
  async start(ask: Ask): Promise<string> {
    const { image, digest, engine, memoryBytes, cpus } = this.#image;
    const { env } = this.#place;
    await removeAbandoned(engine, env, ask);
    if ((await digestOf(engine, digest, env, ask)) === undefined)
      throw new AppError(
        "MODEL_IMAGE_MISSING",
        `starting the image ${image}: ${engine} does not have sha256:${digest.slice(0, 12)} any more`,
      );
    const { sessionFile } = this.#place;
    const words = [
      ...["run", "--detach", "--name", this.name, "--label", `${ownerLabel}=${JSON.stringify(thisOwner())}`],
      ...(sessionFile === undefined
        ? []
        : ["--label", `${sessionLabel}=${JSON.stringify({ host: hostname(), file: sessionFile })}`]),
      ...(entersNetwork() ? ["--network", "none"] : ["--publish", `127.0.0.1::${port}`]),
      ...["--cap-drop", "all", "--cap-add", "NET_BIND_SERVICE", "--security-opt", "no-new-privileges"],
      ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"],
      // It is removed at once: a server that nobody asks any more has nothing to finish.
      ...["--stop-timeout", "0"],
      ...(memoryBytes === undefined ? [] : ["--memory", String(memoryBytes)]),
      ...(cpus === undefined ? [] : ["--cpus", String(cpus)]),
      digest,
    ];
    this.#started = true;
    const started = await command(engine, words, env, ask);
    if (started.code !== 0)
      throw new AppError(
        "MODEL_CONTAINER_FAILED",
        `starting the image ${image}: ${engine}: ${started.words}`,
      );
    return entersNetwork() ? await this.#relayed(ask) : await this.#published(ask);
  }

  async isRunning(ask: Ask): Promise<boolean> {
    const words = ["inspect", "--format", "{{.State.Running}}", this.name];
    return (await command(this.#image.engine, words, this.#place.env, ask)).out.trim() === "true";
  }

  /** What it said last, for messages about a server that does not answer. */
  async lastWords(ask: Ask): Promise<string> {
    const { engine } = this.#image;
    const { env } = this.#place;
    const state = await command(
      engine,
      ["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", this.name],
      env,
      ask,
    );
    const logs = await command(engine, ["logs", "--tail", "5", this.name], env, ask);
    return `container ${state.out.trim() || "unknown"}${logs.words === "" ? "" : `; it said: ${logs.words}`}`;
  }

  async close(ask: Ask): Promise<void> {
    const { engine } = this.#image;
    await this.leave();
    if (this.#started && !this.#isShared)
      await removeContainer({ name: this.name, engine }, this.#place.env, ask);
  }

  async #published(ask: Ask): Promise<string> {
    const { engine, image } = this.#image;
    const said = await command(engine, ["port", this.name, `${port}/tcp`], this.#place.env, ask);
    const [, published] = /:(\d+)\s*$/m.exec(said.out) ?? [];
    if (published !== undefined) return `http://127.0.0.1:${published}`;
    throw new AppError(
      "MODEL_CONTAINER_FAILED",
      `starting the image ${image}: ${engine} published no port: ${said.words}`,
    );
  }

  async #relayed(ask: Ask): Promise<string> {
    const { engine, image } = this.#image;
    const { env, tempDir } = this.#place;
    const found = await command(engine, ["inspect", "--format", "{{.State.Pid}}", this.name], env, ask);
    const pid = found.out.trim();
    if (!/^[1-9]\d*$/.test(pid))
      throw new AppError(
        "MODEL_CONTAINER_FAILED",
        `starting the image ${image}: ${await this.lastWords(ask)}`,
      );
    const folder = await mkdtemp(join(tempDir ?? tmpdir(), "memoir-relay-"));
    this.#folder = folder;
    const path = join(folder, "socket");
    const ready = new Promise<void>((resolve, reject) => {
      startConversation({
        command: "nsenter",
        args: ["--target", pid, "--net", "--", process.execPath, "-e", relayText, path],
        ...{ cwd: folder, env, mostLineBytes: 1 << 16 },
        onLine: () => resolve(),
        onEnd: ({ how, errors }) =>
          reject(
            new AppError(
              "MODEL_CONTAINER_FAILED",
              `reaching the image ${image}: nsenter ended: ${how} ${errors.trim().split("\n")[0] ?? ""}`,
            ),
          ),
      }).then((relay) => {
        this.#relay = relay;
      }, reject);
    });
    await ready;
    const front = createServer((socket) => this.#pass(socket, path));
    this.#front = front;
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    const address = front.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  #pass(socket: Socket, path: string): void {
    const other = connect(path);
    for (const [one, two] of [
      [socket, other],
      [other, socket],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => two.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        two.destroy();
      });
      one.pipe(two);
    }
  }
}

/** Runs inside the container's network, with this machine's files: from a socket that is a file to the server's port. */
const relayText = `
const { connect, createServer } = require("node:net");
createServer((socket) => {
  const other = connect(${port}, "127.0.0.1");
  for (const [one, two] of [[socket, other], [other, socket]]) {
    one.on("error", () => two.destroy());
    one.on("close", () => two.destroy());
    one.pipe(two);
  }
}).listen(process.argv[1], () => console.log("ready"));
`;

export function entersNetwork(): boolean {
  return process.getuid?.() === 0;
}

/** Also where it was removed before. */
export async function removeContainer(
  { name, engine }: { readonly name: string; readonly engine: Engine },
  env: Place["env"],
  ask: Ask,
): Promise<void> {
  await command(engine, ["rm", "--force", "--volumes", name], env, ask);
}

/** Containers whose Memoir was killed. */
async function removeAbandoned(engine: Engine, env: Place["env"], ask: Ask): Promise<void> {
  const format = `{{.Names}}\t{{.Label "${ownerLabel}"}}\t{{.Label "${sessionLabel}"}}`;
  const words = ["ps", "--all", "--filter", `label=${ownerLabel}`, "--format", format];
  const { out } = await command(engine, words, env, ask);
  for (const line of out.split("\n")) {
    const [name = "", label = "", session = ""] = line.split("\t");
    if (name === "" || !isAbandoned(label) || (await isOfSession(name, session))) continue;
    await removeContainer({ name, engine }, env, ask);
  }
}

function isAbandoned(label: string): boolean {
  try {
    const owner: unknown = JSON.parse(label);
    return isOwner(owner) && lifeOf(owner) === "dead";
  } catch {
    return false;
  }
}

/** Whether an open session uses it, or may: its file cannot be read, or is on another machine. */
async function isOfSession(container: string, label: string): Promise<boolean> {
  if (label === "" || label === "<no value>") return false;
  try {
    const { host, file } = JSON.parse(label) as { readonly host?: unknown; readonly file?: unknown };
    if (host !== hostname() || typeof file !== "string") return true;
    return (await readFile(file, "utf8")).includes(container);
  } catch (error) {
    return systemErrorCode(error) !== "ENOENT";
  }
}

async function command(
  engine: Engine,
  args: readonly string[],
  env: Place["env"],
  ask: Ask,
  timeoutMs = commandMs,
): Promise<{ readonly code: number; readonly out: string; readonly words: string }> {
  const outcome = await runProgram({ command: engine, args, cwd: "/", env, timeoutMs }, ask);
  checkAsk(ask, `asking ${engine}`);
  const said = (outcome.stderr.trim() || outcome.stdout.trim()).split("\n").slice(-3).join(" ");
  const code = outcome.kind === "exited" ? outcome.exitCode : 125;
  return { code, out: outcome.stdout, words: code === 0 ? said : said || describeOutcome(outcome) };
}
