/** What an error code means and what to do: the page that every error links. */
import type { VNode } from "preact";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { Facts, Loading, PageProblem, Panel } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

const kinds: Readonly<Record<string, string>> = {
  usage: "The command was used wrongly.",
  input: "Data or a text that was given is wrong.",
  "not-found": "Something that was named does not exist.",
  environment: "The machine, the network, credentials or the disk are in the way.",
  conflict: "Another run, or the present state, does not allow it.",
  damaged: "Stored data are not what was written.",
  failed: "The computation failed as a whole.",
  interrupted: "It was stopped from outside.",
  unfinished: "Other work has to be done first.",
  request: "The server refused the request.",
  bug: "Memoir itself is wrong.",
};

export function ErrorCode({ code }: { readonly code: string }): VNode {
  const { data, problem, again } = useAnswer<Answer<"ErrorPage">>(apiPath(["errors", code]));
  if (problem !== undefined) return <PageProblem title={code} problem={problem} again={again} />;
  if (data === undefined) return <Loading what="the error code" />;
  return (
    <>
      <h1>{data.code}</h1>
      <Panel title="What to do">
        <p>{data.hint}</p>
        <Facts
          rows={[
            ["What kind of error it is", kinds[data.kind] ?? data.kind],
            [
              "Trying the same again",
              data.retry === "later" ? "may succeed later without a change" : "leads to the same error",
            ],
          ]}
        />
      </Panel>
    </>
  );
}
