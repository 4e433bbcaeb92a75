/** memoir cache create */

import type { CacheRecord } from "../../app/index.ts";
import { defined, sizeText } from "../../kernel/index.ts";
import { behaviorOf, behaviorOption, policiesOf, policyOptions } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import type { Screen } from "../screen.ts";

export const command = defineCommand<CacheRecord>({
  name: "cache create",
  summary: "Create a named run cache with a location and a behaviour",
  details: [
    "Any number of runs and workflows can share a cache, and any number of users and machines a location. Memoir checks the location before it creates the name.",
  ],
  arguments: [{ name: "NAME", description: "letters, digits, dots, dashes and underscores", required: true }],
  options: [
    {
      flags: "--location <place>",
      description: "a folder or s3://bucket/prefix",
      default: "~/.memoir/cache-data/NAME",
    },
    behaviorOption,
    ...policyOptions,
    { flags: "--description <text>", description: "description of the cache" },
  ],
  examples: [{ command: "memoir cache create lab --location ./lab-cache" }],
  act: async (given, { app, ask }) =>
    (await app()).workflows.caches.create(
      {
        name: given.argument(0) ?? "",
        ...defined({ location: given.text("location"), description: given.text("description") }),
        ...behaviorOf(given),
        policies: policiesOf(given),
      },
      ask,
    ),
  render: (record, screen) => renderCache(record, screen),
});

export function renderCache(record: CacheRecord, screen: Screen): void {
  const { identity, resources, hostTasks, writeThrough } = record.policies;
  const name = record.kind === "named" ? record.name : "(no name)";
  screen.out(`${screen.paint.bold(name)}  ${record.location}`);
  if (record.description !== undefined) screen.out(`  ${record.description}`);
  const when = record.behavior === "always" && !writeThrough ? "always, at the end of runs" : record.behavior;
  screen.out(
    `  records ${when}; files by ${identity}; resources ${resources}; host tasks: ${hostTasks ? "yes" : "no"}${record.policies.excludeUnstable === true ? "; unstable tasks are excluded" : ""}`,
  );
  if (record.kind === "named" && record.budgetBytes !== undefined)
    screen.out(`  budget: ${sizeText(record.budgetBytes)}, kept by the runs that use it`);
}
