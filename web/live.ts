/** Server-sent events as long as the page is looked at. */
import { useEffect, useRef } from "preact/hooks";

export interface LiveEvent {
  readonly kind: string;
  readonly at?: number;
  readonly [member: string]: unknown;
}

/**
 * Follows a stream from `after` on and resumes where it was when the connection or the sight of the page is lost: a
 * browser opens only six connections to a server, and pages in the background must not hold them.
 */
export function useStream(
  path: string | undefined,
  kinds: readonly string[],
  onEvents: (events: readonly LiveEvent[]) => void,
  onEnd?: () => void,
): void {
  const called = useRef({ onEvents, onEnd });
  called.current = { onEvents, onEnd };
  const names = kinds.join(" ");
  useEffect(() => {
    if (path === undefined) return;
    let source: EventSource | undefined;
    let cursor: string | undefined;
    let waiting: LiveEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let hasEnded = false;
    let handedAt = Number.NEGATIVE_INFINITY;
    const hand = () => {
      timer = undefined;
      handedAt = performance.now();
      const events = waiting;
      waiting = [];
      called.current.onEvents(events);
    };
    const take = (message: MessageEvent<string>) => {
      if (message.lastEventId !== "") cursor = message.lastEventId;
      waiting.push(JSON.parse(message.data) as LiveEvent);
      timer ??= setTimeout(hand, Math.max(0, handedAt + handEveryMs - performance.now()));
    };
    const close = () => {
      source?.close();
      source = undefined;
    };
    const open = () => {
      if (source !== undefined || hasEnded) return;
      const joined = path.includes("?") ? "&" : "?";
      source = new EventSource(
        cursor === undefined ? path : `${path}${joined}cursor=${encodeURIComponent(cursor)}`,
      );
      for (const kind of names.split(" ")) source.addEventListener(kind, take);
      const signedOut = () => {
        close();
        dispatchEvent(new Event("memoir:signed-out"));
      };
      source.addEventListener("signed-out", signedOut);
      source.addEventListener("error", () => {
        // Refused, and not only interrupted.
        if (source?.readyState === EventSource.CLOSED) signedOut();
      });
      source.addEventListener("end", () => {
        hasEnded = true;
        close();
        if (timer !== undefined) clearTimeout(timer);
        if (waiting.length > 0) hand();
        called.current.onEnd?.();
      });
    };
    const look = () => (document.visibilityState === "visible" ? open() : close());
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      if (timer !== undefined) clearTimeout(timer);
      close();
    };
  }, [path, names]);
}

/** Events are handed on in groups, so that a thousand of them draw the page a few times only. */
const handEveryMs = 100;

export const runEventKinds = [
  "run.started",
  "run.ended",
  "call.asked",
  "call.reused",
  "call.waiting",
  "call.joined",
  "call.missed",
  "call.started",
  "call.adopted",
  "call.retried",
  "call.computed",
  "call.stored",
  "call.recorded",
  "call.taken-back",
  "call.failed",
  "call.cancelled",
  "file.published",
  "cache.trouble",
  "call.not-recorded",
  "recheck.ended",
  "log",
] as const;
