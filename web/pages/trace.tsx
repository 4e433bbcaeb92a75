/** Where a file came from: the call that made it, and that call's inputs, back to the first ones. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { bytesText, countOf } from "../format.ts";
import { href, type Place, setQuery } from "../location.ts";
import { Empty, Facts, Loading, Panel, ProblemNote, StateBadge } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

type Traced = Answer<"Trace">;
type TracedCall = Traced["calls"][number];

export function Trace({ place }: { readonly place: Place }): VNode {
  const file = place.query.get("file") ?? "";
  const [typed, setTyped] = useState(file);
  return (
    <>
      <h1>Where a file came from</h1>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          setQuery({ file: typed });
        }}
      >
        <label>
          File or folder
          <input
            type="text"
            size={48}
            placeholder="/absolute/path or s3://…"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={typed === ""}>
          Trace
        </button>
      </form>
      {file === "" ? (
        <section class="panel">
          <Empty command="memoir trace FILE">
            Give the path of a file on the server's machine. It is found by its content. The command line does
            the same:
          </Empty>
        </section>
      ) : (
        <Found key={file} file={file} />
      )}
    </>
  );
}

function Found({ file }: { readonly file: string }): VNode {
  const { data, problem, again } = useAnswer<Traced>(apiPath(["trace"], { file }));
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="the trace" />;
  const { bytes, identity, kind } = data.file;
  return (
    <>
      <Panel title="File">
        <Facts
          rows={[
            ["Path", <code key="path">{data.file.path}</code>],
            ["Kind", kind],
            ["Size", bytes === undefined ? "–" : bytesText(bytes)],
            ["Checksum", <code key="identity">{identity ?? "not on this machine"}</code>],
            ["Found by", foundText(data)],
          ]}
        />
        {data.alsoMadeBy.length === 0 ? null : (
          <p class="quiet">
            The same content was also made by{" "}
            {data.alsoMadeBy.map(({ run, call }) => `${call} of run ${run}`).join(", ")}.
          </p>
        )}
      </Panel>
      {data.calls.map((call) => (
        <Step key={call.id} call={call} traced={data} />
      ))}
      <Panel title="First inputs" aside={countOf(data.firstInputs.length, "first input")}>
        {data.firstInputs.length === 0 ? (
          <Empty>No file was given to the first call.</Empty>
        ) : (
          <ul>
            {data.firstInputs.map(({ location, identity, writtenBy }) => (
              <li key={`${location} ${identity}`}>
                <code>{location ?? identity}</code>
                {writtenBy === undefined ? null : ` written by the workflow itself, run ${writtenBy}`}
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </>
  );
}

function foundText({ found, recorded }: Traced): string {
  if (found === "content") return "its content";
  if (found === "location") return "its path; its content is not known here";
  return `its path: it was changed since the run made ${recorded ?? "it"}`;
}

function Step({ call, traced }: { readonly call: TracedCall; readonly traced: Traced }): VNode {
  const { id, run, language, workflow, state, computedBy, command, image, executor, predictions } = call;
  const inputs = traced.edges.filter(({ to }) => to === id);
  const name = predictions === undefined ? call.call : `predictions of ${workflow}`;
  return (
    <Panel title={name} aside={<StateBadge state={state} />}>
      <Facts
        rows={[
          [
            "Run",
            predictions === undefined ? (
              <a key="run" href={href("runs", run)}>
                {run}
              </a>
            ) : (
              run
            ),
          ],
          [predictions === undefined ? "Workflow" : "Model", `${workflow} (${language})`],
          ...(computedBy === undefined
            ? []
            : [["Computed by", `${computedBy.call ?? "a call"} of run ${computedBy.run}`] as const]),
          ...(image === undefined ? [] : [["Image", image] as const]),
          ...(executor === undefined ? [] : [["Executor", executor] as const]),
          ...(predictions === undefined ? [] : [["Release", predictions.release] as const]),
        ]}
      />
      {command === undefined ? null : <pre tabIndex={0}>{command.trim()}</pre>}
      {predictions === undefined ? null : (
        <ul>
          {predictions.batches.map(({ rows, computedAt, runner, toolkit, run: by }) => (
            <li key={`${computedAt} ${by} ${runner}`}>
              {countOf(rows, "row")} computed {computedAt ?? "at an unknown time"} by{" "}
              {[runner, toolkit].filter((each) => each !== undefined).join(", ") || "an unknown runner"}
              {by === undefined ? "" : `, run ${by}`}
            </li>
          ))}
        </ul>
      )}
      <ul>
        {inputs.map(({ place, from, location, identity }) => (
          <li key={`${place} ${location} ${identity}`}>
            {place} from <code>{location ?? identity ?? "an unknown place"}</code>
            {from === undefined ? " (first input)" : `, made by ${madeBy(traced, from)}`}
          </li>
        ))}
      </ul>
      {call.isCut === true ? <p class="quiet">Its inputs are not followed.</p> : null}
    </Panel>
  );
}

function madeBy({ calls }: Traced, id: string): string {
  const call = calls.find((each) => each.id === id);
  return call === undefined ? id : `${call.call} of run ${call.run}`;
}
