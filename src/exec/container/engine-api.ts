/**
 * The part of the engine's API that Docker and Podman answer alike (Podman's compatible API): inspect, kill, remove,
 * list, images. What they answer differently (create, wait, pull, facts) is in docker-engine.ts and podman-engine.ts.
 */
import { posix } from "node:path";
import { AppError, type Ask, defined } from "../../kernel/index.ts";
import {
  asList,
  asNumber,
  asObject,
  asText,
  asTexts,
  type LocalImage,
  parseJson,
  parseStart,
  platformOf,
} from "../images/index.ts";
import { type TakenOut, takeOut } from "./copy-out.ts";
import type {
  BuildRequest,
  ContainerState,
  CopyRequest,
  ImageTag,
  ListedContainer,
  Loading,
  Refusal,
} from "./engine.ts";
import type { SocketAnswer, SocketRequest } from "./socket-http.ts";
import { tarOf } from "./tar-of.ts";

/** Sends a request to the engine; reconnects or restarts what can be. */
export type Send = (request: SocketRequest, ask: Ask) => Promise<SocketAnswer>;

export async function inspectContainer(
  send: Send,
  name: string,
  ask: Ask,
): Promise<ContainerState | undefined> {
  const answer = await send({ method: "GET", path: `/containers/${name}/json` }, ask);
  if (answer.status === 404) return undefined;
  return parseState(expectOk(answer, `inspecting container ${name}`));
}

/** Pure: the answer of /containers/NAME/json. */
export function parseState(body: unknown): ContainerState {
  const state = asObject(asObject(body)["State"]);
  const status = asText(state["Status"]) ?? "";
  const startedAt = parseTime(state["StartedAt"]);
  const finishedAt = parseTime(state["FinishedAt"]);
  return {
    // `initialized` and `configured` are Podman's. Anything unknown counts as running: it is asked again.
    status: ["created", "configured", "initialized"].includes(status)
      ? "created"
      : ["exited", "dead", "stopped", "removing"].includes(status)
        ? "ended"
        : "running",
    exitCode: asNumber(state["ExitCode"]) ?? 0,
    outOfMemory: state["OOMKilled"] === true,
    ...defined({ startedAt, finishedAt }),
    labels: asTexts(asObject(asObject(body)["Config"])["Labels"]),
  };
}

/** Engines write year 1 for "not yet". */
function parseTime(value: unknown): number | undefined {
  const time = Date.parse(asText(value) ?? "");
  return Number.isNaN(time) || time <= 0 ? undefined : time;
}

export async function killContainer(send: Send, name: string, signal: string, ask: Ask): Promise<void> {
  const answer = await send({ method: "POST", path: `/containers/${name}/kill`, query: { signal } }, ask);
  // 404: it does not exist. 409 (Docker), 500 (Podman): it ended before the signal arrived; the wait that follows shows
  // which.
  if ([404, 409, 500].includes(answer.status)) return;
  expectOk(answer, `sending ${signal} to container ${name}`);
}

/** A regular file of a container that does not run any more. `missing`: there is no such file, or no such container. */
export async function copyOut(
  send: Send,
  { name, path, to }: CopyRequest,
  ask: Ask,
): Promise<TakenOut | { readonly kind: "missing" }> {
  let taken: TakenOut | undefined;
  const answer = await send(
    {
      method: "GET",
      path: `/containers/${name}/archive`,
      query: { path },
      onBody: async (body) => {
        taken = await takeOut(body, path, to);
      },
    },
    ask,
  );
  if (taken !== undefined) return taken;
  if (answer.status !== 404)
    return { kind: "other", what: `not available (the engine: ${engineMessage(answer)})` };
  // Podman follows links itself, but not into what was mounted; then it answers where the path leads.
  const target = linkTarget(answer);
  return target === undefined
    ? { kind: "missing" }
    : { kind: "link", target: posix.resolve(posix.dirname(path), target) };
}

function linkTarget({ headers }: SocketAnswer): string | undefined {
  const stat = asText(headers?.["x-docker-container-path-stat"]);
  if (stat === undefined) return undefined;
  const facts = asObject(parseJson(Buffer.from(stat, "base64").toString("utf8")));
  const target = asText(facts["linkTarget"]) ?? "";
  return target === "" ? undefined : target;
}

export async function removeContainer(
  send: Send,
  path: string,
  query: Readonly<Record<string, string>>,
  ask: Ask,
): Promise<void> {
  const answer = await send({ method: "DELETE", path, query }, ask);
  // 409: another removal is under way.
  if (answer.status === 404 || answer.status === 409) return;
  expectOk(answer, `removing container ${path}`);
}

export async function listContainers(send: Send, label: string, ask: Ask): Promise<ListedContainer[]> {
  const query = { all: "1", filters: JSON.stringify({ label: [label] }) };
  const answer = await send({ method: "GET", path: "/containers/json", query }, ask);
  return asList(expectOk(answer, "listing containers")).map((item) => {
    const facts = asObject(item);
    const name = asText(asList(facts["Names"])[0]) ?? asText(facts["Id"]) ?? "";
    const state = asText(facts["State"]) ?? "";
    return {
      name: name.replace(/^\//, ""),
      ended: ["exited", "dead", "stopped", "created", "configured"].includes(state),
      labels: asTexts(facts["Labels"]),
    };
  });
}

export async function findImage(send: Send, reference: string, ask: Ask): Promise<LocalImage | undefined> {
  const answer = await send({ method: "GET", path: `/images/${encodeImage(reference)}/json` }, ask);
  if (answer.status === 404) return undefined;
  const facts = asObject(expectOk(answer, `looking for image ${reference}`));
  const id = asText(facts["Id"]) ?? "";
  return {
    start: parseStart(facts["Config"]),
    id: id.startsWith("sha256:") ? id : `sha256:${id}`,
    platform: platformOf(
      asText(facts["Os"]) ?? "linux",
      asText(facts["Architecture"]) ?? "amd64",
      asText(facts["Variant"]),
    ),
  };
}

/** The builder of the engine itself, which reads Dockerfiles without the extensions of BuildKit. */
export async function buildImage(
  send: Send,
  { dockerfile, name }: BuildRequest,
  ask: Ask,
): Promise<{ readonly kind: "built" } | Refusal> {
  const answer = await send(
    {
      method: "POST",
      path: "/build",
      query: { t: `${name.repository}:${name.tag}`, dockerfile: "Dockerfile", rm: "1", forcerm: "1" },
      upload: { bytes: tarOf("Dockerfile", dockerfile) },
    },
    ask,
  );
  if (!isOk(answer)) return refusal(answer);
  const failure = pullFailure(answer.text);
  return failure === undefined
    ? { kind: "built" }
    : { kind: "refused", status: 500, message: buildMessage(answer.text, failure) };
}

/** What the build printed last, and how it failed. */
function buildMessage(text: string, failure: string): string {
  const printed = text
    .split("\n")
    .map((line) => asText(asObject(parseJson(line))["stream"]) ?? "")
    .join("");
  return [...printed.trimEnd().split("\n").slice(-10), failure].join("\n");
}

export async function loadImages(send: Send, archive: string, ask: Ask): Promise<Loading> {
  const answer = await send({ method: "POST", path: "/images/load", upload: { path: archive } }, ask);
  if (!isOk(answer)) return refusal(answer);
  const failure = pullFailure(answer.text);
  if (failure !== undefined) return { kind: "refused", status: 500, message: failure };
  const lines = answer.text.split("\n").map((line) => asText(asObject(parseJson(line))["stream"]) ?? "");
  // Podman lists several names in one line, with commas.
  const names = lines.flatMap((line) =>
    (/^Loaded image(?:\(s\)|s)?(?: ID)?: *(\S[^\n]*)/.exec(line)?.[1] ?? "")
      .split(",")
      .filter((name) => name !== ""),
  );
  return { kind: "loaded", names };
}

/** `request`: how this engine is asked to import. */
export async function importImage(
  send: Send,
  request: Pick<SocketRequest, "path" | "query">,
  archive: string,
  ask: Ask,
): Promise<{ readonly kind: "imported" } | Refusal> {
  const answer = await send({ ...request, method: "POST", upload: { path: archive } }, ask);
  if (!isOk(answer)) return refusal(answer);
  const failure = pullFailure(answer.text);
  return failure === undefined ? { kind: "imported" } : { kind: "refused", status: 500, message: failure };
}

export async function tagImage(
  send: Send,
  reference: string,
  { repository, tag }: ImageTag,
  ask: Ask,
): Promise<void> {
  const path = `/images/${encodeImage(reference)}/tag`;
  const answer = await send({ method: "POST", path, query: { repo: repository, tag } }, ask);
  expectOk(answer, `naming image ${reference} ${repository}:${tag}`);
}

/** Slashes stay: both engines take the whole rest of the path as the name. */
function encodeImage(reference: string): string {
  return reference.split("/").map(encodeURIComponent).join("/");
}

export function isOk(answer: SocketAnswer): boolean {
  return answer.status >= 200 && answer.status < 300;
}

/** The parsed body of a good answer. */
export function expectOk(answer: SocketAnswer, doing: string): unknown {
  if (isOk(answer)) return answer.text === "" ? {} : parseJson(answer.text);
  throw new AppError(
    "EXEC_ENGINE_FAILED",
    `${doing}: the engine answered ${answer.status}, ${engineMessage(answer)}`,
  );
}

export function refusal(answer: SocketAnswer): Refusal {
  return { kind: "refused", status: answer.status, message: engineMessage(answer) };
}

/** The words of an error answer: `{"message": …}`, Podman's `{"error": …}`, or the text itself. */
export function engineMessage(answer: SocketAnswer): string {
  const facts = asObject(parseJson(answer.text));
  const words = asText(facts["message"]) ?? asText(facts["error"]) ?? answer.text.trim();
  return words === "" ? "no error message" : words.slice(0, 2000);
}

/** A pull answers 200 and describes its failure in the last lines of the stream. */
export function pullFailure(text: string): string | undefined {
  for (const line of text.split("\n")) {
    const facts = asObject(parseJson(line));
    const words = asText(facts["error"]) ?? asText(asObject(facts["errorDetail"])["message"]);
    if (words !== undefined && words !== "") return words;
  }
  return undefined;
}
