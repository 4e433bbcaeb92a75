/**
 * Channels that end only when nobody waits for their items any more: `channel.watchPath` and `channel.interval`. What
 * happens while they are asked is looked up at intervals, so that it works on every file system.
 */
import type { Outside } from "../stdlib/outside.ts";
import { Closure } from "../values/closure.ts";
import { Duration } from "../values/duration.ts";
import type { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { illegal } from "../values/throwable.ts";
import { Channel } from "./channel.ts";
import { type FindOptions, filesOf } from "./find-files.ts";
import type { Network } from "./network.ts";

const pauseMs = 200;
const known = new Set(["create", "modify", "delete"]);

interface WatchRequest {
  readonly patterns: readonly Value[];
  readonly events: Value;
  readonly options: FindOptions;
}

/** Files that are created, changed or deleted after the start. */
export function watched(network: Network, { patterns, events, options }: WatchRequest): Channel {
  const wanted = textOf(events)
    .split(",")
    .map((each) => each.trim().toLowerCase());
  for (const each of wanted) if (!known.has(each)) illegal(`Invalid watch event: '${each}'`);
  let before: ReadonlyMap<string, Seen> | undefined;
  return endless(network, pauseMs, (emit) => {
    const now = seen(patterns, options, network.outside);
    const past = before;
    before = now;
    if (past === undefined) return;
    for (const [location, { path, state }] of now) {
      const earlier = past.get(location);
      if (
        earlier === undefined
          ? wanted.includes("create")
          : earlier.state !== state && wanted.includes("modify")
      )
        emit(path);
    }
    if (wanted.includes("delete"))
      for (const [location, { path }] of past) if (!now.has(location)) emit(path);
  });
}

interface Seen {
  readonly path: Path;
  readonly state: string;
}

function seen(patterns: readonly Value[], options: FindOptions, outside: Outside): Map<string, Seen> {
  const found = new Map<string, Seen>();
  for (const path of patterns.flatMap((each) => filesOf(each, options, outside))) {
    const stat = outside.files.stat(path.absolute);
    if (stat !== undefined) found.set(path.absolute, { path, state: `${stat.sizeBytes} ${stat.modifiedMs}` });
  }
  return found;
}

/** 0, 1, 2 … or what a closure makes of them. */
export function ticking(network: Network, given: readonly Value[]): Channel {
  const closure = given.find((each) => each instanceof Closure);
  let index = 0;
  return endless(network, Math.max(1, Duration.of(given[0] ?? null).ms), (emit) => {
    const at = index++;
    emit(closure === undefined ? at : closure.call([at]));
  });
}

function endless(network: Network, pause: number, look: (emit: (value: Value) => void) => void): Channel {
  const channel = new Channel(network, "queue");
  let index = 0;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    channel.close();
    network.finish();
  };
  channel.onUnneeded = end;
  const turn = () => {
    if (ended) return;
    network.post(() => {
      if (ended) return;
      look((value) => {
        if (!ended) channel.emit(value, [index++]);
      });
      if (!ended) timer = setTimeout(turn, pause);
    });
  };
  network.post(() => {
    network.begin();
    network.whenStopped(end);
    turn();
  });
  return channel;
}
