/** What tasks asked for against what they used. */
import type { VNode } from "preact";
import type { Answer } from "../../../src/v1/index.ts";
import { apiPath } from "../../client.ts";
import { bytesText, durationText } from "../../format.ts";
import { BoxPlot } from "../../parts/box-plot.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import { Empty, Loading, Panel, ProblemNote } from "../../parts/small.tsx";
import { useAnswer } from "../../use-answer.ts";

export function Resources({ run, workflow }: { readonly run: string; readonly workflow: string }): VNode {
  const { data, problem, again } = useAnswer<Answer<"RunResources">>(apiPath(["runs", run, "resources"]));
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="resources" />;
  const { tasks } = data;
  const noneMeasured = tasks.every(({ wallSeconds }) => wallSeconds === undefined);
  if (noneMeasured)
    return (
      <Panel title="Resources">
        <Empty>No call of this run was computed, so nothing was measured.</Empty>
      </Panel>
    );
  const mostOf = (values: readonly (number | undefined)[]) =>
    Math.max(0, ...values.map((value) => value ?? 0));
  const most = {
    wallSeconds: mostOf(tasks.map(({ wallSeconds }) => wallSeconds?.most)),
    cpus: mostOf(tasks.flatMap(({ cpus, asked }) => [cpus?.most, asked.cpu])),
    memory: mostOf(tasks.flatMap(({ memoryBytes, asked }) => [memoryBytes?.most, asked.memoryBytes])),
  };
  return (
    <>
      <Panel title="Resources" aside="box: the middle half; line: least to most; ◆ asked for">
        <DataTable
          rows={tasks}
          keyOf={({ task }) => task}
          columns={[
            { title: "Task", cell: ({ task }) => task },
            { title: "Calls", isNumber: true, cell: ({ calls }) => calls },
            {
              title: "Time",
              cell: ({ wallSeconds }) => (
                <BoxPlot spread={wallSeconds} most={most.wallSeconds} textOf={durationText} />
              ),
            },
            {
              title: "CPUs used",
              cell: ({ asked, cpus }) => (
                <BoxPlot
                  spread={cpus}
                  most={most.cpus}
                  asked={asked.cpu}
                  textOf={(value) => `${value.toFixed(value < 10 ? 2 : 0)} CPUs`}
                />
              ),
            },
            {
              title: "Memory used",
              cell: ({ asked, memoryBytes }) => (
                <BoxPlot
                  spread={memoryBytes}
                  most={most.memory}
                  asked={asked.memoryBytes}
                  textOf={bytesText}
                />
              ),
            },
          ]}
        />
      </Panel>
      <Advised workflow={workflow} />
    </>
  );
}

interface Sizes {
  readonly cpu?: number;
  readonly memoryBytes?: number;
}

/** What the history of the workflow says its tasks should ask for. */
function Advised({ workflow }: { readonly workflow: string }): VNode | null {
  const { data } = useAnswer<Answer<"Advice">>(apiPath(["advice"], { workflow }));
  if (data === undefined || data.tasks.length === 0) return null;
  const sizeText = ({ cpu, memoryBytes }: Sizes) =>
    [
      cpu === undefined ? "" : `${cpu} ${cpu === 1 ? "CPU" : "CPUs"}`,
      memoryBytes === undefined ? "" : bytesText(memoryBytes),
    ]
      .filter((text) => text !== "")
      .join(", ") || "–";
  return (
    <Panel title="Advice" aside={`over ${data.runs} runs of ${workflow}`}>
      <DataTable
        rows={data.tasks}
        keyOf={({ task }) => task}
        columns={[
          { title: "Task", cell: ({ task }) => task },
          { title: "Attempts", isNumber: true, cell: ({ attempts }) => attempts },
          { title: "Asks for", cell: ({ asked }) => sizeText(asked) },
          { title: "Would be enough", cell: ({ suggested }) => sizeText(suggested) },
          {
            title: "Failed attempts",
            cell: ({ failures }) =>
              Object.entries(failures)
                .map(([cause, count]) => `${count} × ${cause}`)
                .join(", ") || "none",
          },
        ]}
      />
    </Panel>
  );
}
