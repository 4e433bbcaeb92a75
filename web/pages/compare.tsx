/** Two runs side by side: only what differs. */
import type { VNode } from "preact";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { countOf, durationText } from "../format.ts";
import { href, type Place, setQuery } from "../location.ts";
import { DataTable } from "../parts/data-table.tsx";
import { Differences } from "../parts/difference.tsx";
import { Empty, Facts, Loading, Panel, ProblemNote } from "../parts/small.tsx";
import type { Run } from "../shapes.ts";
import { useAnswer } from "../use-answer.ts";

export function Compare({ place }: { readonly place: Place }): VNode {
  const [a, b] = [place.query.get("a") ?? "", place.query.get("b") ?? ""];
  const { data } = useAnswer<{ readonly runs: readonly Run[] }>(apiPath(["runs"], { limit: 200 }));
  const runs = data?.runs ?? [];
  return (
    <>
      <h1>Compare</h1>
      <search class="filters">
        <RunChoice label="Before" name="a" value={a} runs={runs} />
        <RunChoice label="After" name="b" value={b} runs={runs} />
        <button type="button" disabled={a === "" && b === ""} onClick={() => setQuery({ a: b, b: a })}>
          Swap
        </button>
      </search>
      {a === "" || b === "" ? (
        <section class="panel">
          <Empty command="memoir runs diff BEFORE AFTER">
            Choose two runs, here or in the list of runs. The command line compares them, too:
          </Empty>
        </section>
      ) : (
        <Compared a={a} b={b} />
      )}
    </>
  );
}

function RunChoice(props: {
  readonly label: string;
  readonly name: "a" | "b";
  readonly value: string;
  readonly runs: readonly Run[];
}): VNode {
  const { label, name, value, runs } = props;
  const isListed = value === "" || runs.some(({ id }) => id === value);
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
        <option value="">choose a run</option>
        {isListed ? null : <option value={value}>{value}</option>}
        {runs.map(({ id, workflow, state }) => (
          <option key={id} value={id}>
            {workflow} · {id} · {state}
          </option>
        ))}
      </select>
    </label>
  );
}

type ChangedCall = Answer<"RunDiff">["rows"][number];

type ValueChange = Answer<"ValueDifference">;

const changes = {
  same: "is the same",
  differs: "differs",
  "only-before": "only before",
  "only-after": "only after",
  unknown: "cannot be compared",
} as const;

const mostRows = 300;

function Compared({ a, b }: { readonly a: string; readonly b: string }): VNode {
  const { data, problem, again } = useAnswer<Answer<"RunComparison">>(apiPath(["compare"], { a, b }));
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="both runs" />;
  const { inputs, outputs, times } = data;
  const rows = data.rows as readonly ChangedCall[];
  return (
    <>
      <Panel title="In short">
        <Facts
          rows={[
            [
              "Runs",
              <span key="runs">
                <a href={href("runs", a)}>{a}</a> → <a href={href("runs", b)}>{b}</a>
              </span>,
            ],
            ["Calls with the same key", countOf(data.same, "call")],
            ["Calls that differ", countOf(rows.length, "call")],
          ]}
        />
      </Panel>
      <ValueChanges title="Inputs that differ" values={inputs} />
      <Panel title="Calls that differ">
        {rows.length === 0 ? (
          <Empty>Every call of the two runs has the same key.</Empty>
        ) : (
          <ul class="list">
            {rows.slice(0, mostRows).map(({ call, change, differences }) => (
              <li key={call}>
                <div class="line">
                  {change === "only-after" || change === "only-before" ? (
                    <a href={href("runs", change === "only-after" ? b : a, "calls", call)}>{call}</a>
                  ) : (
                    <a href={href("runs", b, "calls", call)}>{call}</a>
                  )}
                  <span class="badge">{changes[change]}</span>
                </div>
                {differences.length === 0 ? null : <Differences differences={differences} />}
              </li>
            ))}
            {rows.length > mostRows ? <li class="quiet">and {rows.length - mostRows} more</li> : null}
          </ul>
        )}
      </Panel>
      <ValueChanges title="Outputs that differ" values={outputs} />
      <Panel title="Times">
        {times.length === 0 ? (
          <Empty>No call was computed in both runs.</Empty>
        ) : (
          <DataTable
            rows={times}
            keyOf={({ call }) => call}
            most={mostRows}
            columns={[
              { title: "Call", cell: ({ call }) => call },
              { title: "Before", isNumber: true, cell: ({ before }) => durationText(before) },
              { title: "After", isNumber: true, cell: ({ after }) => durationText(after) },
            ]}
          />
        )}
      </Panel>
    </>
  );
}

function ValueChanges(props: {
  readonly title: string;
  readonly values: readonly ValueChange[];
}): VNode | null {
  const { title, values } = props;
  return (
    <Panel title={title}>
      {values.length === 0 ? (
        <Empty>None.</Empty>
      ) : (
        <DataTable
          rows={values}
          keyOf={({ name }) => name}
          columns={[
            { title: "Name", cell: ({ name }) => name },
            { title: "Before", isCode: true, cell: ({ before }) => before ?? "–" },
            { title: "After", isCode: true, cell: ({ after }) => after ?? "–" },
          ]}
        />
      )}
    </Panel>
  );
}
