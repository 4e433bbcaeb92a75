/** Ctrl-C and friends: the first asks the work to stop and keep what is done, the second ends the process at once. */
import { AppError, type Ask } from "../kernel/index.ts";
import type { Screen } from "./screen.ts";

const watched = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function listenToSignals(screen: Screen): { readonly ask: Ask; stop(): void } {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130);
    screen.status("");
    screen.say("stopping; finished work is kept (once more to stop at once)");
    controller.abort(new AppError("RUN_INTERRUPTED", `stopped by ${signal}`));
  };
  for (const signal of watched) process.on(signal, onSignal);
  return {
    ask: { signal: controller.signal },
    stop: () => {
      for (const signal of watched) process.off(signal, onSignal);
    },
  };
}
