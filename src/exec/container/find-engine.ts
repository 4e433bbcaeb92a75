/**
 * Finds the container engine: what the user named (DOCKER_HOST, CONTAINER_HOST, a context of Docker), else the usual
 * sockets of Docker, then those of Podman, then the podman program itself.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type Ask, isAppError, messageOf, withTimeout } from "../../kernel/index.ts";
import { findProgram } from "../../process/index.ts";
import { asList, asObject, asText, parseJson } from "../images/index.ts";
import { openDocker } from "./docker-engine.ts";
import type { ContainerEngine } from "./engine.ts";
import { expectOk, type Send } from "./engine-api.ts";
import { openPodman, type ProcessLimits } from "./podman-engine.ts";
import { PodmanService } from "./podman-service.ts";
import { SocketHttp } from "./socket-http.ts";

export interface EngineChoice {
  /** Only this one is taken; default: the first that answers. */
  readonly engine?: "docker" | "podman";
  /** DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, CONTAINER_HOST, XDG_RUNTIME_DIR and PATH are looked at. */
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
}

const probeLimitMs = 10_000;
/** Of the service that is started for this run: on a busy machine it takes its time. */
const startLimitMs = 60_000;

type Candidate =
  | { readonly kind: "socket"; readonly path: string; readonly from: string }
  | { readonly kind: "program"; readonly path: string }
  | { readonly kind: "unusable"; readonly words: string };

/** @throws AppError EXEC_ENGINE_NOT_FOUND that lists what was tried. */
export async function findEngine(choice: EngineChoice, ask: Ask): Promise<ContainerEngine> {
  const limits = await processLimits();
  const tried: string[] = [];
  for (const candidate of await candidates(choice)) {
    if (candidate.kind === "unusable") {
      tried.push(candidate.words);
      continue;
    }
    try {
      const engine = await tryCandidate(candidate, choice, limits, ask);
      if (typeof engine !== "string") return engine;
      tried.push(engine);
    } catch (error) {
      if (!isAppError(error, "EXEC_ENGINE_FAILED")) throw error;
      tried.push(messageOf(error));
    }
  }
  const wanted = choice.engine ?? "docker or podman";
  throw new AppError(
    "EXEC_ENGINE_NOT_FOUND",
    `looking for a container engine (${wanted}); tried:\n${tried.map((line) => `  ${line}`).join("\n")}`,
  );
}

async function candidates(choice: EngineChoice): Promise<readonly Candidate[]> {
  const { env, home, engine } = choice;
  const named = namedHosts(choice);
  if (named.length > 0) return named;
  const runtime = env["XDG_RUNTIME_DIR"];
  const socket = (path: string, from = "usual place"): Candidate => ({ kind: "socket", path, from });
  const context = await contextHost(choice);
  const docker = [
    socket("/var/run/docker.sock"),
    ...(runtime === undefined ? [] : [socket(join(runtime, "docker.sock"))]),
    socket(join(home, ".docker/run/docker.sock")),
    socket(join(home, ".colima/default/docker.sock")),
    socket(join(home, ".rd/docker.sock")),
  ];
  const program = await findProgram("podman", env, "/");
  const podman = [
    ...(runtime === undefined ? [] : [socket(join(runtime, "podman/podman.sock"))]),
    socket("/run/podman/podman.sock"),
    program === undefined
      ? ({ kind: "unusable", words: "podman: no such program on PATH" } as const)
      : ({ kind: "program", path: program } as const),
  ];
  // A context that was chosen by name is meant: Docker's usual places would be another engine.
  const dockers = context.length > 0 ? context : docker;
  return [...(engine === "podman" ? [] : dockers), ...(engine === "docker" ? [] : podman)];
}

/** Addresses in the environment; when there is one, nothing else is tried. */
function namedHosts({ env, engine }: EngineChoice): readonly Candidate[] {
  const variables = [
    ...(engine === "podman" ? [] : ["DOCKER_HOST"]),
    ...(engine === "docker" ? [] : ["CONTAINER_HOST"]),
  ];
  return variables
    .filter((name) => env[name] !== undefined && env[name] !== "")
    .map((name) => hostCandidate(env[name] ?? "", name));
}

function hostCandidate(host: string, from: string): Candidate {
  if (host.startsWith("unix://")) return { kind: "socket", path: host.slice("unix://".length), from };
  return {
    kind: "unusable",
    words: `${from}=${host}: not a Unix socket (tasks need local files, so the engine must run on this machine)`,
  };
}

/** The host of Docker's current context, unless it is the default one. */
async function contextHost({ env, home }: EngineChoice): Promise<readonly Candidate[]> {
  const folder = env["DOCKER_CONFIG"] ?? join(home, ".docker");
  const read = async (path: string) => asObject(parseJson(await readFile(path, "utf8").catch(() => "")));
  const name =
    env["DOCKER_CONTEXT"] ?? asText((await read(join(folder, "config.json")))["currentContext"]) ?? "";
  if (name === "" || name === "default") return [];
  const id = createHash("sha256").update(name).digest("hex");
  const meta = await read(join(folder, "contexts/meta", id, "meta.json"));
  const host = asText(asObject(asObject(meta["Endpoints"])["docker"])["Host"]);
  return host === undefined ? [] : [hostCandidate(host, `docker context ${name}`)];
}

/** The engine, or the words that say why it is not the one. */
async function tryCandidate(
  candidate: Exclude<Candidate, { kind: "unusable" }>,
  choice: EngineChoice,
  limits: ProcessLimits,
  ask: Ask,
): Promise<ContainerEngine | string> {
  const { send, close } =
    candidate.kind === "socket" ? direct(candidate.path) : served(candidate.path, choice);
  try {
    const kind = await engineKind(send, candidate.kind === "program" ? startLimitMs : probeLimitMs, ask);
    if (choice.engine !== undefined && kind !== choice.engine) {
      await close();
      return `${candidate.path}: answers, but is ${kind}`;
    }
    return kind === "docker"
      ? await openDocker(send, close, ask)
      : await openPodman(send, limits, close, ask);
  } catch (error) {
    await close();
    throw error;
  }
}

async function engineKind(send: Send, limitMs: number, ask: Ask): Promise<"docker" | "podman"> {
  const { ask: probe, done } = withTimeout(ask, limitMs);
  try {
    const answer = await send({ method: "GET", path: "/version" }, probe);
    const version = asObject(expectOk(answer, "asking for the version"));
    const names = asList(version["Components"]).map((component) => asText(asObject(component)["Name"]) ?? "");
    return names.some((name) => name.startsWith("Podman")) ? "podman" : "docker";
  } catch (error) {
    if (ask.signal.aborted || !probe.signal.aborted) throw error;
    throw new AppError("EXEC_ENGINE_FAILED", `no answer within ${limitMs / 1000} s`, { cause: error });
  } finally {
    done();
  }
}

/** System errors that mean: nobody was listening, or the connection broke. Every request here may be repeated. */
const reconnectable = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE"]);

function direct(path: string): { readonly send: Send; readonly close: () => Promise<void> } {
  const http = new SocketHttp(path);
  return { send: (request, ask) => http.send(request, ask), close: async () => http.close() };
}

function served(
  program: string,
  choice: EngineChoice,
): { readonly send: Send; readonly close: () => Promise<void> } {
  const service = new PodmanService(program, choice.env);
  let http: SocketHttp | undefined;
  const connected = async (ask: Ask) => {
    http ??= new SocketHttp(await service.socket(ask));
    return http;
  };
  const send: Send = async (request, ask) => {
    try {
      return await (await connected(ask)).send(request, ask);
    } catch (error) {
      if (!isAppError(error) || !reconnectable.has(String(error.facts["system"]))) throw error;
      await service.socket(ask);
      return (await connected(ask)).send(request, ask);
    }
  };
  return {
    send,
    close: async () => {
      http?.close();
      await service.close();
    },
  };
}

/** Hard limits of this process, which what it starts cannot exceed. Linux only; undefined elsewhere. */
async function processLimits(): Promise<ProcessLimits> {
  const read = (path: string) => readFile(path, "utf8").catch(() => "");
  return parseLimits(await read("/proc/self/limits"), await read("/proc/sys/kernel/pid_max"));
}

/**
 * Pure: reads /proc/PID/limits and /proc/sys/kernel/pid_max (Podman lowers its own limit to the latter). Capped at what
 * service managers grant, for engines that were started by one.
 */
export function parseLimits(limits: string, pidMax: string): ProcessLimits {
  const hard = (title: string, cap: number): number | undefined => {
    const match = new RegExp(`^${title}\\s+\\S+\\s+(\\S+)`, "m").exec(limits);
    if (match === null) return undefined;
    return match[1] === "unlimited" ? cap : Math.min(Number(match[1]), cap);
  };
  return {
    openFiles: hard("Max open files", 524_288),
    processes: hard("Max processes", Number.parseInt(pidMax, 10) || 32_768),
  };
}
