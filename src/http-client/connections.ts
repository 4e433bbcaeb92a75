import { type AgentOptions, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { defined } from "../kernel/index.ts";

/** Connections that are kept between requests; `close` ends them, with the requests that use them. */
export class HttpConnections {
  readonly #options: AgentOptions;
  #http: HttpAgent | undefined;
  #https: HttpsAgent | undefined;

  /** @param most connections to one server at a time; more requests wait. Default: no limit. */
  constructor(most?: number) {
    this.#options = { keepAlive: true, ...defined({ maxSockets: most }) };
  }

  agentFor(protocol: "http:" | "https:"): HttpAgent {
    if (protocol === "http:") {
      this.#http ??= new HttpAgent(this.#options);
      return this.#http;
    }
    this.#https ??= new HttpsAgent(this.#options);
    return this.#https;
  }

  close(): void {
    this.#http?.destroy();
    this.#https?.destroy();
  }
}
