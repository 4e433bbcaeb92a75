/** At a glance: what runs, what reuse saved, what failed, what is large. */
import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { bytesText, countText, durationText, moneyText } from "../format.ts";
import { lazy } from "../lazy.tsx";
import { useStream } from "../live.ts";
import { href } from "../location.ts";
import { DataTable, type TableColumn } from "../parts/data-table.tsx";
import type { PlotProps } from "../parts/plot.tsx";
import {
  Empty,
  Figure,
  Loading,
  OutcomeBar,
  PageProblem,
  Panel,
  ProblemNote,
  StateBadge,
  useNow,
  When,
} from "../parts/small.tsx";
import { plainText } from "../terminal-text.ts";
import { useAnswer } from "../use-answer.ts";
import { startOf, tookText } from "./run-times.ts";

const Plot = lazy<PlotProps>(async () => (await import("../parts/plot.tsx")).Plot);

type HomeAnswer = Answer<"HomePage">;

export function Home(): VNode {
  const { data, problem, again } = useAnswer<HomeAnswer>(apiPath(["home"]));
  const now = useNow(2000);
  const since = useMemo(() => new Date(Date.now() - 30 * 86_400_000).toISOString(), []);
  const priced = useAnswer<Answer<"Savings">>(apiPath(["savings"], { since })).data;
  useStream(apiPath(["runs", "changes"]), ["run", "gone"], again);
  if (problem !== undefined && data === undefined)
    return <PageProblem title="Home" problem={problem} again={again} />;
  if (data === undefined) return <Loading what="the overview" />;
  const money =
    priced?.total.money === undefined ? undefined : moneyText(priced.total.money, priced.currency);
  const { running, saved, failures, caches, days } = data;
  const total = days.reduce((sum, day) => sum + day.reused + day.computed + day.failed, 0);
  const reused = days.reduce((sum, day) => sum + day.reused, 0);
  const rows = days.reduce((sum, day) => sum + (day.rowsReused ?? 0) + (day.rowsComputed ?? 0), 0);
  const isNew = running.length === 0 && total === 0 && caches.length === 0 && failures.length === 0;
  return (
    <>
      <h1>Home</h1>
      {isNew ? (
        <section class="panel">
          <Empty command="memoir run workflow.wdl">Nothing has run yet. This runs a workflow:</Empty>
          <Empty command="memoir run --model eos3b5e -i molecules.csv -o predictions.csv">
            And this computes predictions of a model:
          </Empty>
        </section>
      ) : null}
      <dl class="figures">
        <Figure
          name="Running now"
          value={countText(running.length)}
          note={running.length === 1 ? "run" : "runs"}
        />
        <Figure
          name="Calls in 30 days"
          value={countText(total)}
          note={rows > 0 ? `${countText(rows)} predictions` : undefined}
        />
        <Figure
          name="Reused"
          value={total === 0 ? "–" : `${Math.round((100 * reused) / total)} %`}
          note="of calls"
        />
        <Figure
          name="Computing saved"
          value={durationText(saved.seconds)}
          note={
            saved.rows > 0
              ? `${countText(saved.calls)} calls, ${countText(saved.rows)} predictions`
              : `${countText(saved.calls)} calls`
          }
        />
        {money === undefined ? null : <Figure name="Money saved" value={money} note="in 30 days" />}
      </dl>
      <div class="grid">
        <Panel title="Running now" aside={<a href="/runs?state=running">all</a>}>
          {running.length === 0 ? (
            <Empty>Nothing runs.</Empty>
          ) : (
            <ul class="list">
              {running.slice(0, 8).map((run) => (
                <li key={run.id} class="line">
                  <a href={href("runs", run.id)}>{run.workflow}</a>
                  <StateBadge state={run.state} />
                  <OutcomeBar counts={run.calls} />
                  <span class="far quiet">{startOf(run) === undefined ? "" : tookText(run, now)}</span>
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Panel title="Last failures" aside={<a href="/runs?state=failed">all</a>}>
          {failures.length === 0 ? (
            <Empty>Nothing has failed.</Empty>
          ) : (
            <ul class="list">
              {failures.slice(0, 6).map(({ run, workflow, at, message }) => (
                <li key={run}>
                  <div class="line">
                    <a href={href("runs", run)}>{workflow}</a>
                    <span class="far quiet">
                      <When at={at} now={now} />
                    </span>
                  </div>
                  <div class="quiet">{plainText(message).split("\n")[0]?.slice(0, 300)}</div>
                </li>
              ))}
            </ul>
          )}
        </Panel>
      </div>
      <Days days={days} />
      <Savings />
      <Panel title="Largest caches" aside={<a href="/caches">all</a>}>
        {caches.length === 0 ? (
          <Empty command="memoir cache create lab --location ./lab-cache">There is no named cache yet.</Empty>
        ) : (
          <DataTable
            rows={caches}
            keyOf={({ ref }) => ref}
            columns={[
              { title: "Cache", cell: ({ ref, name }) => <a href={href("caches", ref)}>{name ?? ref}</a> },
              { title: "Entries", isNumber: true, cell: ({ entries }) => countText(entries) },
              { title: "Size", isNumber: true, cell: ({ bytes }) => bytesText(bytes) },
            ]}
          />
        )}
      </Panel>
    </>
  );
}

function Days({ days }: { readonly days: HomeAnswer["days"] }): VNode {
  const plotted = useMemo(
    () => ({
      x: days.map(({ day }) => Date.parse(`${day}T00:00:00`) / 1000),
      calls: [
        { label: "reused", colour: "reused", values: days.map(({ reused }) => reused) },
        { label: "computed", colour: "computed", values: days.map(({ computed }) => computed) },
        { label: "failed", colour: "failed", values: days.map(({ failed }) => failed) },
      ],
      rows: [
        { label: "reused", colour: "reused", values: days.map(({ rowsReused = 0 }) => rowsReused) },
        { label: "computed", colour: "computed", values: days.map(({ rowsComputed = 0 }) => rowsComputed) },
      ],
    }),
    [days],
  );
  const hasRows = days.some(({ rowsReused = 0, rowsComputed = 0 }) => rowsReused + rowsComputed > 0);
  const sumOf = (member: "reused" | "computed" | "failed") => days.reduce((sum, day) => sum + day[member], 0);
  return (
    <>
      <Panel title="Calls of the last 30 days">
        <Plot
          label={`Calls a day: ${countText(sumOf("reused"))} reused, ${countText(sumOf("computed"))} computed, ${countText(sumOf("failed"))} failed in all`}
          x={plotted.x}
          isTime
          kind={days.length < 3 ? "bars" : "area"}
          series={plotted.calls}
        />
      </Panel>
      {hasRows ? (
        <Panel title="Predictions of the last 30 days">
          <Plot
            label="Predictions a day, reused and computed"
            x={plotted.x}
            isTime
            kind="area"
            series={plotted.rows}
          />
        </Panel>
      ) : null}
    </>
  );
}

function Savings(): VNode | null {
  const [by, setBy] = useState("workflow");
  const { data, problem, again } = useAnswer<Answer<"Savings">>(apiPath(["savings"], { by }));
  const moneyColumn: TableColumn<Answer<"Savings">["rows"][number]> = {
    ...{ title: "Money saved", isNumber: true },
    cell: ({ money = 0 }) => moneyText(money, data?.currency),
  };
  if (problem !== undefined && data === undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return null;
  return (
    <Panel
      title="What reuse has saved"
      aside={
        <label>
          by{" "}
          <select value={by} onChange={(event) => setBy(event.currentTarget.value)}>
            <option value="workflow">workflow</option>
            <option value="task">task</option>
            <option value="model">model</option>
          </select>
        </label>
      }
    >
      {data.rows.length === 0 ? (
        <Empty>Nothing has been reused yet.</Empty>
      ) : (
        <DataTable
          rows={data.rows}
          keyOf={({ name }) => name}
          most={10}
          total={{ name: "All", ...data.total }}
          columns={[
            { title: "Name", cell: ({ name }) => name },
            { title: "Reused", isNumber: true, cell: ({ reused }) => countText(reused) },
            { title: "Computed", isNumber: true, cell: ({ computed }) => countText(computed) },
            { title: "Time saved", isNumber: true, cell: ({ wallSeconds }) => durationText(wallSeconds) },
            { title: "CPU time saved", isNumber: true, cell: ({ cpuSeconds }) => durationText(cpuSeconds) },
            { title: "Bytes reused", isNumber: true, cell: ({ bytes }) => bytesText(bytes) },
            ...(data.total.money === undefined ? [] : [moneyColumn]),
          ]}
        />
      )}
    </Panel>
  );
}
