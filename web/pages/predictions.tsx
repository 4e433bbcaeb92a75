/** Stored predictions of every model, per release and tier. */
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { countText } from "../format.ts";
import { href } from "../location.ts";
import { DataTable } from "../parts/data-table.tsx";
import { Empty, Facts, Figure, Loading, PageProblem, Panel } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

type Stats = Answer<"PredictionStats">;

export function Predictions(): VNode {
  const { data, problem, again } = useAnswer<Stats>(apiPath(["predictions"]));
  const models = useMemo(() => new Set(data?.rows.map(({ model }) => model)), [data]);
  if (problem !== undefined) return <PageProblem title="Predictions" problem={problem} again={again} />;
  if (data === undefined) return <Loading what="models" />;
  return (
    <>
      <h1>Predictions</h1>
      <dl class="figures">
        <Figure name="Models" value={countText(models.size)} />
        <Figure name="Rows in the local tier" value={countText(sumOf(data, "local"))} />
        <Figure name="Rows in the cloud tier" value={countText(sumOf(data, "cloud"))} />
      </dl>
      <Panel title="Models">
        {data.rows.length === 0 ? (
          <Empty command="memoir run --model eos3b5e -i molecules.csv -o predictions.csv">
            No prediction is stored yet. This computes and stores some:
          </Empty>
        ) : (
          <ModelTable rows={data.rows} />
        )}
        {data.problems.map((each) => (
          <p key={each} class="note tone-bad">
            {each}
          </p>
        ))}
      </Panel>
      <Panel title="Tiers">
        <Facts
          rows={[
            ["Local", <code key="local">{data.local}</code>],
            ["Cloud", <code key="cloud">{data.cloud}</code>],
          ]}
        />
      </Panel>
    </>
  );
}

export function ModelTable({ rows }: { readonly rows: Stats["rows"] }): VNode {
  return (
    <DataTable
      rows={rows}
      keyOf={({ model, release, state }) => `${model} ${release ?? ""} ${state}`}
      columns={[
        { title: "Model", cell: ({ model }) => <a href={href("predictions", model)}>{model}</a> },
        { title: "Release", cell: ({ release }) => release ?? "–" },
        { title: "State", cell: ({ state }) => stateTexts[state] },
        {
          title: "Local rows",
          isNumber: true,
          cell: ({ local }) => (local === undefined ? "–" : countText(local)),
        },
        {
          title: "Cloud rows",
          isNumber: true,
          cell: ({ cloud }) => (cloud === undefined ? "–" : countText(cloud)),
        },
      ]}
    />
  );
}

const stateTexts: Readonly<Record<Stats["rows"][number]["state"], string>> = {
  current: "of the installed release",
  "other-release": "of another release",
  "other-columns": "with other columns",
  "unknown-release": "of an unknown release",
  "no-model": "the model is not installed here",
};

function sumOf({ rows }: Stats, tier: "local" | "cloud"): number {
  return rows.reduce((sum, row) => sum + (row[tier] ?? 0), 0);
}
