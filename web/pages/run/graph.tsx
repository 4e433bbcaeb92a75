/** Which task's results went into which: one node per task, so that a large scatter is one box with its counts. */
import type { VNode } from "preact";
import type { Answer } from "../../../src/v1/index.ts";
import { apiPath } from "../../client.ts";
import { countOf } from "../../format.ts";
import { layered } from "../../graph-layout.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { Empty, Loading, ProblemNote } from "../../parts/small.tsx";
import { useAnswer } from "../../use-answer.ts";

const marks: Readonly<Record<string, string>> = {
  ...{ reused: "↺", computed: "✓", failed: "✕", running: "●", waiting: "◔", cancelled: "⊘" },
};

const size = { width: 190, height: 54, across: 80, down: 24 };

export function Graph({ run }: { readonly run: string }): VNode {
  const { data, problem, again } = useAnswer<Answer<"RunGraph">>(apiPath(["runs", run, "graph"]));
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="the graph" />;
  if (data.nodes.length === 0) return <Empty>This run has no calls yet.</Empty>;
  const places = layered(
    data.nodes.map(({ id }) => id),
    data.edges,
  );
  const x = (id: string) => 20 + (places.get(id)?.layer ?? 0) * (size.width + size.across);
  const y = (id: string) => 20 + (places.get(id)?.row ?? 0) * (size.height + size.down);
  const width = Math.max(...data.nodes.map(({ id }) => x(id))) + size.width + 20;
  const height = Math.max(...data.nodes.map(({ id }) => y(id))) + size.height + 20;
  return (
    <>
      <div class="graph">
        <svg width={width} height={height} role="group" aria-label="Graph of tasks">
          {data.edges.map(({ from, to, files }) => {
            const [left, top] = [x(from) + size.width, y(from) + size.height / 2];
            const [right, bottom] = [x(to), y(to) + size.height / 2];
            const bend = Math.max(30, (right - left) / 2);
            return (
              <path
                key={`${from} ${to}`}
                d={`M${left} ${top}C${left + bend} ${top} ${right - bend} ${bottom} ${right} ${bottom}`}
              >
                <title>{`${from} → ${to}: ${countOf(files, "file")}`}</title>
              </path>
            );
          })}
          {data.nodes.map(({ id, calls, states }) => {
            const parts = Object.entries(states).map(([state, count]) => `${marks[state] ?? "·"} ${count}`);
            return (
              <a key={id} href={`/runs/${encodeURIComponent(run)}?search=${encodeURIComponent(id)}`}>
                <g transform={`translate(${x(id)} ${y(id)})`}>
                  <rect width={size.width} height={size.height} rx="8" />
                  <text x="12" y="22">
                    {id.length > 24 ? `…${id.slice(-23)}` : id}
                    <title>{id}</title>
                  </text>
                  <text class="quiet" x="12" y="42">
                    {countOf(calls, "call")} · {parts.join(" ")}
                  </text>
                </g>
              </a>
            );
          })}
        </svg>
      </div>
      <details>
        <summary>The same as a table</summary>
        <DataTable
          rows={data.edges}
          keyOf={({ from, to }) => `${from} ${to}`}
          columns={[
            { title: "From", cell: ({ from }) => from },
            { title: "To", cell: ({ to }) => to },
            { title: "Files", isNumber: true, cell: ({ files }) => files },
          ]}
        />
      </details>
    </>
  );
}
