/** Pruning a cache: first what would go, then, when somebody has seen it, for real. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../../src/v1/index.ts";
import { apiPath, ask, type Problem, problemOf } from "../../client.ts";
import { bytesText, countText } from "../../format.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { Empty, Facts, Panel, ProblemNote } from "../../parts/small.tsx";

type PruneAnswer = Answer<"PruneReport">;

const reasons: Readonly<Record<string, string>> = {
  "older-than": "not used for so long",
  "over-budget": "over the budget",
  "old-version": "of another version of Memoir",
  orphan: "belongs to no entry",
};

export function Prune({ cache, onPruned }: { readonly cache: string; onPruned(): void }): VNode {
  const [rules, setRules] = useState<Readonly<Record<string, unknown>> | undefined>(undefined);
  const [found, setFound] = useState<PruneAnswer | undefined>(undefined);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const [isAsking, setIsAsking] = useState(false);
  const send = async (body: Readonly<Record<string, unknown>>, dryRun: boolean) => {
    setTrouble(undefined);
    try {
      setFound(
        await ask<PruneAnswer>(apiPath(["caches", cache, "prune"]), {
          method: "POST",
          body: { ...body, dryRun },
        }),
      );
      setRules(dryRun ? body : undefined);
      if (!dryRun) onPruned();
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  const preview = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const days = Number(fields.get("days"));
    const budget = Number(fields.get("budget"));
    void send(
      {
        ...(days > 0 ? { olderThanMs: days * 86_400_000 } : {}),
        ...(fields.get("budget") !== "" && budget >= 0
          ? { budgetBytes: Math.round(budget * 1e9), policy: fields.get("policy") }
          : {}),
        ...(fields.get("versions") === null ? {} : { oldVersions: true }),
        ...(fields.get("orphans") === null ? {} : { orphans: true }),
      },
      true,
    );
  };
  const plan = found?.plan;
  return (
    <>
      <Panel title="What to remove">
        <form class="form" onSubmit={preview}>
          <label>
            Entries that were neither recorded nor used for this many days
            <input type="number" name="days" min="0" step="1" inputMode="numeric" />
          </label>
          <label>
            Entries, until the rest fits into this many GB
            <input type="number" name="budget" min="0" step="any" inputMode="decimal" />
          </label>
          <label>
            Which go first
            <select name="policy">
              <option value="last-used">the least recently used</option>
              <option value="cost">large ones that are cheap to compute again</option>
            </select>
          </label>
          <span>
            <input type="checkbox" name="versions" id="versions" />{" "}
            <label for="versions" class="inline">
              entries that this version of Memoir cannot reuse
            </label>
          </span>
          <span>
            <input type="checkbox" name="orphans" id="orphans" />{" "}
            <label for="orphans" class="inline">
              files that belong to no entry
            </label>
          </span>
          <div>
            <button type="submit" class="primary">
              Show what would go
            </button>
          </div>
        </form>
      </Panel>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {found?.removed === undefined ? null : (
        <div class="note tone-good" role="status">
          Removed {countText(found.removed.entries)} entries, {bytesText(found.removed.bytes)}.
          {found.removed.spared > 0
            ? ` ${countText(found.removed.spared)} were used or pinned since the preview and stay.`
            : ""}
        </div>
      )}
      {plan === undefined || found?.removed !== undefined ? null : (
        <Panel
          title="Preview"
          aside={
            <button
              type="button"
              class="danger"
              disabled={plan.remove.length === 0}
              onClick={() => setIsAsking(true)}
            >
              Remove them…
            </button>
          }
        >
          <Facts
            rows={[
              ["Would go", `${countText(plan.remove.length)} entries, ${bytesText(plan.removeBytes)}`],
              ["Stay", `${countText(plan.keepEntries)} entries, ${bytesText(plan.keepBytes)}`],
              ["Protected", protectedText(plan.protectedEntries)],
            ]}
          />
          {plan.remove.length === 0 ? (
            <Empty>Nothing fits these rules.</Empty>
          ) : (
            <DataTable
              rows={plan.remove}
              keyOf={({ uuid }) => uuid}
              most={200}
              columns={[
                { title: "Task", cell: ({ taskName }) => taskName ?? "–" },
                { title: "Why", cell: ({ reason }) => reasons[reason] ?? reason },
                { title: "Size", isNumber: true, cell: ({ bytes }) => bytesText(bytes) },
              ]}
            />
          )}
        </Panel>
      )}
      {isAsking && plan !== undefined && rules !== undefined ? (
        <Confirm
          title="Remove these entries?"
          confirm={`Remove ${bytesText(plan.removeBytes)}`}
          isDangerous
          onConfirm={() => void send(rules, false)}
          onClose={() => setIsAsking(false)}
        >
          <p>
            {countText(plan.remove.length)} entries are removed for good. What is pinned, or used by a run,
            stays.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function protectedText(entries: PruneAnswer["plan"]["protectedEntries"]): string {
  const pinned = entries.filter(({ why }) => why === "pinned").length;
  const inUse = entries.length - pinned;
  if (entries.length === 0) return "none";
  return [pinned > 0 ? `${pinned} pinned` : "", inUse > 0 ? `${inUse} used by a run` : ""]
    .filter((text) => text !== "")
    .join(", ");
}
