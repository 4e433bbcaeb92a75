/** How the values of each column are distributed over a sample of the stored rows. */
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { countText } from "../format.ts";
import { Panel } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

type ColumnsAnswer = Answer<"ColumnSpreads">;

export function Distributions({ model }: { readonly model: string }): VNode | null {
  const { data } = useAnswer<ColumnsAnswer>(apiPath(["predictions", model, "columns"]));
  if (data === undefined || data.columns.length === 0) return null;
  return (
    <Panel title="Distributions" aside={`over a sample of ${countText(data.rows)} stored rows`}>
      <div class="grid small-cells">
        {data.columns.slice(0, 60).map((column) => (
          <Histogram key={column.name} column={column} />
        ))}
      </div>
    </Panel>
  );
}

function Histogram({ column }: { readonly column: ColumnsAnswer["columns"][number] }): VNode {
  const { name, description, spread, bins = [], values, empty } = column;
  const highest = useMemo(() => Math.max(1, ...bins), [bins]);
  const [width, height] = [220, 60];
  const step = width / Math.max(1, bins.length);
  const text = (value: number) => Number(value.toPrecision(3)).toString();
  const words = [
    spread === undefined
      ? ""
      : `from ${text(spread.least)} to ${text(spread.most)}, median ${text(spread.median)}`,
    ...(values ?? []).slice(0, 5).map(({ value, count }) => `${value}: ${countText(count)}`),
    empty > 0 ? `${countText(empty)} without a value` : "",
  ].filter((each) => each !== "");
  return (
    <div>
      <h3 title={description}>{name}</h3>
      {bins.length === 0 ? null : (
        <svg width={width} height={height} role="img" aria-label={`Histogram of ${name}`} class="histogram">
          {bins.map((count, at) => (
            <rect
              key={`${at}`}
              x={at * step + 0.5}
              width={Math.max(1, step - 1)}
              y={height - (count / highest) * height}
              height={(count / highest) * height}
            />
          ))}
        </svg>
      )}
      <p class="quiet">{words.join(", ")}</p>
    </div>
  );
}
