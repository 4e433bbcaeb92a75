/**
 * Podman's dialect. Containers are created, waited for and pulled through its own API (libpod): the compatible one
 * writes mounts as comma-separated text, which paths with a comma break, and its wait polls four times a second.
 */
import { type Ask, defined } from "../../kernel/index.ts";
import { asList, asNumber, asObject, asText, platformOf, registryAuthHeader } from "../images/index.ts";
import type {
  ContainerEngine,
  ContainerSpec,
  Creation,
  EngineFacts,
  PullRequest,
  Refusal,
} from "./engine.ts";
import {
  buildImage,
  copyOut,
  engineMessage,
  expectOk,
  findImage,
  importImage,
  inspectContainer,
  isOk,
  killContainer,
  listContainers,
  loadImages,
  pullFailure,
  refusal,
  removeContainer,
  type Send,
  tagImage,
} from "./engine-api.ts";

const libpod = "/v4.0.0/libpod";
/** How often the service looks whether a container has ended. */
const waitInterval = "25ms";

/** Limits on open files and processes that this machine can grant. */
export interface ProcessLimits {
  readonly openFiles: number | undefined;
  readonly processes: number | undefined;
}

export async function openPodman(
  send: Send,
  limits: ProcessLimits,
  close: () => Promise<void>,
  ask: Ask,
): Promise<ContainerEngine> {
  const facts = await podmanFacts(send, ask);
  return {
    facts,
    create: (spec, within) => create(send, spec, limits, within),
    start: (name, within) => start(send, name, within),
    wait: (name, within) => wait(send, name, within),
    inspect: (name, within) => inspectContainer(send, name, within),
    copyOut: (request, within) => copyOut(send, request, within),
    kill: (name, signal, within) => killContainer(send, name, signal, within),
    // The compatible API would ask the task to end and wait for ten seconds.
    remove: (name, within) =>
      removeContainer(
        send,
        `${libpod}/containers/${name}`,
        { force: "true", v: "true", timeout: "0" },
        within,
      ),
    list: (label, within) => listContainers(send, label, within),
    image: (reference, within) => findImage(send, reference, within),
    pull: (request, within) => pull(send, request, within),
    build: (request, within) => buildImage(send, request, within),
    load: (archive, within) => loadImages(send, archive, within),
    // The compatible API imports without a name.
    import: (archive, { repository, tag }, within) => {
      const query = { reference: `${repository}:${tag}` };
      return importImage(send, { path: `${libpod}/images/import`, query }, archive, within);
    },
    tag: (reference, name, within) => tagImage(send, reference, name, within),
    close,
  };
}

async function podmanFacts(send: Send, ask: Ask): Promise<EngineFacts> {
  const answer = await send({ method: "GET", path: `${libpod}/info` }, ask);
  const info = asObject(expectOk(answer, "asking for the engine's facts"));
  const host = asObject(info["host"]);
  const controllers = asList(host["cgroupControllers"]);
  const rootless = asObject(host["security"])["rootless"] === true;
  // On cgroups v1 a plain user's limits are ignored without an error.
  const obeys = (name: string) => !(rootless && host["cgroupVersion"] === "v1") && controllers.includes(name);
  return {
    kind: "podman",
    version: asText(asObject(info["version"])["Version"]) ?? "unknown",
    platform: platformOf(asText(host["os"]) ?? "linux", asText(host["arch"]) ?? "amd64"),
    cpu: asNumber(host["cpus"]) ?? 1,
    memoryBytes: asNumber(host["memTotal"]) ?? 0,
    rootless,
    limits: { memory: obeys("memory"), cpu: obeys("cpu"), pids: obeys("pids") },
    containerdImages: false,
  };
}

/** Pure: the body of libpod's POST /containers/create. */
export function podmanCreateBody(spec: ContainerSpec, limits: ProcessLimits): unknown {
  const [entrypoint, ...rest] = spec.command;
  const limit = (type: string, value: number | undefined) =>
    value === undefined ? [] : [{ type, soft: value, hard: value }];
  return {
    name: spec.name,
    image: spec.image,
    entrypoint: [entrypoint],
    command: rest,
    work_dir: spec.workDir,
    user: spec.user,
    env: spec.env,
    labels: spec.labels,
    stop_signal: spec.stopSignal.linuxNumber,
    ...(spec.network === "none" ? { hostname: "memoir" } : {}),
    init: spec.init,
    systemd: "false",
    ...(spec.network === "default" ? {} : { netns: { nsmode: spec.network } }),
    mounts: spec.mounts.map((mount) => ({
      type: "bind",
      source: mount.source,
      destination: mount.target,
      options: ["rbind", mount.readOnly ? "ro" : "rw"],
    })),
    log_configuration: { driver: "none" },
    cap_drop: ["ALL"],
    cap_add: spec.capabilities,
    no_new_privileges: true,
    // Without it SELinux hosts forbid the task to read its mounts.
    selinux_opts: ["disable"],
    shm_size: spec.sharedMemoryBytes,
    // Podman asks for its own limits that the kernel refuses where the user's hard limits are lower.
    r_limits: [...limit("nofile", limits.openFiles), ...limit("nproc", limits.processes)],
    resource_limits: {
      ...(spec.memoryBytes === undefined
        ? {}
        : { memory: { limit: spec.memoryBytes, swap: spec.memoryBytes } }),
      ...(spec.cpu === undefined ? {} : { cpu: { period: 100_000, quota: Math.round(spec.cpu * 100_000) } }),
      ...(spec.pids === undefined ? {} : { pids: { limit: spec.pids } }),
    },
    ...(spec.gpu === 0
      ? {}
      : { devices: Array.from({ length: spec.gpu }, (_, i) => ({ path: `nvidia.com/gpu=${i}` })) }),
  };
}

async function create(send: Send, spec: ContainerSpec, limits: ProcessLimits, ask: Ask): Promise<Creation> {
  const body = podmanCreateBody(spec, limits);
  const answer = await send({ method: "POST", path: `${libpod}/containers/create`, body }, ask);
  if (isOk(answer)) return { kind: "created" };
  // A name in use is 409 or 500, depending on the version: inspecting it shows which.
  if ((answer.status === 409 || answer.status === 500) && (await inspectContainer(send, spec.name, ask)))
    return { kind: "exists" };
  if (answer.status === 404 || (await findImage(send, spec.image, ask)) === undefined)
    return { kind: "no-image" };
  return refusal(answer);
}

async function start(send: Send, name: string, ask: Ask): Promise<{ readonly kind: "started" } | Refusal> {
  const answer = await send({ method: "POST", path: `${libpod}/containers/${name}/start` }, ask);
  return isOk(answer) || answer.status === 304 ? { kind: "started" } : refusal(answer);
}

async function wait(send: Send, name: string, ask: Ask): Promise<void> {
  // Both conditions: a container that has been cleaned up is `exited`, one that has just ended is `stopped`.
  const path = `${libpod}/containers/${name}/wait?condition=stopped&condition=exited&interval=${waitInterval}`;
  const answer = await send({ method: "POST", path }, ask);
  if (answer.status !== 404) expectOk(answer, `waiting for container ${name}`);
}

async function pull(
  send: Send,
  request: PullRequest,
  ask: Ask,
): Promise<{ readonly kind: "pulled" } | Refusal> {
  const answer = await send(
    {
      method: "POST",
      path: `${libpod}/images/pull`,
      query: { reference: request.reference, tlsVerify: request.insecure ? "false" : undefined },
      headers: registryAuthHeader(request.credentials),
      ...defined({ onLine: request.onProgress }),
    },
    ask,
  );
  if (!isOk(answer)) return { kind: "refused", status: answer.status, message: engineMessage(answer) };
  const failure = pullFailure(answer.text);
  return failure === undefined ? { kind: "pulled" } : { kind: "refused", status: 500, message: failure };
}
