/** The key of a call: the digest of its named components. */
import { digestOf } from "../hash/index.ts";
import type { CallKey } from "../kernel/index.ts";
import type { TaskCall } from "../task/index.ts";
import { type Components, componentsOf, type KeyFacts } from "./components.ts";

/** Raised when equal calls come to have other components or another encoding; older entries are then never found. */
export const KEY_VERSION = 2;

export interface Key {
  readonly key: CallKey;
  readonly components: Components;
}

/** The key of a call whose inputs and container are known. Equal facts give equal keys on every machine. */
export function keyOf(call: TaskCall, facts: KeyFacts): Key {
  const components = componentsOf(call, facts);
  return { key: digestOf(["memoir call", KEY_VERSION, components]) as string as CallKey, components };
}
