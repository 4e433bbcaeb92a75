/** The engine's events as lines of a run's log. */
import type { TimedEvent } from "../../engine/index.ts";

/** undefined = nothing that a person would read. `runOf` names runs as people know them. */
export function eventMessage(event: TimedEvent, runOf: (engineRun: string) => string): string | undefined {
  switch (event.kind) {
    case "call.reused":
      return `reused ${event.call} from run ${runOf(event.fromRun)}`;
    case "call.started":
      return `started ${event.call}, attempt ${event.attempt}`;
    case "call.computed":
      return `computed ${event.call} in ${event.usage.wallSeconds.toFixed(1)} s`;
    case "call.stored":
      return `${event.call} was stored already`;
    case "file.published":
      return event.how === "kept"
        ? `left ${event.target} as it is`
        : `${event.how === "linked" ? "linked" : "copied"} ${event.source} to ${event.target}`;
    case "call.failed":
      return `failed ${event.call}: ${event.failure.message}`;
    case "call.retried":
      return `trying ${event.call} again: ${event.why.message}`;
    case "call.cancelled":
      return `cancelled ${event.call}`;
    case "call.not-recorded":
      return `${event.call} could not be recorded: ${event.words}`;
    case "cache.trouble":
      return `trouble with the cache while ${event.doing}: ${event.words}`;
    case "call.waiting":
      return `${event.call} waits for run ${event.for.run}, which computes the same (process ${event.for.pid} on ${event.for.host})`;
    case "log":
      return event.words;
    case "note":
      return event.message;
    default:
      return undefined;
  }
}
