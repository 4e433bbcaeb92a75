/** How large a cache is: by task, by workflow, and over time. */
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { Answer } from "../../../src/v1/index.ts";
import { apiPath } from "../../client.ts";
import { bytesText, countOf, countText } from "../../format.ts";
import { lazy } from "../../lazy.tsx";
import { href } from "../../location.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { PlotProps } from "../../parts/plot.tsx";
import { Empty, Loading, Panel, ProblemNote } from "../../parts/small.tsx";
import { treeMap } from "../../tree-map.ts";
import { useAnswer } from "../../use-answer.ts";

const Plot = lazy<PlotProps>(async () => (await import("../../parts/plot.tsx")).Plot);

interface Group {
  readonly name: string;
  readonly bytes: number;
  readonly entries: number;
}

export function Size({ cache }: { readonly cache: string }): VNode {
  const { data, problem, again } = useAnswer<Answer<"CacheSize">>(apiPath(["caches", cache, "size"]));
  const ages = useAnswer<AgesAnswer>(apiPath(["caches", cache, "ages"])).data;
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="sizes" />;
  const groupsOf = (of: Answer<"CacheSize">["byTask"]): readonly Group[] =>
    Object.entries(of)
      .map(([name, { uniqueBytes, entries }]) => ({ name, bytes: uniqueBytes, entries }))
      .sort((a, b) => b.bytes - a.bytes);
  if (data.entries === 0)
    return (
      <section class="panel">
        <Empty command={`memoir run workflow.wdl --cache ${cache}`}>
          This cache is empty. A run fills it:
        </Empty>
      </section>
    );
  return (
    <>
      {data.apparentBytes > data.uniqueBytes ? (
        <p class="quiet">
          Equal files are kept once: {bytesText(data.apparentBytes)} of results take{" "}
          {bytesText(data.uniqueBytes)}.
        </p>
      ) : null}
      <div class="grid">
        <Panel title="Results by task">
          <SizeMap cache={cache} by="task" groups={groupsOf(data.byTask)} />
        </Panel>
        <Panel title="Results by workflow">
          <SizeMap cache={cache} by="workflow" groups={groupsOf(data.byWorkflow)} />
        </Panel>
      </div>
      {ages === undefined || ages.days.length === 0 ? null : <OverTime {...ages} />}
    </>
  );
}

type AgesAnswer = Answer<"CacheAges">;

/**
 * How large the cache was: as it was measured, and before the first time by the days on which what it holds was recorded.
 */
function OverTime({ days, sizes }: AgesAnswer): VNode {
  const plotted = useMemo(() => {
    const measured = sizes.map(({ at, bytes }) => ({ at: Date.parse(at), bytes }));
    const began = measured[0]?.at ?? Number.POSITIVE_INFINITY;
    const recorded = days
      .map(({ day, totalBytes }) => ({ at: Date.parse(`${day}T00:00:00Z`), bytes: totalBytes }))
      .filter(({ at }) => at < began);
    const points = [...recorded, ...measured];
    return {
      x: points.map(({ at }) => at / 1000),
      series: [{ label: "size", colour: "computed", values: points.map(({ bytes }) => bytes) }],
    };
  }, [days, sizes]);
  const first = days[0]?.day ?? "";
  const last = days.at(-1);
  return (
    <Panel title="Results over time">
      <Plot
        label={`Size of the cache from ${first} to ${last?.day ?? ""}, ${bytesText(last?.totalBytes ?? 0)} in the end`}
        x={plotted.x}
        isTime
        kind={plotted.x.length < 3 ? "bars" : "area"}
        series={plotted.series}
        valueText={bytesText}
      />
      <details>
        <summary>By age, as a table</summary>
        <DataTable
          rows={days.toReversed()}
          keyOf={({ day }) => day}
          columns={[
            { title: "Recorded on", cell: ({ day }) => day },
            { title: "Entries", isNumber: true, cell: ({ entries }) => countText(entries) },
            { title: "Size", isNumber: true, cell: ({ bytes }) => bytesText(bytes) },
          ]}
        />
      </details>
    </Panel>
  );
}

function SizeMap(props: {
  readonly cache: string;
  readonly by: "task" | "workflow";
  readonly groups: readonly Group[];
}): VNode {
  const { cache, by, groups } = props;
  const tiles = useMemo(() => treeMap(groups.slice(0, 40), ({ bytes }) => Math.max(1, bytes), 2.4), [groups]);
  const linkOf = (name: string) => `${href("caches", cache)}?tab=entries&${by}=${encodeURIComponent(name)}`;
  return (
    <>
      <div class="map">
        {tiles.map(({ item, x, y, width, height }) => (
          <a
            key={item.name}
            href={linkOf(item.name)}
            title={`${item.name}: ${bytesText(item.bytes)} in ${countOf(item.entries, "entries")}`}
            style={{
              left: `${x * 100}%`,
              top: `${y * 100}%`,
              width: `${width * 100}%`,
              height: `${height * 100}%`,
            }}
          >
            {item.name}
            <br />
            {bytesText(item.bytes)}
          </a>
        ))}
      </div>
      <details>
        <summary>As a table</summary>
        <DataTable
          rows={groups}
          keyOf={({ name }) => name}
          columns={[
            {
              title: by === "task" ? "Task" : "Workflow",
              cell: ({ name }) => <a href={linkOf(name)}>{name}</a>,
            },
            { title: "Entries", isNumber: true, cell: ({ entries }) => countText(entries) },
            { title: "Size", isNumber: true, cell: ({ bytes }) => bytesText(bytes) },
          ]}
        />
      </details>
    </>
  );
}
