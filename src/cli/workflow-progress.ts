/**
 * Progress of workflow runs: on a terminal one moving line (what is waiting, running, reused, computed, failed, and
 * what runs now); elsewhere plain lines, the first calls one by one and then a summary every few seconds.
 */
import type { TimedEvent } from "../engine/index.ts";
import { count, duration } from "./format.ts";
import type { Screen } from "./screen.ts";

const terminalEveryMs = 100;
const plainEveryMs = 5_000;
/** Calls that are reported one by one where there is no terminal. */
const mostCallLines = 40;

export interface WorkflowProgress {
  event(event: TimedEvent): void;
  end(): void;
}

export function createWorkflowProgress(
  screen: Screen,
  now: () => number = () => performance.now(),
  /** `last`: the result's renderer shows them, with all that is known, so that each is reported once. */
  failures: "at once" | "last" = "at once",
): WorkflowProgress {
  const startedAt = now();
  // Some terminals say that they have no columns.
  const width = (screen.columns > 20 ? screen.columns : 80) - 1;
  const counts = { asked: 0, reused: 0, computed: 0, stored: 0, failed: 0, cancelled: 0 };
  const running = new Map<string, number>();
  let shownAt = screen.errorIsTerminal ? Number.NEGATIVE_INFINITY : startedAt;
  let callLines = 0;
  let hasCache = false;
  const reasonsShown = new Set<string>();
  /** Calls that another run computes, and which one. */
  const elsewhere = new Map<string, string>();

  const line = () => {
    const ended = counts.reused + counts.computed + counts.stored + counts.failed + counts.cancelled;
    const waiting = Math.max(0, counts.asked - ended - running.size);
    const parts = [
      [waiting, "waiting"],
      [running.size, "running"],
      [counts.reused, "reused"],
      [counts.computed, "computed"],
      [counts.stored, "stored"],
      [counts.failed, "failed"],
    ] as const;
    const words = parts.filter(([n]) => n > 0).map(([n, word]) => `${count(n)} ${word}`);
    const names = [...running.keys()].slice(0, 3).join(", ");
    const more = running.size > 3 ? `, and ${running.size - 3} more` : "";
    const elapsed = duration((now() - startedAt) / 1000);
    const [holder] = elsewhere.values();
    const waits = holder === undefined ? "" : ` | waiting for ${holder}`;
    return `${elapsed} | ${words.join(", ") || "starting"}${names === "" ? "" : ` | ${names}${more}`}${waits}`;
  };
  const show = () => {
    const every = screen.errorIsTerminal ? terminalEveryMs : plainEveryMs;
    if (now() - shownAt < every) return;
    shownAt = now();
    if (screen.errorIsTerminal) screen.status(line().slice(0, width));
    else screen.say(line());
  };
  const report = (word: string, call: string, note = "") => {
    if (screen.errorIsTerminal || ++callLines > mostCallLines) return;
    screen.say(`${word} ${call}${note}`);
    shownAt = now();
  };
  // What runs for long shows that it still does.
  const timer = setInterval(show, screen.errorIsTerminal ? 1_000 : plainEveryMs);
  timer.unref();

  return {
    event(event) {
      if ("call" in event && event.kind !== "call.waiting" && event.kind !== "call.joined")
        elsewhere.delete(event.call ?? "");
      switch (event.kind) {
        case "call.waiting": {
          const { run, host, pid, since } = event.for;
          const began = since === undefined ? "" : `, since ${since}`;
          elsewhere.set(event.call, `run ${run} (process ${pid} on ${host}${began})`);
          screen.say(
            `${screen.paint.yellow("waiting:")} ${event.call} is being computed by run ${run} (process ${pid} on ${host}${began})`,
          );
          break;
        }
        case "run.started":
          hasCache = event.cache !== undefined;
          break;
        case "call.asked":
          counts.asked++;
          break;
        case "call.missed": {
          const { reason } = event;
          // Once for each reason: somebody who waits for reuse should not wait for ever.
          if (!hasCache || reason.kind !== "not-reusable" || reasonsShown.has(reason.words)) break;
          reasonsShown.add(reason.words);
          screen.say(`${screen.paint.yellow("not kept:")} ${event.call}: ${reason.words}`);
          break;
        }
        case "call.started":
          running.set(event.call, event.at);
          break;
        case "call.reused":
          counts.reused++;
          report("reused", event.call);
          break;
        case "call.computed":
          counts.computed++;
          running.delete(event.call);
          report("computed", event.call, ` in ${duration(event.usage.wallSeconds)}`);
          break;
        case "call.stored":
          counts.stored++;
          report("stored", event.call);
          break;
        case "call.taken-back":
          counts[event.was]--;
          screen.say(`${screen.paint.yellow("not used:")} ${event.call}: ${event.words}`);
          break;
        case "call.retried":
          running.delete(event.call);
          screen.say(`${screen.paint.yellow("trying again:")} ${event.call}: ${event.why.message}`);
          break;
        case "call.failed":
          counts.failed++;
          running.delete(event.call);
          if (failures === "at once")
            screen.say(`${screen.paint.red("failed:")} ${event.call}: ${short(event.failure.message)}`);
          break;
        case "call.cancelled":
          counts.cancelled++;
          running.delete(event.call);
          break;
        case "call.not-recorded":
          screen.say(`${screen.paint.yellow("not recorded:")} ${event.call}: ${event.words}`);
          break;
        case "cache.trouble":
          screen.say(`${screen.paint.yellow("cache:")} ${event.doing}: ${event.words}`);
          break;
        case "log":
          screen.say(event.words);
          break;
        case "note":
          // Without a path it is what the workflow's scripts print.
          if (event.path === "") screen.say(event.message);
          else screen.say(`${screen.paint.yellow("warning:")} ${event.path}: ${event.message}`);
          break;
        default:
          return;
      }
      show();
    },
    end() {
      clearInterval(timer);
      screen.status("");
    },
  };
}

/** The beginning of a message whose whole comes with the report at the end. */
function short(message: string): string {
  const [line = ""] = message.split("\n");
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
