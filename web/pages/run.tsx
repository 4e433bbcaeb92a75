/** One run: its calls, when they ran, how they hang together, its inputs, outputs, log and resources. */
import type { VNode } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import { apiPath, ask, type Problem, problemOf } from "../client.ts";
import { countText, durationText } from "../format.ts";
import { lazy } from "../lazy.tsx";
import { useStream } from "../live.ts";
import { go, href, type Place } from "../location.ts";
import { Confirm } from "../parts/dialog.tsx";
import {
  Figure,
  Loading,
  OutcomeBar,
  PageProblem,
  ProblemNote,
  StateBadge,
  Tabs,
  useNow,
  When,
} from "../parts/small.tsx";
import type { Call, Run as RunRow } from "../shapes.ts";
import { type Pages, useAnswer, usePages } from "../use-answer.ts";
import { CallList } from "./run/calls.tsx";
import { startOf, tookText } from "./run-times.ts";

const Timeline = lazy(async () => (await import("./run/timeline.tsx")).Timeline);
const Graph = lazy(async () => (await import("./run/graph.tsx")).Graph);
const Inputs = lazy(async () => (await import("./run/inputs.tsx")).Inputs);
const Outputs = lazy(async () => (await import("./run/outputs.tsx")).Outputs);
const Log = lazy(async () => (await import("./run/log.tsx")).Log);
const Again = lazy(async () => (await import("./run/again.tsx")).Again);
const Resources = lazy(async () => (await import("./run/resources.tsx")).Resources);

const tabs = [
  { id: "calls", title: "Calls" },
  { id: "timeline", title: "Timeline" },
  { id: "graph", title: "Graph" },
  { id: "inputs", title: "Inputs" },
  { id: "outputs", title: "Outputs" },
  { id: "log", title: "Log" },
  { id: "resources", title: "Resources" },
  { id: "again", title: "Run again" },
] as const;

export function Run({ id, place }: { readonly id: string; readonly place: Place }): VNode {
  const run = useAnswer<RunRow>(apiPath(["runs", id], { calls: "none" }));
  const calls = usePages<Call>(apiPath(["runs", id, "calls"]), "calls", { all: true });
  const { rows, isLive } = useLiveCalls(id, run.data, calls, run.again);
  const now = useNow(isLive ? 1000 : 10_000);
  const [question, setQuestion] = useState<"cancel" | "delete" | undefined>(undefined);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const tab = place.query.get("tab") ?? "calls";
  const counts = useMemo(() => countsOf(rows), [rows]);
  const { data, problem } = run;
  if (problem !== undefined && data === undefined)
    return <PageProblem title="Run" problem={problem} again={run.again} />;
  if (data === undefined) return <Loading what="the run" />;
  const apply = async (what: "cancel" | "delete") => {
    try {
      const { results } = await ask<{
        readonly results: readonly {
          readonly done: boolean;
          readonly message?: string;
          readonly code?: string;
        }[];
      }>(apiPath(["runs", what]), { method: "POST", body: { runs: [id] } });
      const failed = results.find(({ done }) => !done);
      if (failed !== undefined)
        setTrouble({
          ...{ type: "about:blank", title: "Not done", status: 409, code: failed.code ?? "NOT_DONE" },
          detail: failed.message ?? `the run could not be ${what === "cancel" ? "cancelled" : "deleted"}`,
        });
      else if (what === "delete") go("/runs");
      else run.again();
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  const isOver = data.state !== "running" && data.state !== "pending";
  return (
    <>
      <div>
        <p class="crumbs">
          <a href="/runs">Runs</a> / {data.id}
        </p>
        <div class="title">
          <h1>
            <a href={`/runs?workflow=${encodeURIComponent(data.workflow)}`}>{data.workflow}</a>
          </h1>
          <StateBadge state={data.state} />
          {isLive ? <span class="quiet">live</span> : null}
          <div class="actions">
            <a class="button" href={`/compare?b=${encodeURIComponent(id)}`}>
              Compare…
            </a>
            <a class="button" href={`${href("runs", id)}?tab=again`}>
              Run again…
            </a>
            {isOver ? (
              <button type="button" onClick={() => setQuestion("delete")}>
                Delete…
              </button>
            ) : (
              <button type="button" onClick={() => setQuestion("cancel")}>
                Cancel…
              </button>
            )}
          </div>
        </div>
      </div>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {data.origin === "server" && data.message !== undefined ? (
        <div class={`note ${data.state === "failed" ? "tone-bad" : "tone-plain"}`}>{data.message}</div>
      ) : null}
      <dl class="figures">
        <Figure
          name="Calls"
          value={countText(calls.total ?? rows.length)}
          note={<OutcomeBar counts={counts} />}
        />
        <Figure name="Started" value={<When at={startOf(data)} now={now} />} />
        <Figure name={isOver ? "Took" : "Runs for"} value={tookText(data, now)} />
        <Figure
          name="Saved by reuse"
          value={durationText(rows.reduce((sum, { savedSeconds = 0 }) => sum + savedSeconds, 0))}
          note="of computing"
        />
      </dl>
      <Tabs
        label="Parts of the run"
        tabs={tabs.map((each) =>
          each.id === "calls" ? { ...each, count: calls.total ?? rows.length } : each,
        )}
        current={tab}
        hrefOf={(to) => `${href("runs", id)}${to === "calls" ? "" : `?tab=${to}`}`}
      />
      <Part tab={tab} id={id} run={data} place={place} calls={{ ...calls, rows }} now={now} isLive={isLive} />
      {question === undefined ? null : (
        <Confirm
          title={question === "cancel" ? "Cancel this run?" : "Delete this run?"}
          confirm={question === "cancel" ? "Cancel the run" : "Delete the run"}
          isDangerous
          onConfirm={() => void apply(question)}
          onClose={() => setQuestion(undefined)}
        >
          <p>
            {question === "cancel"
              ? "Its tasks are stopped. What they have recorded already stays in the cache."
              : "Its record and its folder are removed. What it recorded stays in the cache, and outputs that were written elsewhere stay where they are."}
          </p>
        </Confirm>
      )}
    </>
  );
}

function Part(props: {
  readonly tab: string;
  readonly id: string;
  readonly run: RunRow;
  readonly place: Place;
  readonly calls: Pages<Call>;
  readonly now: number;
  readonly isLive: boolean;
}): VNode {
  const { tab, id, run, place, calls, now, isLive } = props;
  switch (tab) {
    case "timeline":
      return <Timeline run={id} isLive={isLive} />;
    case "graph":
      return <Graph run={id} />;
    case "inputs":
      return <Inputs run={id} />;
    case "outputs":
      return <Outputs run={id} place={place} />;
    case "log":
      return <Log run={id} />;
    case "again":
      return <Again run={id} />;
    case "resources":
      return <Resources run={id} workflow={run.workflow} />;
    default:
      return <CallList run={id} calls={calls} place={place} now={now} />;
  }
}

/** The calls as they change. */
function useLiveCalls(
  id: string,
  run: RunRow | undefined,
  calls: Pages<Call>,
  onEnd: () => void,
): { readonly rows: readonly Call[]; readonly isLive: boolean } {
  const [changed, setChanged] = useState<ReadonlyMap<string, Call>>(new Map());
  const isLive = run?.state === "running" || run?.state === "pending";
  const take = useCallback((events: readonly unknown[]) => {
    setChanged((before) => {
      const next = new Map(before);
      for (const event of events)
        for (const call of (event as { readonly calls: readonly Call[] }).calls) next.set(call.call, call);
      return next;
    });
  }, []);
  useStream(isLive ? apiPath(["runs", id, "calls"]) : undefined, ["calls"], take, onEnd);
  const rows = useMemo(() => {
    if (changed.size === 0) return calls.rows;
    const known = new Set(calls.rows.map(({ call }) => call));
    const added = [...changed.values()].filter(({ call }) => !known.has(call));
    return [...calls.rows.map((row) => changed.get(row.call) ?? row), ...added];
  }, [calls.rows, changed]);
  return { rows, isLive };
}

function countsOf(rows: readonly Call[]) {
  const counts = { reused: 0, computed: 0, failed: 0, cancelled: 0 };
  for (const { state } of rows)
    if (state === "reused" || state === "computed" || state === "failed" || state === "cancelled")
      counts[state]++;
  return counts;
}
