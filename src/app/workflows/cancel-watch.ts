/** Notices that a run is to be cancelled by another process. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type Ask } from "../../kernel/index.ts";

const cancelPollMs = 500;

/** `memoir runs cancel` leaves a file in the run's folder; it works across machines that share the folder. */
export function watchForCancel(directory: string, ask: Ask): { readonly ask: Ask; stop(): void } {
  const controller = new AbortController();
  const forward = () => controller.abort(ask.signal.reason);
  ask.signal.addEventListener("abort", forward, { once: true });
  if (ask.signal.aborted) forward();
  const timer = setInterval(() => {
    stat(join(directory, "cancel")).then(
      () => controller.abort(new AppError("RUN_INTERRUPTED", "cancelled by `memoir runs cancel`")),
      () => {},
    );
  }, cancelPollMs);
  timer.unref();
  return {
    ask: { signal: controller.signal },
    stop: () => {
      clearInterval(timer);
      ask.signal.removeEventListener("abort", forward);
    },
  };
}
