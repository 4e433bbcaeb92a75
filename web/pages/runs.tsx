/** All runs, live. */
import type { VNode } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import { apiPath, ask, type Problem, problemOf } from "../client.ts";
import { durationText } from "../format.ts";
import { useStream } from "../live.ts";
import { href, type Place, setQuery } from "../location.ts";
import { Choice } from "../parts/choice.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { type Column, Rows } from "../parts/rows.tsx";
import { Empty, Loading, OutcomeBar, ProblemNote, Shown, StateBadge, useNow, When } from "../parts/small.tsx";
import type { Run } from "../shapes.ts";
import { usePages } from "../use-answer.ts";
import { startOf, tookText } from "./run-times.ts";

const states = ["pending", "running", "succeeded", "failed", "cancelled"] as const;
const orders = ["newest", "oldest", "workflow", "duration", "saved"] as const;
const filters = ["state", "workflow", "origin", "search", "since", "until", "tag", "sort"] as const;

interface Outcome {
  readonly run: string;
  readonly done: boolean;
  readonly code?: string;
  readonly message?: string;
}

export function Runs({ place }: { readonly place: Place }): VNode {
  const asked = Object.fromEntries(filters.map((name) => [name, place.query.get(name) ?? undefined]));
  const { rows, problem, isLoading, isComplete, more, again } = usePages<Run>(
    apiPath(["runs"], asked),
    "runs",
    { first: 100, next: 500 },
  );
  const [changed, setChanged] = useState<ReadonlyMap<string, Run>>(new Map());
  const now = useNow();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [question, setQuestion] = useState<"cancel" | "delete" | undefined>(undefined);
  const [failures, setFailures] = useState<readonly Outcome[]>([]);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);

  useStream(apiPath(["runs", "changes"]), ["run", "gone"], (events) => {
    const known = new Set(rows.map(({ id }) => id));
    const latest = new Map(changed);
    let isOther = false;
    for (const event of events) {
      const run = event as unknown as Run;
      if (typeof run.id !== "string") continue;
      // A run that is new here, or gone, may or may not fit the filters: the server knows.
      if (!known.has(run.id) || run.state === undefined) isOther = true;
      else latest.set(run.id, run);
    }
    setChanged(latest);
    if (isOther) again();
  });

  const shown = useMemo(() => rows.map((run) => changed.get(run.id) ?? run), [rows, changed]);
  const choose = useCallback((id: string, isChosen: boolean) => {
    setChosen((before) => {
      const next = new Set(before);
      if (isChosen) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);
  const columns = useMemo(() => columnsOf(now, chosen, choose), [now, chosen, choose]);
  const apply = async (what: "cancel" | "delete") => {
    setFailures([]);
    setTrouble(undefined);
    try {
      const body = { runs: [...chosen] };
      const { results } = await ask<{ readonly results: readonly Outcome[] }>(apiPath(["runs", what]), {
        ...{ method: "POST", body },
      });
      setFailures(results.filter(({ done }) => !done));
      setChosen(new Set());
      again();
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  const hasFilter = filters.some((name) => name !== "sort" && asked[name] !== undefined);
  return (
    <>
      <div class="title">
        <h1>Runs</h1>
        <div class="actions">
          {chosen.size === 2 ? (
            <a class="button" href={compareHref(chosen)}>
              Compare the two
            </a>
          ) : null}
          <button type="button" disabled={chosen.size === 0} onClick={() => setQuestion("cancel")}>
            Cancel…
          </button>
          <button type="button" disabled={chosen.size === 0} onClick={() => setQuestion("delete")}>
            Delete…
          </button>
        </div>
      </div>
      <search class="filters">
        <input
          type="search"
          aria-label="Search runs"
          placeholder="Search: workflow, name or id"
          value={asked["search"] ?? ""}
          onChange={(event) => setQuery({ search: event.currentTarget.value })}
        />
        <Choice label="State" name="state" value={asked["state"]} choices={states} />
        <Choice label="From" name="origin" value={asked["origin"]} choices={["home", "server"]} />
        <Choice label="Sort" name="sort" value={asked["sort"]} choices={orders} usual="newest" />
        <label>
          Since
          <input
            type="date"
            value={asked["since"]?.slice(0, 10) ?? ""}
            onChange={(event) => setQuery({ since: dayStart(event.currentTarget.value) })}
          />
        </label>
        <input
          type="text"
          aria-label="Tag"
          placeholder="Tag: key or key=value"
          value={asked["tag"] ?? ""}
          onChange={(event) => setQuery({ tag: event.currentTarget.value })}
        />
        {asked["workflow"] === undefined ? null : (
          <button type="button" class="small" onClick={() => setQuery({ workflow: undefined })}>
            Workflow {asked["workflow"]} ✕
          </button>
        )}
        {isLoading ? null : <Shown shown={shown.length} total={shown.length} noun="run" />}
      </search>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {failures.length === 0 ? null : (
        <div class="note tone-bad" role="alert">
          {failures.map(({ run, message, code }) => (
            <p key={run}>
              {run}: {message ?? code}
            </p>
          ))}
        </div>
      )}
      {problem === undefined ? null : <ProblemNote problem={problem} again={again} />}
      {isLoading && shown.length === 0 ? <Loading what="runs" /> : null}
      {!isLoading && problem === undefined && shown.length === 0 ? (
        <section class="panel">
          {hasFilter ? (
            <Empty>No run fits these filters.</Empty>
          ) : (
            <Empty command="memoir run workflow.wdl">No workflow has run yet. This runs one:</Empty>
          )}
        </section>
      ) : null}
      {shown.length > 0 ? (
        <Rows
          label="Runs"
          rows={shown}
          columns={columns}
          rowHeight={42}
          keyOf={({ id }) => id}
          {...(isComplete ? {} : { onNearEnd: more })}
        />
      ) : null}
      {question === undefined ? null : (
        <Confirm
          title={question === "cancel" ? "Cancel these runs?" : "Delete these runs?"}
          confirm={question === "cancel" ? "Cancel the runs" : "Delete the runs"}
          isDangerous
          onConfirm={() => void apply(question)}
          onClose={() => setQuestion(undefined)}
        >
          <p>
            {question === "cancel"
              ? "Their tasks are stopped. What they have recorded already stays in the cache."
              : "Their records and folders are removed. What they recorded stays in the cache, and outputs that were written elsewhere stay where they are."}
          </p>
          <ul>
            {[...chosen].slice(0, 10).map((id) => (
              <li key={id}>{id}</li>
            ))}
            {chosen.size > 10 ? <li>and {chosen.size - 10} more</li> : null}
          </ul>
        </Confirm>
      )}
    </>
  );
}

function compareHref(chosen: ReadonlySet<string>): string {
  const [a = "", b = ""] = [...chosen];
  return `/compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`;
}

function dayStart(day: string): string | undefined {
  return day === "" ? undefined : new Date(`${day}T00:00:00`).toISOString();
}

function columnsOf(
  now: number,
  chosen: ReadonlySet<string>,
  choose: (id: string, isChosen: boolean) => void,
): readonly Column<Run>[] {
  return [
    {
      id: "choose",
      title: <span class="sr">Chosen</span>,
      width: "1.4rem",
      isExtra: true,
      cell: ({ id }) => (
        <input
          type="checkbox"
          aria-label={`Choose ${id}`}
          checked={chosen.has(id)}
          onChange={(event) => choose(id, event.currentTarget.checked)}
        />
      ),
    },
    {
      id: "workflow",
      title: "Run",
      width: "minmax(9rem, 3fr)",
      cell: (run) => (
        <>
          <a href={href("runs", run.id)}>{run.workflow}</a>{" "}
          <span class="quiet">{run.origin === "server" && run.name !== undefined ? run.name : run.id}</span>
          {run.origin === "home" && run.gone === true ? (
            <span class="badge tone-plain" title="Its folder was moved or deleted">
              gone
            </span>
          ) : null}
          {run.origin === "server"
            ? Object.entries(run.tags ?? {})
                .slice(0, 3)
                .map(([key, value]) => (
                  <a
                    key={key}
                    class="badge"
                    href={`/runs?tag=${encodeURIComponent(value === "" ? key : `${key}=${value}`)}`}
                  >
                    {value === "" ? key : `${key}=${value}`}
                  </a>
                ))
            : null}
        </>
      ),
    },
    { id: "state", title: "State", width: "8rem", cell: ({ state }) => <StateBadge state={state} /> },
    {
      id: "calls",
      title: "Calls",
      width: "minmax(7rem, 2fr)",
      isExtra: true,
      cell: ({ calls }) => <OutcomeBar counts={calls} />,
    },
    {
      id: "started",
      title: "Started",
      width: "7rem",
      cell: (run) => <When at={startOf(run)} now={now} />,
    },
    {
      id: "took",
      title: "Took",
      width: "6rem",
      isNumber: true,
      isExtra: true,
      cell: (run) => tookText(run, now),
    },
    {
      id: "saved",
      title: "Saved",
      width: "6rem",
      isNumber: true,
      isExtra: true,
      cell: ({ savedSeconds }) =>
        savedSeconds === undefined || savedSeconds === 0 ? (
          <span class="quiet">–</span>
        ) : (
          durationText(savedSeconds)
        ),
    },
  ];
}
