/**
 * A run's events as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The id of each
 * is where a client that lost its connection continues; `end` says that nothing follows.
 */
import type { Followed } from "../app/index.ts";

/** Proxies close connections on which nothing is sent. */
const aliveEveryMs = 15_000;

export async function* eventStream(events: AsyncIterable<Followed>): AsyncGenerator<string> {
  // Clients that lost the connection reconnect after this time.
  yield "retry: 1000\n\n";
  let saidAt = performance.now();
  for await (const followed of events) {
    const now = performance.now();
    if (followed.kind === "event") {
      const { cursor, event } = followed;
      yield `id: ${cursor}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
    } else if (now - saidAt < aliveEveryMs) continue;
    else yield ": still here\n\n";
    saidAt = now;
  }
  yield "event: end\ndata: {}\n\n";
}
