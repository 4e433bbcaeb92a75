/** One model: what is stored of it, and what it says about a molecule. */
import type { VNode } from "preact";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { absoluteText } from "../format.ts";
import { type Place, setQuery } from "../location.ts";
import { Empty, Loading, Panel, ProblemNote } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";
import { Distributions } from "./model-columns.tsx";
import { ModelJobs } from "./model-jobs.tsx";
import { Nearest } from "./model-nearest.tsx";
import { ModelTable } from "./predictions.tsx";

export function Model({ model, place }: { readonly model: string; readonly place: Place }): VNode {
  const { data, problem, again } = useAnswer<Answer<"PredictionStats">>(apiPath(["predictions", model]));
  const input = place.query.get("input") ?? "";
  return (
    <>
      <div>
        <p class="crumbs">
          <a href="/predictions">Predictions</a>
        </p>
        <h1>{model}</h1>
      </div>
      <Panel title="Ask about a molecule">
        <form
          class="filters"
          onSubmit={(event) => {
            event.preventDefault();
            setQuery({ input: String(new FormData(event.currentTarget).get("input")).trim() });
          }}
        >
          <input
            type="search"
            name="input"
            aria-label="Molecule as SMILES"
            placeholder="A SMILES, such as CCO"
            defaultValue={input}
            spellcheck={false}
          />
          <button type="submit" class="primary">
            Look up
          </button>
        </form>
        {input === "" ? null : <LookUp model={model} input={input} />}
      </Panel>
      {input === "" ? null : <Nearest model={model} input={input} />}
      {problem === undefined ? null : <ProblemNote problem={problem} again={again} />}
      {data === undefined && problem === undefined ? <Loading what="the model" /> : null}
      {data === undefined ? null : (
        <Panel title="Stored rows">
          {data.rows.length === 0 ? (
            <Empty command={`memoir run --model ${model} -i molecules.csv -o predictions.csv`}>
              Nothing is stored of this model. This computes and stores some:
            </Empty>
          ) : (
            <ModelTable rows={data.rows} />
          )}
        </Panel>
      )}
      <ModelJobs model={model} />
      <Distributions model={model} />
    </>
  );
}

/** What is stored of every model for the molecule, this one first. */
function LookUp({ model, input }: { readonly model: string; readonly input: string }): VNode {
  const smiles = input;
  const { data, problem } = useAnswer<Answer<"MoleculeValues">>(apiPath(["molecule"], { smiles }));
  const drawing = useAnswer<Answer<"Drawing">>(apiPath(["molecule", "drawing"], { smiles })).data;
  if (problem !== undefined) return <ProblemNote problem={problem} />;
  if (data === undefined) return <Loading what="the molecule" />;
  const found = data.found.toSorted((a, b) => Number(b.model === model) - Number(a.model === model));
  return (
    <div class="grid">
      <div>
        {drawing?.svg === undefined ? (
          <p class="quiet">{drawing === undefined ? "Drawing…" : "This molecule cannot be drawn."}</p>
        ) : (
          <img
            class="structure"
            alt={`Structure of ${input}`}
            src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing.svg)}`}
          />
        )}
        <p class="quiet">
          Key <code>{data.key}</code>
        </p>
      </div>
      <div>
        {found.some((each) => each.model === model) ? null : (
          <Empty command={`memoir run --model ${model} -i molecules.csv -o predictions.csv`}>
            Nothing is stored of {model} for this molecule. A run computes it:
          </Empty>
        )}
        {found.map(({ model: other, release, cache, computedAt, storedAs, values }) => (
          <section key={`${other} ${release ?? ""} ${cache}`}>
            <h3>
              {other}
              {release === undefined ? "" : `, release ${release}`}
            </h3>
            <p class="quiet">
              From the {cache} cache
              {computedAt === undefined ? "" : `, computed ${absoluteText(Date.parse(computedAt))}`}
              {storedAs === undefined || storedAs === input ? "" : `, stored as ${storedAs}`}
            </p>
            <table>
              <tbody>
                {Object.entries(values).map(([name, value]) => (
                  <tr key={name}>
                    <td>{name}</td>
                    <td class="number">{value === null ? "no value" : String(value)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        ))}
        {data.problems.map((each) => (
          <p key={each} class="note tone-bad">
            {each}
          </p>
        ))}
      </div>
    </div>
  );
}
