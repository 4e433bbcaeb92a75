/** What this server is. */
import type { VNode } from "preact";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { DataTable } from "../parts/data-table.tsx";
import { Facts, Loading, PageProblem, Panel } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

const findingTexts = { ok: "✓ there", trouble: "✕ trouble", absent: "– missing" } as const;

export function Settings(): VNode {
  const { data, problem, again } = useAnswer<Answer<"ServerInfo">>(apiPath(["server"]));
  const places = useAnswer<Answer<"Places">>(
    data?.operator === true ? apiPath(["settings"]) : undefined,
  ).data;
  const doctor = useAnswer<Answer<"Doctor">>(data?.operator === true ? apiPath(["doctor"]) : undefined).data;
  if (problem !== undefined) return <PageProblem title="Settings" problem={problem} again={again} />;
  if (data === undefined) return <Loading what="settings" />;
  return (
    <>
      <h1>Settings</h1>
      <Panel title="This server">
        <Facts
          rows={[
            ["Version", data.version],
            [
              "Who may look",
              data.authentication === "none" ? "this machine's user" : "holders of an access key",
            ],
            ["You are", `${data.account}${data.operator ? " (administrator)" : ""}`],
            [
              "For programs",
              <a key="api" href="/api/v1/openapi.json">
                /api/v1/openapi.json
              </a>,
            ],
          ]}
        />
      </Panel>
      {places === undefined ? null : (
        <Panel title="Where things are">
          <Facts
            rows={[
              ["Home", <code key="home">{places.home}</code>],
              ["Local cache of predictions", <code key="local">{places.local}</code>],
              ["Cloud cache of predictions", <code key="cloud">{places.cloud}</code>],
            ]}
          />
        </Panel>
      )}
      {doctor === undefined ? null : (
        <Panel title="What is installed and reachable">
          <DataTable
            rows={doctor.findings}
            keyOf={({ name }) => name}
            columns={[
              { title: "What", cell: ({ name }) => name },
              { title: "State", cell: ({ state }) => findingTexts[state] },
              { title: "Found", cell: ({ detail }) => detail },
              { title: "What it is for", cell: ({ enables }) => enables },
            ]}
          />
        </Panel>
      )}
    </>
  );
}
