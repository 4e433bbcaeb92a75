/** memoir cache prune */
import type { PruneResult } from "../../app/index.ts";
import { AppError, defined, sizeText } from "../../kernel/index.ts";
import { lookedAtArgument, lookedAtCache, lookedAtOption } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import { plural, table } from "../format.ts";
import { ageMs, sizeBytes } from "../quantities.ts";

export const command = defineCommand<PruneResult>({
  name: "cache prune",
  summary: "Remove entries that are no longer needed; a dry run unless --yes is given",
  details: ["Pinned entries and entries that a running run uses are never removed."],
  arguments: [lookedAtArgument],
  options: [
    lookedAtOption,
    {
      flags: "--older-than <age>",
      description: "entries neither created nor used for this long, such as 90d",
    },
    {
      flags: "--budget <size>",
      description: "entries, until the rest fits this size, such as 500G",
    },
    {
      flags: "--policy <which>",
      description:
        "which entries --budget removes first: the least recently used, or those that are cheap to compute again for their size",
      default: "last-used",
      choices: ["last-used", "cost"],
    },
    { flags: "--old-versions", description: "entries that this version of Memoir cannot reuse" },
    { flags: "--orphans", description: "files and unfinished uploads that belong to no entry" },
    { flags: "--dry-run", description: "show what would be removed, and remove nothing" },
    { flags: "--yes", description: "remove the entries" },
  ],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --cache-host-tasks --cache ./lab && memoir cache prune ./lab --older-than 90d",
    },
  ],
  act: async (given, { app, ask }) => {
    const rules = {
      ...defined({
        olderThanMs: ageMs(given.text("older-than"), "--older-than"),
        budgetBytes: sizeBytes(given.text("budget"), "--budget"),
      }),
      ...(given.is("old-versions") ? { oldVersions: true } : {}),
      ...(given.is("orphans") ? { orphans: true } : {}),
    };
    const policy = given.text("policy") as "last-used" | "cost" | undefined;
    if (policy !== undefined && rules.budgetBytes === undefined)
      throw new AppError("CLI_USAGE", "memoir cache prune: --policy needs --budget");
    if (given.is("dry-run") && given.is("yes"))
      throw new AppError("CLI_USAGE", "memoir cache prune: --dry-run and --yes are both given: give one");
    if (Object.keys(rules).length === 0)
      throw new AppError(
        "CLI_USAGE",
        "memoir cache prune: choose what to remove: --older-than, --budget, --old-versions or --orphans",
      );
    return (await app()).workflows.caches.prune(
      {
        ...defined({ cache: lookedAtCache(given) }),
        rules: { ...rules, ...defined({ policy }) },
        sure: given.is("yes"),
      },
      ask,
    );
  },
  render: ({ plan, removed }, screen) => {
    const rows = plan.remove.map((item) => [
      item.uuid.slice(0, 8),
      item.taskName ?? "",
      sizeText(item.bytes),
      item.reason.replaceAll("-", " "),
    ]);
    for (const line of table(rows)) screen.out(line);
    const kept = plan.protectedEntries.length;
    if (kept > 0) screen.out(`${kept} more are kept because they are pinned or in use`);
    const done = removed === undefined ? "would be removed; add --yes to remove" : "removed";
    const { entries, bytes } = removed ?? { entries: plan.remove.length, bytes: plan.removeBytes };
    screen.out(`${plural(entries, "entry", "entries")}, ${sizeText(bytes)}: ${done}`);
    if (plan.uploads.length > 0)
      screen.out(`${plural(removed?.uploads ?? plan.uploads.length, "unfinished upload")}: ${done}`);
    if (removed !== undefined && removed.spared > 0)
      screen.out(`${plural(removed.spared, "entry", "entries")}: kept, because a run began to use them`);
    screen.out(`${plural(plan.keepEntries, "entry", "entries")}, ${sizeText(plan.keepBytes)}: kept`);
  },
});
