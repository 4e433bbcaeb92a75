/** One cache: its size by task, workflow and age, its entries, and what pruning would remove. */
import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath, ask, type Problem, problemOf } from "../client.ts";
import { absoluteText, bytesText, countOf, countText, durationText } from "../format.ts";
import { lazy } from "../lazy.tsx";
import { href, type Place, setQuery } from "../location.ts";
import { Confirm } from "../parts/dialog.tsx";
import type { PlotProps } from "../parts/plot.tsx";
import { type Column, Rows } from "../parts/rows.tsx";
import {
  Command,
  Empty,
  Facts,
  Figure,
  Loading,
  PageProblem,
  Panel,
  ProblemNote,
  Shown,
  Tabs,
  useNow,
  When,
} from "../parts/small.tsx";
import type { Entry } from "../shapes.ts";
import { treeMap } from "../tree-map.ts";
import { useAnswer, usePages } from "../use-answer.ts";

const Plot = lazy<PlotProps>(async () => (await import("../parts/plot.tsx")).Plot);

const tabs = [
  { id: "size", title: "Size" },
  { id: "entries", title: "Entries" },
  { id: "prune", title: "Prune" },
  { id: "checks", title: "Checks" },
] as const;

export function Cache({ cache, place }: { readonly cache: string; readonly place: Place }): VNode {
  const { data, problem, again } = useAnswer<Answer<"CacheDetail">>(apiPath(["caches", cache]));
  const tab = place.query.get("tab") ?? "size";
  if (problem !== undefined && data === undefined)
    return <PageProblem title="Cache" problem={problem} again={again} />;
  if (data === undefined) return <Loading what="the cache" />;
  const { record } = data;
  return (
    <>
      <div>
        <p class="crumbs">
          <a href="/caches">Caches</a>
        </p>
        <h1>{record.name ?? cache}</h1>
        <p class="quiet">
          {record.description === undefined ? null : <>{record.description} · </>}
          <code>{record.location}</code>
        </p>
      </div>
      <dl class="figures">
        <Figure name="Size" value={bytesText(data.bytes)} />
        <Figure name="Entries" value={countText(data.entries)} />
        <Figure name="Pinned" value={countText(data.pinned)} />
        <Figure name="Runs that use it now" value={countText(data.runs.length)} />
      </dl>
      <Tabs
        label="Parts of the cache"
        tabs={tabs.map((each) => (each.id === "entries" ? { ...each, count: data.entries } : each))}
        current={tab}
        hrefOf={(id) => `${href("caches", cache)}${id === "size" ? "" : `?tab=${id}`}`}
      />
      {tab === "size" ? <Size cache={cache} /> : null}
      {tab === "entries" ? <Entries cache={cache} place={place} onChanged={again} /> : null}
      {tab === "prune" ? <Prune cache={cache} onPruned={again} /> : null}
      {tab === "checks" ? <Checks cache={cache} record={record} /> : null}
    </>
  );
}

interface Group {
  readonly name: string;
  readonly bytes: number;
  readonly entries: number;
}

function Size({ cache }: { readonly cache: string }): VNode {
  const { data, problem, again } = useAnswer<Answer<"CacheSize">>(apiPath(["caches", cache, "size"]));
  const ages = useAnswer<AgesAnswer>(apiPath(["caches", cache, "ages"])).data;
  if (problem !== undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="sizes" />;
  const groupsOf = (of: Answer<"CacheSize">["byTask"]): readonly Group[] =>
    Object.entries(of)
      .map(([name, { uniqueBytes, entries }]) => ({ name, bytes: uniqueBytes, entries }))
      .sort((a, b) => b.bytes - a.bytes);
  if (data.entries === 0)
    return (
      <section class="panel">
        <Empty command={`memoir run workflow.wdl --cache ${cache}`}>
          This cache is empty. A run fills it:
        </Empty>
      </section>
    );
  return (
    <>
      {data.apparentBytes > data.uniqueBytes ? (
        <p class="quiet">
          Equal files are kept once: {bytesText(data.apparentBytes)} of results take{" "}
          {bytesText(data.uniqueBytes)}.
        </p>
      ) : null}
      <div class="grid">
        <Panel title="By task">
          <SizeMap cache={cache} by="task" groups={groupsOf(data.byTask)} />
        </Panel>
        <Panel title="By workflow">
          <SizeMap cache={cache} by="workflow" groups={groupsOf(data.byWorkflow)} />
        </Panel>
      </div>
      {ages === undefined || ages.days.length === 0 ? null : <OverTime days={ages.days} />}
    </>
  );
}

type AgesAnswer = Answer<"CacheAges">;

/** How the cache has grown, by the days on which what it holds was recorded. */
function OverTime({ days }: AgesAnswer): VNode {
  const plotted = useMemo(
    () => ({
      x: days.map(({ day }) => Date.parse(`${day}T00:00:00`) / 1000),
      series: [{ label: "size", colour: "computed", values: days.map(({ totalBytes }) => totalBytes) }],
    }),
    [days],
  );
  const first = days[0]?.day ?? "";
  const last = days.at(-1);
  return (
    <Panel title="Over time">
      <Plot
        label={`Size of the cache from ${first} to ${last?.day ?? ""}, ${bytesText(last?.totalBytes ?? 0)} in the end`}
        x={plotted.x}
        isTime
        kind={days.length < 3 ? "bars" : "area"}
        series={plotted.series}
        valueText={bytesText}
      />
      <details>
        <summary>By age, as a table</summary>
        <table>
          <thead>
            <tr>
              <th>Recorded on</th>
              <th class="number">Entries</th>
              <th class="number">Size</th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map(({ day, entries, bytes }) => (
              <tr key={day}>
                <td>{day}</td>
                <td class="number">{countText(entries)}</td>
                <td class="number">{bytesText(bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </Panel>
  );
}

function SizeMap(props: {
  readonly cache: string;
  readonly by: "task" | "workflow";
  readonly groups: readonly Group[];
}): VNode {
  const { cache, by, groups } = props;
  const tiles = useMemo(() => treeMap(groups.slice(0, 40), ({ bytes }) => Math.max(1, bytes), 2.4), [groups]);
  const linkOf = (name: string) => `${href("caches", cache)}?tab=entries&${by}=${encodeURIComponent(name)}`;
  return (
    <>
      <div class="map">
        {tiles.map(({ item, x, y, width, height }) => (
          <a
            key={item.name}
            href={linkOf(item.name)}
            title={`${item.name}: ${bytesText(item.bytes)} in ${countOf(item.entries, "entries")}`}
            style={{
              left: `${x * 100}%`,
              top: `${y * 100}%`,
              width: `${width * 100}%`,
              height: `${height * 100}%`,
            }}
          >
            {item.name}
            <br />
            {bytesText(item.bytes)}
          </a>
        ))}
      </div>
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th>{by === "task" ? "Task" : "Workflow"}</th>
              <th class="number">Entries</th>
              <th class="number">Size</th>
            </tr>
          </thead>
          <tbody>
            {groups.map(({ name, entries, bytes }) => (
              <tr key={name}>
                <td>
                  <a href={linkOf(name)}>{name}</a>
                </td>
                <td class="number">{countText(entries)}</td>
                <td class="number">{bytesText(bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

function Entries(props: { readonly cache: string; readonly place: Place; onChanged(): void }): VNode {
  const { cache, place, onChanged } = props;
  const [task, workflow, run, search] = ["task", "workflow", "run", "search"].map(
    (name) => place.query.get(name) ?? undefined,
  );
  const { rows, total, problem, isLoading, isComplete, more, again } = usePages<Entry>(
    apiPath(["caches", cache, "entries"], { task, workflow, run, search }),
    "entries",
    { first: 100, next: 1000 },
  );
  const now = useNow(60_000);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isAsking, setIsAsking] = useState(false);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const columns = useMemo(
    () =>
      entryColumns(now, chosen, (uuid, isChosen) =>
        setChosen((before) => {
          const next = new Set(before);
          if (isChosen) next.add(uuid);
          else next.delete(uuid);
          return next;
        }),
      ),
    [now, chosen],
  );
  const change = async (what: "pin" | "invalidate", more_: Readonly<Record<string, unknown>> = {}) => {
    setTrouble(undefined);
    try {
      await ask(apiPath(["caches", cache, what]), {
        method: "POST",
        body: { entries: [...chosen], ...more_ },
      });
      setChosen(new Set());
      again();
      onChanged();
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  const filters = Object.entries({ task, workflow, run }).filter(([, value]) => value !== undefined);
  return (
    <>
      <search class="filters">
        <input
          type="search"
          aria-label="Search entries"
          placeholder="Search: task, call or run"
          value={search ?? ""}
          onChange={(event) => setQuery({ search: event.currentTarget.value })}
        />
        {filters.map(([name, value]) => (
          <button key={name} type="button" class="small" onClick={() => setQuery({ [name]: undefined })}>
            {name} {value} ✕
          </button>
        ))}
        <button
          type="button"
          disabled={chosen.size === 0}
          onClick={() => void change("pin", { pinned: true })}
        >
          Pin
        </button>
        <button
          type="button"
          disabled={chosen.size === 0}
          onClick={() => void change("pin", { pinned: false })}
        >
          Unpin
        </button>
        <button type="button" disabled={chosen.size === 0} onClick={() => setIsAsking(true)}>
          Invalidate…
        </button>
        {isLoading ? null : <Shown shown={rows.length} total={total ?? rows.length} noun="recorded result" />}
      </search>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {problem === undefined ? null : <ProblemNote problem={problem} again={again} />}
      {isLoading ? <Loading what="entries" /> : null}
      {!isLoading && problem === undefined && rows.length === 0 ? (
        <section class="panel">
          <Empty>Nothing is recorded that fits.</Empty>
        </section>
      ) : null}
      {rows.length > 0 ? (
        <Rows
          label="Entries"
          rows={rows}
          columns={columns}
          keyOf={({ uuid }) => uuid}
          {...(isComplete ? {} : { onNearEnd: more })}
        />
      ) : null}
      {isAsking ? (
        <Confirm
          title={`Invalidate ${countOf(chosen.size, "entry")}?`.replace("entrys", "entries")}
          confirm="Invalidate"
          isDangerous
          onConfirm={() => void change("invalidate")}
          onClose={() => setIsAsking(false)}
        >
          <p>
            They are never reused again, and the next run computes these calls. Their files stay until the
            cache is pruned.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function entryColumns(
  now: number,
  chosen: ReadonlySet<string>,
  choose: (uuid: string, isChosen: boolean) => void,
): readonly Column<Entry>[] {
  return [
    {
      id: "choose",
      title: <span class="sr">Chosen</span>,
      width: "1.4rem",
      isExtra: true,
      cell: ({ uuid, call }) => (
        <input
          type="checkbox"
          aria-label={`Choose the entry of ${call}`}
          checked={chosen.has(uuid)}
          onChange={(event) => choose(uuid, event.currentTarget.checked)}
        />
      ),
    },
    {
      id: "call",
      title: "Call",
      width: "minmax(8rem, 3fr)",
      cell: ({ run, call, uri, pinned }) => (
        <span title={uri}>
          <a href={href("runs", run, "calls", call)}>{call}</a>
          {pinned ? <span class="badge tone-plain">pinned</span> : null}
        </span>
      ),
    },
    { id: "task", title: "Task", width: "minmax(6rem, 1fr)", isExtra: true, cell: ({ task }) => task },
    {
      id: "workflow",
      title: "Workflow",
      width: "minmax(6rem, 1fr)",
      isExtra: true,
      cell: ({ workflow }) => workflow,
    },
    {
      id: "recorded",
      title: "Recorded",
      width: "7rem",
      cell: ({ createdAt }) => <When at={createdAt} now={now} />,
    },
    {
      id: "took",
      title: "Took",
      width: "6rem",
      isNumber: true,
      isExtra: true,
      cell: ({ seconds }) => durationText(seconds),
    },
    {
      id: "files",
      title: "Files",
      width: "4rem",
      isNumber: true,
      isExtra: true,
      cell: ({ files }) => countText(files),
    },
    { id: "size", title: "Size", width: "5rem", isNumber: true, cell: ({ bytes }) => bytesText(bytes) },
  ];
}

type PruneAnswer = Answer<"PruneReport">;

const reasons: Readonly<Record<string, string>> = {
  "older-than": "not used for so long",
  "over-budget": "over the budget",
  "old-version": "of another version of Memoir",
  orphan: "belongs to no entry",
};

/** First what would go, then, when somebody has seen it, for real. */
function Prune({ cache, onPruned }: { readonly cache: string; onPruned(): void }): VNode {
  const [rules, setRules] = useState<Readonly<Record<string, unknown>> | undefined>(undefined);
  const [found, setFound] = useState<PruneAnswer | undefined>(undefined);
  const [trouble, setTrouble] = useState<Problem | undefined>(undefined);
  const [isAsking, setIsAsking] = useState(false);
  const send = async (body: Readonly<Record<string, unknown>>, dryRun: boolean) => {
    setTrouble(undefined);
    try {
      setFound(
        await ask<PruneAnswer>(apiPath(["caches", cache, "prune"]), {
          method: "POST",
          body: { ...body, dryRun },
        }),
      );
      setRules(dryRun ? body : undefined);
      if (!dryRun) onPruned();
    } catch (error) {
      setTrouble(problemOf(error));
    }
  };
  const preview = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const days = Number(fields.get("days"));
    const budget = Number(fields.get("budget"));
    void send(
      {
        ...(days > 0 ? { olderThanMs: days * 86_400_000 } : {}),
        ...(fields.get("budget") !== "" && budget >= 0
          ? { budgetBytes: Math.round(budget * 1e9), policy: fields.get("policy") }
          : {}),
        ...(fields.get("versions") === null ? {} : { oldVersions: true }),
        ...(fields.get("orphans") === null ? {} : { orphans: true }),
      },
      true,
    );
  };
  const plan = found?.plan;
  return (
    <>
      <Panel title="What to remove">
        <form class="form" onSubmit={preview}>
          <label>
            Entries that were neither recorded nor used for this many days
            <input type="number" name="days" min="0" step="1" inputMode="numeric" />
          </label>
          <label>
            Entries, until the rest fits into this many GB
            <input type="number" name="budget" min="0" step="any" inputMode="decimal" />
          </label>
          <label>
            Which go first
            <select name="policy">
              <option value="last-used">the least recently used</option>
              <option value="cost">large ones that are cheap to compute again</option>
            </select>
          </label>
          <span>
            <input type="checkbox" name="versions" id="versions" />{" "}
            <label for="versions" class="inline">
              entries that this version of Memoir cannot reuse
            </label>
          </span>
          <span>
            <input type="checkbox" name="orphans" id="orphans" />{" "}
            <label for="orphans" class="inline">
              files that belong to no entry
            </label>
          </span>
          <div>
            <button type="submit" class="primary">
              Show what would go
            </button>
          </div>
        </form>
      </Panel>
      {trouble === undefined ? null : <ProblemNote problem={trouble} />}
      {found?.removed === undefined ? null : (
        <div class="note tone-good" role="status">
          Removed {countText(found.removed.entries)} entries, {bytesText(found.removed.bytes)}.
          {found.removed.spared > 0
            ? ` ${countText(found.removed.spared)} were used or pinned since the preview and stay.`
            : ""}
        </div>
      )}
      {plan === undefined || found?.removed !== undefined ? null : (
        <Panel
          title="Preview"
          aside={
            <button
              type="button"
              class="danger"
              disabled={plan.remove.length === 0}
              onClick={() => setIsAsking(true)}
            >
              Remove them…
            </button>
          }
        >
          <Facts
            rows={[
              ["Would go", `${countText(plan.remove.length)} entries, ${bytesText(plan.removeBytes)}`],
              ["Stay", `${countText(plan.keepEntries)} entries, ${bytesText(plan.keepBytes)}`],
              ["Protected", protectedText(plan.protectedEntries)],
            ]}
          />
          {plan.remove.length === 0 ? (
            <Empty>Nothing fits these rules.</Empty>
          ) : (
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th>Task</th>
                    <th>Why</th>
                    <th class="number">Size</th>
                  </tr>
                </thead>
                <tbody>
                  {plan.remove.slice(0, 200).map(({ uuid, taskName, reason, bytes }) => (
                    <tr key={uuid}>
                      <td>{taskName ?? "–"}</td>
                      <td>{reasons[reason] ?? reason}</td>
                      <td class="number">{bytesText(bytes)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {plan.remove.length > 200 ? (
                <p class="quiet">and {countText(plan.remove.length - 200)} more</p>
              ) : null}
            </div>
          )}
        </Panel>
      )}
      {isAsking && plan !== undefined && rules !== undefined ? (
        <Confirm
          title="Remove these entries?"
          confirm={`Remove ${bytesText(plan.removeBytes)}`}
          isDangerous
          onConfirm={() => void send(rules, false)}
          onClose={() => setIsAsking(false)}
        >
          <p>
            {countText(plan.remove.length)} entries are removed for good. What is pinned, or used by a run,
            stays.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function protectedText(entries: PruneAnswer["plan"]["protectedEntries"]): string {
  const pinned = entries.filter(({ why }) => why === "pinned").length;
  const inUse = entries.length - pinned;
  if (entries.length === 0) return "none";
  return [pinned > 0 ? `${pinned} pinned` : "", inUse > 0 ? `${inUse} used by a run` : ""]
    .filter((text) => text !== "")
    .join(", ");
}

function Checks(props: { readonly cache: string; readonly record: Answer<"CacheDetail">["record"] }): VNode {
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
          <table>
            <thead>
              <tr>
                <th>Task</th>
                <th class="number">Same</th>
                <th class="number">Differs</th>
                <th>Outputs</th>
              </tr>
            </thead>
            <tbody>
              {rechecks.tasks.map(({ task, same, differs, outputs }) => (
                <tr key={task}>
                  <td>{task}</td>
                  <td class="number">{countText(same)}</td>
                  <td class="number">{countText(differs)}</td>
                  <td>{Object.keys(outputs).join(", ")}</td>
                </tr>
              ))}
            </tbody>
          </table>
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
