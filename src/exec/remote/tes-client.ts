/**
 * Speaks to a server of the GA4GH Task Execution Service, version 1.1. What a server answers is somebody else's data:
 * members that are missing or of another type are left out, and a state that nobody knows is UNKNOWN.
 */
import { HttpConnections, isHttpTrouble, isSuccess, readHttp } from "../../http-client/index.ts";
import { type Ask, checkAsk, defined, messageOf } from "../../kernel/index.ts";
import { asList, asNumber, asObject, asText, parseJson } from "../images/index.ts";
import type { ServiceAnswer, ServiceClient, ServiceFacts, ServiceTask, TaskTag } from "./service-client.ts";
import type { TesTaskDocument } from "./tes-task.ts";

export interface TesClientOptions {
  /** With or without `/ga4gh/tes/v1`. */
  readonly url: string;
  /** Value of the Authorization header. */
  readonly authorization?: string;
  /** Milliseconds for one request. Default 60000. */
  readonly timeoutMs?: number;
}

const limitBytes = 64 << 20;
const pageSize = 1_000;
/** A server that answers a page token for ever must not hold up everybody. */
const mostPages = 1_000;

export class TesClient implements ServiceClient {
  readonly #base: string;
  readonly #options: TesClientOptions;
  readonly #connections = new HttpConnections();

  constructor(options: TesClientOptions) {
    const plain = options.url.replace(/\/+$/, "");
    this.#base = plain.endsWith("/ga4gh/tes/v1") ? plain : `${plain}/ga4gh/tes/v1`;
    this.#options = options;
  }

  get url(): string {
    return this.#base;
  }

  async service(ask: Ask): Promise<ServiceAnswer<ServiceFacts>> {
    return mapped(await this.#request("GET", "/service-info", undefined, ask), (raw) => {
      const found = asObject(raw);
      const storage = asList(found["storage"]).flatMap((each) => asText(each) ?? []);
      return { name: asText(found["name"]) ?? "unnamed", version: versionOf(found), storage };
    });
  }

  async create(task: TesTaskDocument, ask: Ask): Promise<ServiceAnswer<string>> {
    const answer = await this.#request("POST", "/tasks", task, ask);
    if (answer.kind !== "answered") return answer;
    const id = asText(asObject(answer.value)["id"]);
    return id === undefined || id === ""
      ? { kind: "unclear", words: "the server answered without the id of the task" }
      : { kind: "answered", value: id };
  }

  async get(id: string, view: "MINIMAL" | "BASIC" | "FULL", ask: Ask): Promise<ServiceAnswer<ServiceTask>> {
    const answer = await this.#request(
      "GET",
      `/tasks/${encodeURIComponent(id)}?view=${view}`,
      undefined,
      ask,
    );
    return mapped(answer, (raw) => ({ ...taskOf(raw), id }));
  }

  /** Those with the tag. A server that does not know how to choose answers more, so the caller looks at the tags. */
  async list(
    tag: TaskTag,
    view: "MINIMAL" | "BASIC",
    ask: Ask,
  ): Promise<ServiceAnswer<readonly ServiceTask[]>> {
    const found: ServiceTask[] = [];
    let token: string | undefined;
    for (let page = 0; page < mostPages; page++) {
      const query = new URLSearchParams({
        tag_key: tag.key,
        tag_value: tag.value,
        page_size: String(pageSize),
        view,
        ...defined({ page_token: token }),
      });
      const answer = await this.#request("GET", `/tasks?${query}`, undefined, ask);
      if (answer.kind !== "answered") return answer;
      const body = asObject(answer.value);
      found.push(
        ...asList(body["tasks"])
          .map(taskOf)
          .filter(({ id }) => id !== ""),
      );
      token = asText(body["next_page_token"]);
      if (token === undefined || token === "") return { kind: "answered", value: found };
    }
    return { kind: "unclear", words: `the list of tasks has more than ${mostPages} pages` };
  }

  async cancel(id: string, ask: Ask): Promise<ServiceAnswer<unknown>> {
    return this.#request("POST", `/tasks/${encodeURIComponent(id)}:cancel`, {}, ask);
  }

  close(): void {
    this.#connections.close();
  }

  async #request(
    method: "GET" | "POST",
    path: string,
    body: unknown,
    ask: Ask,
  ): Promise<ServiceAnswer<unknown>> {
    const { authorization, timeoutMs = 60_000 } = this.#options;
    try {
      const answer = await readHttp(
        {
          method,
          url: this.#base + path,
          headers: {
            accept: "application/json",
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...defined({ authorization }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          connections: this.#connections,
          timeoutMs,
          limitBytes,
        },
        ask,
      );
      const text = answer.bytes.toString("utf8");
      if (isSuccess(answer)) {
        const value = parseJson(text);
        return typeof value === "object" && value !== null
          ? { kind: "answered", value }
          : { kind: "unclear", words: "the server's answer is not JSON" };
      }
      const words = `${answer.status} ${wordsOf(text)}`.trim();
      const isBusy = answer.status === 408 || answer.status === 429 || answer.status >= 500;
      return isBusy ? { kind: "unclear", words } : { kind: "refused", status: answer.status, words };
    } catch (error) {
      checkAsk(ask, `asking ${this.#base}`);
      if (!isHttpTrouble(error)) throw error;
      return { kind: "unclear", words: messageOf(error) };
    }
  }
}

function mapped<T>(answer: ServiceAnswer<unknown>, read: (raw: unknown) => T): ServiceAnswer<T> {
  return answer.kind === "answered" ? { kind: "answered", value: read(answer.value) } : answer;
}

function versionOf(service: Readonly<Record<string, unknown>>): string {
  return asText(asObject(service["type"])["version"]) ?? "unknown";
}

function taskOf(raw: unknown): ServiceTask {
  const task = asObject(raw);
  // Servers try again by themselves: the last try counts.
  const last = asObject(asList(task["logs"]).at(-1));
  return {
    id: asText(task["id"]) ?? "",
    state: asText(task["state"]) ?? "UNKNOWN",
    tags: Object.fromEntries(
      Object.entries(asObject(task["tags"])).filter(
        (pair): pair is [string, string] => typeof pair[1] === "string",
      ),
    ),
    executors: asList(last["logs"]).map((each) => {
      const log = asObject(each);
      return { ...defined({ exitCode: asNumber(log["exit_code"]) }), stderr: asText(log["stderr"]) ?? "" };
    }),
    systemLogs: asList(last["system_logs"]).flatMap((each) => asText(each) ?? []),
  };
}

const mostWords = 500;

/** What a server says of its refusal, in one line. */
function wordsOf(text: string): string {
  const raw = asObject(parseJson(text));
  const said = asText(raw["msg"]) ?? asText(raw["message"]) ?? asText(raw["detail"]) ?? text;
  return said.replace(/\s+/g, " ").trim().slice(0, mostWords);
}
