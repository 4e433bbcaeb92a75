/**
 * Progress of workflow runs: on a terminal one moving line (what is waiting, running, reused, computed, failed, and
 * what runs now); elsewhere plain lines, the first calls one by one and then a summary every few seconds.
 */
import type { TimedEvent } from "../engine/index.ts";
import { unreachable } from "../kernel/index.ts";
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
  return new ScreenProgress(screen, now, failures);
}

type EventOf<Kind extends TimedEvent["kind"]> = Extract<TimedEvent, { readonly kind: Kind }>;

class ScreenProgress implements WorkflowProgress {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #failures: "at once" | "last";
  readonly #startedAt: number;
  readonly #width: number;
  readonly #counts = { asked: 0, reused: 0, computed: 0, stored: 0, failed: 0, cancelled: 0 };
  readonly #running = new Set<string>();
  readonly #reasonsShown = new Set<string>();
  /** Calls that another run computes, and which one. */
  readonly #elsewhere = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #shownAt: number;
  #callLines = 0;
  #hasCache = false;

  constructor(screen: Screen, now: () => number, failures: "at once" | "last") {
    this.#screen = screen;
    this.#now = now;
    this.#failures = failures;
    this.#startedAt = now();
    // Some terminals say that they have no columns.
    this.#width = (screen.columns > 20 ? screen.columns : 80) - 1;
    this.#shownAt = screen.errorIsTerminal ? Number.NEGATIVE_INFINITY : this.#startedAt;
    // What runs for long shows that it still does.
    this.#timer = setInterval(() => this.#show(), screen.errorIsTerminal ? 1_000 : plainEveryMs);
    this.#timer.unref();
  }

  event(event: TimedEvent): void {
    if ("call" in event && event.kind !== "call.waiting" && event.kind !== "call.joined")
      this.#elsewhere.delete(event.call ?? "");
    if (this.#take(event)) this.#show();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#screen.status("");
  }

  /** Counts the event and reports what people should know at once; false: it changes nothing that is shown. */
  #take(event: TimedEvent): boolean {
    switch (event.kind) {
      case "run.started":
        this.#hasCache = event.cache !== undefined;
        return true;
      case "call.asked":
        this.#counts.asked++;
        return true;
      case "call.waiting":
        this.#waits(event);
        return true;
      case "call.missed":
        this.#misses(event);
        return true;
      case "call.started":
        this.#running.add(event.call);
        return true;
      case "call.retried":
        this.#running.delete(event.call);
        this.#warn("trying again:", `${event.call}: ${event.why.message}`);
        return true;
      case "call.reused":
      case "call.computed":
      case "call.stored":
      case "call.failed":
      case "call.cancelled":
        this.#ends(event);
        return true;
      case "call.taken-back":
        this.#counts[event.was]--;
        this.#warn("not used:", `${event.call}: ${event.words}`);
        return true;
      case "call.not-recorded":
        this.#warn("not recorded:", `${event.call}: ${event.words}`);
        return true;
      case "cache.trouble":
        this.#warn("cache:", `${event.doing}: ${event.words}`);
        return true;
      case "log":
        this.#screen.say(event.words);
        return true;
      case "note":
        // Without a path it is what the workflow's scripts print.
        if (event.path === "") this.#screen.say(event.message);
        else this.#warn("warning:", `${event.path}: ${event.message}`);
        return true;
      default:
        return false;
    }
  }

  #waits(event: EventOf<"call.waiting">): void {
    const { run, host, pid, since } = event.for;
    const began = since === undefined ? "" : `, since ${since}`;
    const holder = `run ${run} (process ${pid} on ${host}${began})`;
    this.#elsewhere.set(event.call, holder);
    this.#warn("waiting:", `${event.call} is being computed by ${holder}`);
  }

  /** Once for each reason: somebody who waits for reuse should not wait for ever. */
  #misses({ call, reason }: EventOf<"call.missed">): void {
    if (!this.#hasCache || reason.kind !== "not-reusable" || this.#reasonsShown.has(reason.words)) return;
    this.#reasonsShown.add(reason.words);
    this.#warn("not kept:", `${call}: ${reason.words}`);
  }

  #ends(
    event: EventOf<"call.reused" | "call.computed" | "call.stored" | "call.failed" | "call.cancelled">,
  ): void {
    const { call } = event;
    switch (event.kind) {
      case "call.reused":
        this.#counts.reused++;
        this.#report("reused", call);
        break;
      case "call.computed":
        this.#counts.computed++;
        this.#running.delete(call);
        this.#report("computed", call, ` in ${duration(event.usage.wallSeconds)}`);
        break;
      case "call.stored":
        this.#counts.stored++;
        this.#report("stored", call);
        break;
      case "call.failed":
        this.#counts.failed++;
        this.#running.delete(call);
        if (this.#failures === "at once")
          this.#screen.say(`${this.#screen.paint.red("failed:")} ${call}: ${short(event.failure.message)}`);
        break;
      case "call.cancelled":
        this.#counts.cancelled++;
        this.#running.delete(call);
        break;
      default:
        unreachable(event);
    }
  }

  #warn(label: string, text: string): void {
    this.#screen.say(`${this.#screen.paint.yellow(label)} ${text}`);
  }

  /** One line for a call, as long as there are few of them. */
  #report(word: string, call: string, note = ""): void {
    if (this.#screen.errorIsTerminal || ++this.#callLines > mostCallLines) return;
    this.#screen.say(`${word} ${call}${note}`);
    this.#shownAt = this.#now();
  }

  #show(): void {
    const { errorIsTerminal } = this.#screen;
    const every = errorIsTerminal ? terminalEveryMs : plainEveryMs;
    if (this.#now() - this.#shownAt < every) return;
    this.#shownAt = this.#now();
    if (errorIsTerminal) this.#screen.status(this.#line().slice(0, this.#width));
    else this.#screen.say(this.#line());
  }

  #line(): string {
    const { asked, reused, computed, stored, failed, cancelled } = this.#counts;
    const ended = reused + computed + stored + failed + cancelled;
    const parts = [
      [Math.max(0, asked - ended - this.#running.size), "waiting"],
      [this.#running.size, "running"],
      [reused, "reused"],
      [computed, "computed"],
      [stored, "stored"],
      [failed, "failed"],
    ] as const;
    const words = parts.filter(([n]) => n > 0).map(([n, word]) => `${count(n)} ${word}`);
    const names = [...this.#running].slice(0, 3).join(", ");
    const more = this.#running.size > 3 ? `, and ${this.#running.size - 3} more` : "";
    const elapsed = duration((this.#now() - this.#startedAt) / 1000);
    const [holder] = this.#elsewhere.values();
    const waits = holder === undefined ? "" : ` | waiting for ${holder}`;
    return `${elapsed} | ${words.join(", ") || "starting"}${names === "" ? "" : ` | ${names}${more}`}${waits}`;
  }
}

/** The beginning of a message whose whole comes with the report at the end. */
function short(message: string): string {
  const [line = ""] = message.split("\n");
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
