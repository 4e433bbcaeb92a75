/** Stored molecules that are similar to the one that was asked for. */
import type { VNode } from "preact";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { countText } from "../format.ts";
import { DataTable } from "../parts/data-table.tsx";
import { Empty, Loading, Panel, ProblemNote } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

type Row = Answer<"Neighbours">["neighbours"][number];

/** More columns do not fit; the model's page of a molecule has them all. */
const mostColumns = 6;

export function Nearest({ model, input }: { readonly model: string; readonly input: string }): VNode {
  const { data, problem, again } = useAnswer<Answer<"Neighbours">>(
    apiPath(["predictions", model, "nearest"], { smiles: input }),
  );
  if (problem?.code === "SIMILAR_INDEX_OLD")
    return (
      <Panel title="Nearest stored molecules">
        <Empty command={`memoir similar ${model} -i molecules.csv`}>
          There is no index of similar molecules yet. This makes one:
        </Empty>
      </Panel>
    );
  const columns = Object.keys(data?.neighbours[0]?.values ?? {}).slice(0, mostColumns);
  return (
    <Panel
      title="Nearest stored molecules"
      aside={data === undefined ? undefined : `of ${countText(data.molecules)} in the ${data.cache} cache`}
    >
      {problem === undefined ? null : <ProblemNote problem={problem} again={again} />}
      {data === undefined && problem === undefined ? <Loading what="similar molecules" /> : null}
      {data?.warning === undefined ? null : <p class="note tone-plain">{data.warning}</p>}
      {data === undefined ? null : data.neighbours.length === 0 ? (
        <Empty>
          {data.isMolecule ? "No stored molecule is similar to this one." : "This is not a molecule."}
        </Empty>
      ) : (
        <DataTable<Row>
          rows={data.neighbours}
          keyOf={({ input: other }) => other}
          columns={[
            {
              title: "Molecule",
              cell: ({ input: other }) => (
                <a href={`/predictions/${model}?input=${encodeURIComponent(other)}`}>
                  <code>{other}</code>
                </a>
              ),
            },
            { title: "Similarity", isNumber: true, cell: ({ similarity }) => similarity.toFixed(2) },
            ...columns.map((name) => ({
              ...{ title: name, isNumber: true },
              cell: ({ values }: Row) => valueText(values[name]),
            })),
          ]}
        />
      )}
    </Panel>
  );
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(4) : String(value);
}
