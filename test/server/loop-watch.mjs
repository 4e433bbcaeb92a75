/**
 * Loaded into a server that a test starts (`node --import`): what is the most processor time that its main thread
 * spends in one turn of the event loop? Nobody else is answered meanwhile. Processor time, and of that thread alone, is
 * the same on a busy machine and on a free one; the clock is not. The parent says `watch` and `report`.
 */
import { closeSync, openSync, readSync } from "node:fs";

const stat = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
process.on("exit", () => closeSync(stat));
const bytes = Buffer.alloc(64);

/** Milliseconds of processor time that the main thread has had. */
function spent() {
  const length = readSync(stat, bytes, 0, bytes.length, 0);
  return Number(bytes.toString("latin1", 0, length).split(" ")[0]) / 1e6;
}

let watching = false;
let longestMs = 0;
let turns = 0;

function turn(before) {
  if (!watching) return;
  const now = spent();
  longestMs = Math.max(longestMs, now - before);
  turns++;
  setImmediate(turn, spent());
}

process.on("message", (message) => {
  if (message === "watch" && !watching) {
    watching = true;
    longestMs = 0;
    turns = 0;
    setImmediate(turn, spent());
  } else if (message === "report") {
    watching = false;
    process.send({ longestMs, turns, peakRssBytes: process.resourceUsage().maxRSS * 1024 });
  }
});
process.channel?.unref();
