/** The flags of all executors: each brings its own, and what is given is checked against the chosen one. */

import { type ExecutorOrder, executorOptions } from "../app/index.ts";
import { defined } from "../kernel/index.ts";
import type { Given, OptionSpec } from "./command.ts";

export const executorFlags: readonly OptionSpec[] = executorOptions.map(
  ({ name, value, choices, description, default: preset }) => ({
    flags: value === undefined ? `--${name}` : `--${name} <${value}>`,
    description,
    ...defined({ choices, default: preset, kind: value === "number" ? ("count" as const) : undefined }),
  }),
);

export function executorOrder(given: Given): ExecutorOrder {
  const options = executorOptions.flatMap(({ name, value }): [string, string | true][] => {
    if (value === undefined) return given.is(name) ? [[name, true]] : [];
    const text = given.text(name);
    return text === undefined ? [] : [[name, text]];
  });
  return { name: given.text("executor") ?? "auto", options: Object.fromEntries(options) };
}
