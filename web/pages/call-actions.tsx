/** What can be done with the recorded result of a call: pin it, invalidate it, compute it again. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath, ask, type Problem, problemOf } from "../client.ts";
import { go, href } from "../location.ts";
import { Confirm } from "../parts/dialog.tsx";
import { ProblemNote } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

type EntryOfCall = NonNullable<Answer<"CallDetail">["entry"]>;
type Question = "invalidate" | "compute";

const words = {
  invalidate: {
    title: "Invalidate this result?",
    confirm: "Invalidate",
    about:
      "It is never reused again: the next run that needs it computes it. Its files stay until the cache is pruned.",
  },
  compute: {
    title: "Compute this call again?",
    confirm: "Compute again",
    about:
      "Its result is invalidated and the workflow is run again with the same inputs: this call is computed, and so is what depends on it if its results differ. Everything else is reused.",
  },
} as const;

export function EntryActions(props: {
  readonly run: string;
  readonly entry: EntryOfCall;
  onChanged(): void;
}): VNode {
  const { run, entry, onChanged } = props;
  const { cache, uuid, pinned } = entry;
  const form = useAnswer<Answer<"RunForm">>(apiPath(["runs", run, "form"])).data;
  const [question, setQuestion] = useState<Question | undefined>(undefined);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const [isBusy, setIsBusy] = useState(false);
  const change = async (work: () => Promise<void>) => {
    setTrouble(undefined);
    setIsBusy(true);
    try {
      await work();
    } catch (error) {
      setTrouble(problemOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  const send = (what: "pin" | "invalidate", more: Readonly<Record<string, unknown>> = {}) =>
    ask(apiPath(["caches", cache, what]), { method: "POST", body: { entries: [uuid], ...more } });
  const pin = () =>
    change(async () => {
      await send("pin", { pinned: !pinned });
      onChanged();
    });
  const apply = (chosen: Question) =>
    change(async () => {
      if (chosen === "invalidate") {
        await send("invalidate");
        return onChanged();
      }
      // In one request: a run that cannot begin invalidates nothing.
      const begun = await ask<Answer<"RunBegun">>(apiPath(["runs", run, "again"]), {
        ...{ method: "POST", body: { cache, entry: uuid } },
      });
      go(href("runs", begun.run));
    });
  return (
    <>
      {pinned ? <span class="badge tone-plain">pinned</span> : null}
      <div class="actions">
        <button type="button" disabled={isBusy} onClick={() => void pin()}>
          {pinned ? "Unpin" : "Pin"}
        </button>
        <button type="button" disabled={isBusy} onClick={() => setQuestion("invalidate")}>
          Invalidate…
        </button>
        {form?.canRun === true ? (
          <button type="button" disabled={isBusy} onClick={() => setQuestion("compute")}>
            Compute again…
          </button>
        ) : null}
      </div>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {question === undefined ? null : (
        <Confirm
          title={words[question].title}
          confirm={words[question].confirm}
          isDangerous
          onConfirm={() => void apply(question)}
          onClose={() => setQuestion(undefined)}
        >
          <p>{words[question].about}</p>
        </Confirm>
      )}
    </>
  );
}
