/** What a cache has recorded, with pins. */
import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { apiPath, ask, type Problem, problemOf } from "../../client.ts";
import { bytesText, countOf, countText, durationText } from "../../format.ts";
import { href, type Place, setQuery } from "../../location.ts";
import { Confirm } from "../../parts/dialog.tsx";
import { type Column, Rows } from "../../parts/rows.tsx";
import { Empty, Loading, ProblemNote, Shown, useNow, When } from "../../parts/small.tsx";
import type { Entry } from "../../shapes.ts";
import { usePages } from "../../use-answer.ts";

export function Entries(props: { readonly cache: string; readonly place: Place; onChanged(): void }): VNode {
  const { cache, place, onChanged } = props;
  const [task, workflow, run, search] = ["task", "workflow", "run", "search"].map(
    (name) => place.query.get(name) ?? undefined,
  );
  const { rows, total, problem, isLoading, isComplete, more, again } = usePages<Entry>(
    apiPath(["caches", cache, "entries"], { task, workflow, run, search }),
    "entries",
    { first: 100, next: 1000 },
  );
  const now = useNow(60_000);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isAsking, setIsAsking] = useState(false);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const columns = useMemo(
    () =>
      entryColumns(now, chosen, (uuid, isChosen) =>
        setChosen((before) => {
          const next = new Set(before);
          if (isChosen) next.add(uuid);
          else next.delete(uuid);
          return next;
        }),
      ),
    [now, chosen],
  );
  const change = async (what: "pin" | "invalidate", more_: Readonly<Record<string, unknown>> = {}) => {
    setTrouble(undefined);
    try {
      await ask(apiPath(["caches", cache, what]), {
        method: "POST",
        body: { entries: [...chosen], ...more_ },
      });
      setChosen(new Set());
      again();
      onChanged();
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  const filters = Object.entries({ task, workflow, run }).filter(([, value]) => value !== undefined);
  return (
    <>
      <search class="filters">
        <input
          type="search"
          aria-label="Search entries"
          placeholder="Search: task, call or run"
          value={search ?? ""}
          onChange={(event) => setQuery({ search: event.currentTarget.value })}
        />
        {filters.map(([name, value]) => (
          <button key={name} type="button" class="small" onClick={() => setQuery({ [name]: undefined })}>
            {name} {value} ✕
          </button>
        ))}
        <button
          type="button"
          disabled={chosen.size === 0}
          onClick={() => void change("pin", { pinned: true })}
        >
          Pin
        </button>
        <button
          type="button"
          disabled={chosen.size === 0}
          onClick={() => void change("pin", { pinned: false })}
        >
          Unpin
        </button>
        <button type="button" disabled={chosen.size === 0} onClick={() => setIsAsking(true)}>
          Invalidate…
        </button>
        {isLoading ? null : <Shown shown={rows.length} total={total ?? rows.length} noun="recorded result" />}
      </search>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {problem === undefined ? null : <ProblemNote problem={problem} again={again} />}
      {isLoading ? <Loading what="entries" /> : null}
      {!isLoading && problem === undefined && rows.length === 0 ? (
        <section class="panel">
          <Empty>Nothing is recorded that fits.</Empty>
        </section>
      ) : null}
      {rows.length > 0 ? (
        <Rows
          label="Entries"
          rows={rows}
          columns={columns}
          keyOf={({ uuid }) => uuid}
          {...(isComplete ? {} : { onNearEnd: more })}
        />
      ) : null}
      {isAsking ? (
        <Confirm
          title={`Invalidate ${countOf(chosen.size, "entry")}?`.replace("entrys", "entries")}
          confirm="Invalidate"
          isDangerous
          onConfirm={() => void change("invalidate")}
          onClose={() => setIsAsking(false)}
        >
          <p>
            They are never reused again, and the next run computes these calls. Their files stay until the
            cache is pruned.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function entryColumns(
  now: number,
  chosen: ReadonlySet<string>,
  choose: (uuid: string, isChosen: boolean) => void,
): readonly Column<Entry>[] {
  return [
    {
      id: "choose",
      title: <span class="sr">Chosen</span>,
      width: "1.4rem",
      isExtra: true,
      cell: ({ uuid, call }) => (
        <input
          type="checkbox"
          aria-label={`Choose the entry of ${call}`}
          checked={chosen.has(uuid)}
          onChange={(event) => choose(uuid, event.currentTarget.checked)}
        />
      ),
    },
    {
      id: "call",
      title: "Call",
      width: "minmax(8rem, 3fr)",
      cell: ({ run, call, uri, pinned }) => (
        <span title={uri}>
          <a href={href("runs", run, "calls", call)}>{call}</a>
          {pinned ? <span class="badge tone-plain">pinned</span> : null}
        </span>
      ),
    },
    { id: "task", title: "Task", width: "minmax(6rem, 1fr)", isExtra: true, cell: ({ task }) => task },
    {
      id: "workflow",
      title: "Workflow",
      width: "minmax(6rem, 1fr)",
      isExtra: true,
      cell: ({ workflow }) => workflow,
    },
    {
      id: "recorded",
      title: "Recorded",
      width: "7rem",
      cell: ({ createdAt }) => <When at={createdAt} now={now} />,
    },
    {
      id: "took",
      title: "Took",
      width: "6rem",
      isNumber: true,
      isExtra: true,
      cell: ({ seconds }) => durationText(seconds),
    },
    {
      id: "files",
      title: "Files",
      width: "4rem",
      isNumber: true,
      isExtra: true,
      cell: ({ files }) => countText(files),
    },
    {
      id: "size",
      title: "Size",
      width: "5rem",
      isNumber: true,
      cell: ({ storedBytes }) => bytesText(storedBytes),
    },
  ];
}
