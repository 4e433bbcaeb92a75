/** Whether a cache is sound, whose results differed when they were computed again, and how it behaves. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../../src/v1/index.ts";
import { apiPath, ask, type Problem, problemOf } from "../../client.ts";
import { absoluteText, countText } from "../../format.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { Command, Facts, Panel, ProblemNote } from "../../parts/small.tsx";
import { useAnswer } from "../../use-answer.ts";

export function Checks(props: {
  readonly cache: string;
  readonly record: Answer<"CacheDetail">["record"];
}): VNode {
  const { cache, record } = props;
  const [fresh, setFresh] = useState<Answer<"VerifyReport"> | undefined>(undefined);
  const last = useAnswer<Answer<"Verification">>(apiPath(["caches", cache, "verify"])).data;
  const report = fresh ?? last?.report;
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const [isRunning, setIsRunning] = useState(false);
  const rechecks = useAnswer<Answer<"CacheRechecks">>(apiPath(["caches", cache, "rechecks"])).data;
  const verify = async () => {
    setIsRunning(true);
    setTrouble(undefined);
    try {
      setFresh(await ask<Answer<"VerifyReport">>(apiPath(["caches", cache, "verify"]), { method: "POST" }));
    } catch (error) {
      setTrouble(problemOf(error));
    } finally {
      setIsRunning(false);
    }
  };
  return (
    <>
      <Panel
        title="Are all bytes as they were recorded?"
        aside={
          <button type="button" disabled={isRunning} onClick={() => void verify()}>
            {isRunning ? "Reading everything…" : "Verify now"}
          </button>
        }
      >
        {trouble === undefined ? null : <ProblemNote problem={trouble} />}
        {report === undefined ? (
          <p class="quiet">
            Verifying reads every file and sets damaged entries aside, so that they are not reused.
          </p>
        ) : (
          <p role="status">
            {fresh === undefined && last?.at !== undefined ? `${absoluteText(Date.parse(last.at))}: ` : ""}
            {countText(report.checked)} entries were checked; {countText(report.sound)} are sound
            {report.setAside.length === 0 ? "." : ` and ${countText(report.setAside.length)} were set aside.`}
          </p>
        )}
        {report?.setAside.map(({ uuid, reason }) => (
          <p key={uuid} class="tone-bad note">
            {uuid}: {reason}
          </p>
        ))}
      </Panel>
      <Panel title="Tasks whose recomputation differed">
        {rechecks === undefined || rechecks.tasks.length === 0 ? (
          <>
            <p class="quiet">None is known. A run with --recheck computes some calls again and compares:</p>
            <Command
              text={`memoir run workflow.wdl --cache ${record.name ?? record.location} --recheck 5%`}
            />
          </>
        ) : (
          <DataTable
            rows={rechecks.tasks}
            keyOf={({ task }) => task}
            columns={[
              { title: "Task", cell: ({ task }) => task },
              { title: "Same", isNumber: true, cell: ({ same }) => countText(same) },
              { title: "Differs", isNumber: true, cell: ({ differs }) => countText(differs) },
              { title: "Outputs", cell: ({ outputs }) => Object.keys(outputs).join(", ") },
            ]}
          />
        )}
      </Panel>
      <Panel title="How it behaves">
        <Facts
          rows={[
            ["Records", record.behavior === "always" ? "every result" : "results of runs that fail"],
            ["Files are identified by", record.policies.identity],
            [
              "Resources",
              record.policies.resources === "ignored" ? "not part of the key" : "part of the key",
            ],
            ["Tasks without a container", record.policies.hostTasks ? "reused" : "not reused"],
          ]}
        />
      </Panel>
    </>
  );
}
