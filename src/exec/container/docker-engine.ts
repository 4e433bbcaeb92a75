/** Docker's dialect of the Engine API (also of Docker Desktop, Colima, Rancher Desktop). */
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

export async function openDocker(send: Send, close: () => Promise<void>, ask: Ask): Promise<ContainerEngine> {
  const facts = await dockerFacts(send, ask);
  return {
    facts,
    create: (spec, within) => create(send, spec, within),
    start: (name, within) => start(send, name, within),
    wait: async (name, within) => {
      const answer = await send({ method: "POST", path: `/containers/${name}/wait` }, within);
      if (answer.status !== 404) expectOk(answer, `waiting for container ${name}`);
    },
    inspect: (name, within) => inspectContainer(send, name, within),
    copyOut: (request, within) => copyOut(send, request, within),
    kill: (name, signal, within) => killContainer(send, name, signal, within),
    remove: (name, within) => removeContainer(send, `/containers/${name}`, { force: "1", v: "1" }, within),
    list: (label, within) => listContainers(send, label, within),
    image: (reference, within) => findImage(send, reference, within),
    pull: (request, within) => pull(send, request, within),
    build: (request, within) => buildImage(send, request, within),
    load: (archive, within) => loadImages(send, archive, within),
    import: (archive, { repository, tag }, within) => {
      const query = { fromSrc: "-", repo: repository, tag };
      return importImage(send, { path: "/images/create", query }, archive, within);
    },
    tag: (reference, name, within) => tagImage(send, reference, name, within),
    close,
  };
}

async function dockerFacts(send: Send, ask: Ask): Promise<EngineFacts> {
  const version = asObject(
    expectOk(await send({ method: "GET", path: "/version" }, ask), "asking for the version"),
  );
  const info = asObject(
    expectOk(await send({ method: "GET", path: "/info" }, ask), "asking for the engine's facts"),
  );
  const security = asList(info["SecurityOptions"]).map((option) => asText(option) ?? "");
  const driver = asList(info["DriverStatus"])
    .flat()
    .map((word) => asText(word) ?? "");
  return {
    kind: "docker",
    version: asText(version["Version"]) ?? "unknown",
    platform: platformOf(asText(version["Os"]) ?? "linux", asText(version["Arch"]) ?? "amd64"),
    cpu: asNumber(info["NCPU"]) ?? 1,
    memoryBytes: asNumber(info["MemTotal"]) ?? 0,
    rootless: security.some((option) => option.startsWith("name=rootless")),
    limits: {
      memory: info["MemoryLimit"] === true,
      cpu: info["CpuCfsQuota"] === true,
      pids: info["PidsLimit"] === true,
    },
    containerdImages: driver.some((word) => word.startsWith("io.containerd.snapshotter")),
  };
}

/** Pure: the body of POST /containers/create. */
export function dockerCreateBody(spec: ContainerSpec): unknown {
  const [entrypoint, ...rest] = spec.command;
  return {
    Image: spec.image,
    Entrypoint: [entrypoint],
    Cmd: rest,
    WorkingDir: spec.workDir,
    User: spec.user,
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Labels: spec.labels,
    StopSignal: `SIG${spec.stopSignal.name}`,
    // A fixed name, so that tools which write the host's name into their output write the same every time.
    ...(spec.network === "none" ? { Hostname: "memoir" } : {}),
    HostConfig: {
      Init: spec.init,
      NetworkMode: spec.network,
      // Not `Binds`: its `source:target` text cannot hold a path with a colon.
      Mounts: spec.mounts.map((mount) => ({
        Type: "bind",
        Source: mount.source,
        Target: mount.target,
        ReadOnly: mount.readOnly,
      })),
      LogConfig: { Type: "none" },
      CapDrop: ["ALL"],
      CapAdd: spec.capabilities,
      // label=disable: without it SELinux hosts forbid the task to read its mounts.
      SecurityOpt: ["no-new-privileges", "label=disable"],
      ShmSize: spec.sharedMemoryBytes,
      ...(spec.memoryBytes === undefined ? {} : { Memory: spec.memoryBytes, MemorySwap: spec.memoryBytes }),
      ...(spec.cpu === undefined ? {} : { NanoCpus: Math.round(spec.cpu * 1e9) }),
      ...defined({ PidsLimit: spec.pids }),
      ...(spec.gpu === 0 ? {} : { DeviceRequests: [{ Count: spec.gpu, Capabilities: [["gpu"]] }] }),
    },
  };
}

async function create(send: Send, spec: ContainerSpec, ask: Ask): Promise<Creation> {
  const answer = await send(
    {
      method: "POST",
      path: "/containers/create",
      query: { name: spec.name },
      body: dockerCreateBody(spec),
    },
    ask,
  );
  if (isOk(answer)) return { kind: "created" };
  if (answer.status === 409) return { kind: "exists" };
  if (answer.status === 404) return { kind: "no-image" };
  return refusal(answer);
}

async function start(send: Send, name: string, ask: Ask): Promise<{ readonly kind: "started" } | Refusal> {
  const answer = await send({ method: "POST", path: `/containers/${name}/start` }, ask);
  return isOk(answer) || answer.status === 304 ? { kind: "started" } : refusal(answer);
}

async function pull(
  send: Send,
  request: PullRequest,
  ask: Ask,
): Promise<{ readonly kind: "pulled" } | Refusal> {
  const answer = await send(
    {
      method: "POST",
      path: "/images/create",
      query: { fromImage: request.reference },
      headers: registryAuthHeader(request.credentials),
      ...defined({ onLine: request.onProgress }),
    },
    ask,
  );
  if (!isOk(answer)) return { kind: "refused", status: answer.status, message: engineMessage(answer) };
  const failure = pullFailure(answer.text);
  return failure === undefined ? { kind: "pulled" } : { kind: "refused", status: 500, message: failure };
}
