/** The name in `set { name }`: the closure is run where every name is the one. */
import type { Closure } from "../values/closure.ts";
import { illegal } from "../values/throwable.ts";

export function capturedName(closure: Closure): string {
  let captured: string | undefined;
  closure
    .bound(
      {
        lookup: (name) => {
          captured ??= name;
          return null;
        },
        assign: () => false,
        method: () => undefined,
      },
      "delegate only",
    )
    .call([]);
  return captured ?? illegal("a name is expected in braces");
}
