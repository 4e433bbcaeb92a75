/** Time to finish what an interruption must not tear. */
import type { Ask } from "../kernel/index.ts";

/** An Ask that ends `forMs` after the given one did. Call `done` when nothing waits for it any more. */
export function extendedAsk(ask: Ask, forMs: number): { readonly ask: Ask; done(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => controller.abort(ask.signal.reason), forMs);
  };
  ask.signal.addEventListener("abort", onAbort, { once: true });
  return {
    ask: { signal: controller.signal },
    done: () => {
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", onAbort);
    },
  };
}
