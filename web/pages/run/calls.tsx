/** The calls of a run, by task; a scatter of ten thousand is one line until somebody opens it. */
import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { countOf, durationText } from "../../format.ts";
import { href, type Place, setQuery } from "../../location.ts";
import { Choice } from "../../parts/choice.tsx";
import { type Column, Rows } from "../../parts/rows.tsx";
import { Empty, Loading, OutcomeBar, ProblemNote, Shown, StateBadge } from "../../parts/small.tsx";
import type { Call } from "../../shapes.ts";
import type { Pages } from "../../use-answer.ts";

const states = ["waiting", "running", "reused", "computed", "failed", "cancelled"] as const;

interface Group {
  readonly kind: "group";
  readonly task: string;
  readonly calls: readonly Call[];
}

type Line = Group | { readonly kind: "call"; readonly call: Call };

export function CallList(props: {
  readonly run: string;
  readonly calls: Pages<Call>;
  readonly place: Place;
  readonly now: number;
}): VNode {
  const { run, calls, place, now } = props;
  const state = place.query.get("state") ?? undefined;
  const search = place.query.get("search") ?? "";
  const [isFolded, setIsFolded] = useState<ReadonlyMap<string, boolean>>(new Map());
  const wanted = useMemo(() => {
    const words = search.toLowerCase();
    return calls.rows.filter(
      (row) => (state === undefined || row.state === state) && row.call.toLowerCase().includes(words),
    );
  }, [calls.rows, state, search]);
  const lines = useMemo(() => {
    const groups = new Map<string, Call[]>();
    for (const row of wanted) {
      const group = groups.get(row.task);
      if (group === undefined) groups.set(row.task, [row]);
      else group.push(row);
    }
    return [...groups].flatMap(([task, rows]): readonly Line[] => [
      { kind: "group", task, calls: rows },
      ...(isFolded.get(task) === true ? [] : rows.map((call) => ({ kind: "call", call }) as const)),
    ]);
  }, [wanted, isFolded]);
  const columns = useMemo(() => columnsOf(run, now), [run, now]);
  if (calls.problem !== undefined) return <ProblemNote problem={calls.problem} again={calls.again} />;
  if (calls.isLoading) return <Loading what="calls" />;
  const fold = (task: string) =>
    setIsFolded((before) => new Map(before).set(task, before.get(task) !== true));
  return (
    <>
      <search class="filters">
        <input
          type="search"
          aria-label="Search calls"
          placeholder="Search: part of a call's path"
          value={search}
          onInput={(event) => setQuery({ search: event.currentTarget.value })}
        />
        <Choice label="State" name="state" value={state} choices={states} />
        <Shown shown={wanted.length} total={calls.total ?? calls.rows.length} noun="call" />
      </search>
      {lines.length === 0 ? (
        <section class="panel">
          <Empty>
            {calls.rows.length === 0 ? "This run has no calls yet." : "No call fits these filters."}
          </Empty>
        </section>
      ) : (
        <Rows
          label="Calls"
          rows={lines}
          columns={columns}
          keyOf={(line) => (line.kind === "group" ? `task ${line.task}` : line.call.call)}
          heading={(line) =>
            line.kind === "call" ? undefined : (
              <>
                <button
                  type="button"
                  class="fold"
                  aria-expanded={isFolded.get(line.task) !== true}
                  onClick={() => fold(line.task)}
                >
                  <span aria-hidden="true">{isFolded.get(line.task) === true ? "▸" : "▾"}</span> {line.task}
                </button>
                <span class="quiet">{countOf(line.calls.length, "call")}</span>
                <OutcomeBar counts={countsOf(line.calls)} />
              </>
            )
          }
        />
      )}
    </>
  );
}

function countsOf(rows: readonly Call[]) {
  const counts = { reused: 0, computed: 0, failed: 0, cancelled: 0 };
  for (const { state } of rows)
    if (state === "reused" || state === "computed" || state === "failed" || state === "cancelled")
      counts[state]++;
  return counts;
}

function columnsOf(run: string, now: number): readonly Column<Line>[] {
  const of = (draw: (call: Call) => VNode | string) => (line: Line) =>
    line.kind === "call" ? draw(line.call) : "";
  return [
    {
      id: "call",
      title: "Call",
      width: "minmax(9rem, 3fr)",
      cell: of(({ call }) => <a href={href("runs", run, "calls", call)}>{call}</a>),
    },
    { id: "state", title: "State", width: "8rem", cell: of(({ state }) => <StateBadge state={state} />) },
    {
      id: "why",
      title: "Why",
      width: "minmax(8rem, 3fr)",
      isExtra: true,
      cell: of((call) => <span class="quiet">{whyText(call)}</span>),
    },
    {
      id: "took",
      title: "Took",
      width: "6rem",
      isNumber: true,
      cell: of((call) => tookText(call, now)),
    },
    {
      id: "attempts",
      title: "Attempts",
      width: "5rem",
      isNumber: true,
      isExtra: true,
      cell: of(({ attempts }) => (attempts === 0 ? "–" : String(attempts))),
    },
    {
      id: "saved",
      title: "Saved",
      width: "6rem",
      isNumber: true,
      isExtra: true,
      cell: of(({ savedSeconds }) => (savedSeconds === undefined ? "–" : durationText(savedSeconds))),
    },
  ];
}

function whyText({ state, fromRun, failure, missed }: Call): string {
  if (failure !== undefined) return failure.message;
  if (state === "reused" && fromRun !== undefined) return `recorded by ${fromRun}`;
  return missed ?? "";
}

function tookText({ startedAt, endedAt, state }: Call, now: number): string {
  if (startedAt === undefined) return "–";
  const end = endedAt ?? (state === "running" ? now : undefined);
  return end === undefined ? "–" : durationText(Math.max(0, end - startedAt) / 1000);
}
