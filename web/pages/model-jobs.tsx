/** Predictions of a whole file: choose it, watch it, download the result. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath, ask, type Problem, problemOf, upload } from "../client.ts";
import { countText } from "../format.ts";
import { useStream } from "../live.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Empty, Loading, Panel, ProblemNote, StateBadge, useNow, When } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

type Job = Answer<"PredictionJob">;

export function ModelJobs({ model }: { readonly model: string }): VNode {
  const path = apiPath(["predictions", model, "jobs"]);
  const { data, problem, again } = useAnswer<Answer<"PredictionJobs">>(path);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const [isSending, setIsSending] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const file = new FormData(form).get("file");
    if (!(file instanceof File) || file.size === 0) return;
    setTrouble(undefined);
    setIsSending(true);
    try {
      await upload(apiPath(["predictions", model, "jobs"], { name: file.name }), file);
      form.reset();
      again();
    } catch (error) {
      setTrouble(problemOf(error));
    } finally {
      setIsSending(false);
    }
  };
  return (
    <Panel title="Predict for a file">
      <form class="filters" onSubmit={(event) => void submit(event)}>
        <label>
          CSV or TSV file with a column of molecules
          <input type="file" name="file" accept=".csv,.tsv,text/csv" required />
        </label>
        <button type="submit" disabled={isSending}>
          {isSending ? "Sending…" : "Predict"}
        </button>
      </form>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {problem === undefined ? null : <ProblemNote problem={problem} again={again} />}
      {data === undefined && problem === undefined ? <Loading what="files" /> : null}
      {data?.jobs.length === 0 ? (
        <Empty>
          No file was sent yet. Stored predictions are reused, and the others are computed and stored.
        </Empty>
      ) : (
        <ul class="list">
          {data?.jobs.map((job) => (
            <JobRow key={job.id} first={job} onDeleted={again} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function JobRow({ first, onDeleted }: { readonly first: Job; onDeleted(): void }): VNode {
  const [job, setJob] = useState(first);
  const [isAsking, setIsAsking] = useState(false);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const now = useNow(10_000);
  const { id, model, name, state, createdAt, reused, computed, failed, share } = job;
  const isOpen = state === "waiting" || state === "running";
  const path = ["predictions", model, "jobs", id];
  useStream(isOpen ? apiPath(path) : undefined, ["job"], (events) => {
    const last = events.at(-1);
    if (last !== undefined) setJob(last as unknown as Job);
  });
  const cancel = () => void ask(apiPath([...path, "cancel"]), { method: "POST" }).catch(() => undefined);
  const remove = () =>
    void ask(apiPath([...path, "delete"]), { method: "POST" }).then(onDeleted, (error: unknown) =>
      setTrouble(problemOf(error)),
    );
  return (
    <li>
      <div class="line">
        <strong>{name}</strong>
        <StateBadge state={state} />
        {isOpen && share !== undefined ? (
          <progress max={1} value={share} aria-label={`Progress of ${name}`}>
            {Math.round(100 * share)} %
          </progress>
        ) : null}
        <span class="quiet">
          {countText(reused)} reused, {countText(computed)} computed
          {failed > 0 ? `, ${countText(failed)} failed` : ""}
        </span>
        <span class="far quiet">
          <When at={createdAt} now={now} />
        </span>
        {state === "succeeded" ? (
          <a class="button" href={apiPath([...path, "result"])} download aria-label={`Download ${name}`}>
            Download
          </a>
        ) : null}
        {isOpen ? (
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        ) : (
          <button type="button" aria-label={`Delete ${name}`} onClick={() => setIsAsking(true)}>
            Delete…
          </button>
        )}
      </div>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {isAsking ? (
        <Confirm
          title="Delete this file?"
          confirm="Delete the file"
          isDangerous
          onConfirm={remove}
          onClose={() => setIsAsking(false)}
        >
          <p>The uploaded file and its result are removed from the server. Predictions stay stored.</p>
        </Confirm>
      ) : null}
      {job.message === undefined ? null : (
        <ProblemNote
          problem={{
            ...{ type: "about:blank", title: "Failed", status: 0, detail: job.message },
            code: job.code ?? "RUN_INTERRUPTED",
          }}
        />
      )}
      {job.warnings.map((warning) => (
        <p key={warning} class="note tone-plain">
          {warning}
        </p>
      ))}
    </li>
  );
}
