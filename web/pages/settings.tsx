/** What this server is. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath, ask, type Problem, problemOf } from "../client.ts";
import { DataTable } from "../parts/data-table.tsx";
import { Facts, Loading, PageProblem, Panel, ProblemNote, useNow, When } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

const findingTexts = { ok: "✓\u00a0there", trouble: "✕\u00a0trouble", absent: "–\u00a0missing" } as const;

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
      {data.operator ? <PriceForm /> : null}
      <OpenSessions />
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

type SessionList = Answer<"SessionList">;

/** Who is signed in: a session that was forgotten in another browser can be ended here. */
function OpenSessions(): VNode {
  const { data, problem, again } = useAnswer<SessionList>(apiPath(["sessions"]));
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const now = useNow();
  const end = async (body: { readonly id?: string }) => {
    setTrouble(undefined);
    try {
      await ask<SessionList>(apiPath(["sessions", "end"]), { method: "POST", body });
      again();
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  const sessions = data?.sessions ?? [];
  return (
    <Panel title="Sessions">
      <p class="quiet">Browsers that are signed in. A session ends after twelve hours, or with the server.</p>
      {problem === undefined ? null : <ProblemNote problem={problem} again={again} />}
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      <DataTable
        rows={sessions}
        keyOf={({ id }) => id}
        columns={[
          { title: "Account", cell: ({ account, current }) => `${account}${current ? " (this one)" : ""}` },
          { title: "Since", cell: ({ begunAt }) => <When at={begunAt} now={now} /> },
          { title: "Last used", cell: ({ usedAt }) => <When at={usedAt} now={now} /> },
          { title: "From", cell: ({ from }) => from ?? "" },
          {
            title: "End",
            cell: ({ id, current }) =>
              current ? (
                ""
              ) : (
                <button type="button" onClick={() => void end({ id })}>
                  End
                </button>
              ),
          },
        ]}
      />
      {sessions.some(({ current }) => !current) ? (
        <button type="button" onClick={() => void end({})}>
          End all others
        </button>
      ) : null}
    </Panel>
  );
}

type Prices = Answer<"Prices">;

/** What computing costs: with it, what reuse saved is also shown as money. */
function PriceForm(): VNode {
  const { data, problem, again } = useAnswer<Prices>(apiPath(["prices"]));
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const [isSaved, setIsSaved] = useState(false);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    setTrouble(undefined);
    setIsSaved(false);
    try {
      const body = {
        ...{ cpu: Number(fields.get("cpu")), memory: Number(fields.get("memory")) },
        currency: String(fields.get("currency")),
      };
      await ask<Prices>(apiPath(["prices"]), { method: "POST", body });
      setIsSaved(true);
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  return (
    <Panel title="Prices">
      <p class="quiet">With prices, what reuse saved is also shown as money, here and by memoir savings.</p>
      {problem === undefined ? null : <ProblemNote problem={problem} again={again} />}
      {data === undefined ? (
        <Loading what="prices" />
      ) : (
        <form class="filters" onSubmit={(event) => void save(event)} onInput={() => setIsSaved(false)}>
          <label>
            A CPU for an hour
            <input type="number" name="cpu" min="0" step="any" required defaultValue={String(data.cpu)} />
          </label>
          <label>
            A GB of memory for an hour
            <input
              type="number"
              name="memory"
              min="0"
              step="any"
              required
              defaultValue={String(data.memory)}
            />
          </label>
          <label>
            Currency
            <input name="currency" maxLength={8} size={6} required defaultValue={data.currency} />
          </label>
          <button type="submit">Save</button>
          <span role="status">{isSaved ? "Saved." : ""}</span>
        </form>
      )}
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
    </Panel>
  );
}
