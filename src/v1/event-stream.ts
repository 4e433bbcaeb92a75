/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The id of each is where a client
 * that lost its connection continues; `end` says that nothing follows, `signed-out` that the session is over.
 */

export interface Sent {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

/** Proxies close connections on which nothing is sent. */
const aliveEveryMs = 15_000;

/** undefined among the events: nothing happened for a while. After `signed-out` nothing is sent. */
export async function* eventStream(
  events: AsyncIterable<Sent | "signed-out" | undefined>,
): AsyncGenerator<string> {
  // Clients that lost the connection reconnect after this time.
  yield "retry: 1000\n\n";
  let saidAt = performance.now();
  for await (const sent of events) {
    const now = performance.now();
    if (sent === "signed-out") {
      yield "event: signed-out\ndata: {}\n\n";
      return;
    }
    if (sent !== undefined) {
      const id = sent.id === undefined ? "" : `id: ${sent.id}\n`;
      yield `${id}event: ${sent.event}\ndata: ${JSON.stringify(sent.data)}\n\n`;
    } else if (now - saidAt < aliveEveryMs) continue;
    else yield ": still here\n\n";
    saidAt = now;
  }
  yield "event: end\ndata: {}\n\n";
}
