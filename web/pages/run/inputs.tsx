/** What the run was given. */
import type { VNode } from "preact";
import { apiPath } from "../../client.ts";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Empty, Loading, Panel, ProblemNote } from "../../parts/small.tsx";
import { useAnswer } from "../../use-answer.ts";

export function Inputs({ run }: { readonly run: string }): VNode {
  const { data, problem, again } = useAnswer<{ readonly inputs?: unknown }>(apiPath(["runs", run, "inputs"]));
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="inputs" />;
  const { inputs } = data;
  const isEmpty = inputs === undefined || inputs === null || Object.keys(inputs as object).length === 0;
  return (
    <Panel title="Inputs">
      {isEmpty ? <Empty>This run has no inputs.</Empty> : <JsonTree value={inputs} />}
    </Panel>
  );
}
