/**
 * The part of the engine's API that Docker and Podman answer alike (Podman's compatible API): inspect, kill, remove,
 * list, images. What they answer differently (create, wait, pull, facts) is in docker-engine.ts and podman-engine.ts.
 */
import { AppError, type Ask } from "../../kernel/index.ts";
import type { ContainerState, ListedContainer, LocalImage, Refusal } from "./engine.ts";
import { asList, asNumber, asObject, asText, asTexts, parseJson } from "./json.ts";
import { platformOf } from "./platform.ts";
import type { SocketAnswer, SocketRequest } from "./socket-http.ts";

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
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
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
  // 404: gone. 409 (Docker), 500 (Podman): has ended between our look and the signal; the wait that follows tells.
  if ([404, 409, 500].includes(answer.status)) return;
  expectOk(answer, `sending ${signal} to container ${name}`);
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
    id: id.startsWith("sha256:") ? id : `sha256:${id}`,
    platform: platformOf(
      asText(facts["Os"]) ?? "linux",
      asText(facts["Architecture"]) ?? "amd64",
      asText(facts["Variant"]),
    ),
  };
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
  return words === "" ? "without a word" : words.slice(0, 2000);
}

/** A pull answers 200 and tells of its failure in the last lines of the stream. */
export function pullFailure(text: string): string | undefined {
  for (const line of text.split("\n")) {
    const facts = asObject(parseJson(line));
    const words = asText(facts["error"]) ?? asText(asObject(facts["errorDetail"])["message"]);
    if (words !== undefined && words !== "") return words;
  }
  return undefined;
}
