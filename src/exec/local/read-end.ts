/** How an attempt of the host executor ended. */
import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import type { GroupEnd, ProgramOutcome } from "../../process/index.ts";
import {
  type Attempt,
  type AttemptEnd,
  attemptPaths,
  type EndFacts,
  ensureStreams,
  readAttemptEnd,
  type Usage,
  withSpoiled,
} from "../core/index.ts";

/** What the wrapper reported, else the outcome of the wrapper itself. */
export async function readEnd(
  attempt: Attempt,
  outcome: ProgramOutcome | GroupEnd,
  facts: Required<EndFacts>,
): Promise<AttemptEnd> {
  const { directory } = attempt;
  const reported = await readAttemptEnd(directory, facts);
  if (reported?.kind === "exited") return withSpoiled(reported, directory);
  if (reported === undefined && outcome.kind === "exited" && outcome.exitCode !== 125) {
    // The wrapper came to its end, so its report is missing because the disk had no room for it.
    const { wallSeconds, outOfMemory } = facts;
    const usage: Usage = { wallSeconds, cpuSeconds: null, maxRssBytes: null, source: "none" };
    const { exitCode } = outcome;
    return withSpoiled({ kind: "exited", exitCode, outOfMemory, usage }, directory);
  }
  // Streams are missing only where the wrapper did not come to open them.
  if (existsSync(directory)) await ensureStreams(directory).catch(() => {});
  if (reported !== undefined) return reported;
  switch (outcome.kind) {
    case "exited":
      return { kind: "lost", message: `${attempt.id} could not be set up (exit code ${outcome.exitCode})` };
    case "signalled": {
      // The task killed its own wrapper (`kill -9 0`), or the wrapper was killed for lack of memory: its end is its own.
      const { rc } = attemptPaths(attempt.directory);
      // A group of the starter reports no signal: those that can be caught do not end the wrapper.
      const isKill = !("signal" in outcome) || outcome.signal === "SIGKILL";
      await writeFile(`${rc}.new`, isKill ? "137\n" : "143\n");
      await rename(`${rc}.new`, rc);
      const end = await readAttemptEnd(attempt.directory, facts);
      return end ?? { kind: "lost", message: `${attempt.id} was killed by a signal` };
    }
    case "lost":
      return { kind: "lost", message: `the shell that supervises ${attempt.id} has died` };
    case "unmounted":
      return { kind: "lost", message: outcome.words };
    case "cancelled":
    case "timed-out":
      return { kind: "cancelled" };
    case "not-found":
      return { kind: "lost", message: `${attempt.id} could not be started: no ${outcome.command}` };
  }
}
