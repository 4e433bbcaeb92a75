/** One cache: its size by task, workflow and age, its entries, and what pruning would remove. */
import type { VNode } from "preact";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { bytesText, countText } from "../format.ts";
import { href, type Place } from "../location.ts";
import { Figure, Loading, PageProblem, Tabs } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";
import { Checks } from "./cache/checks.tsx";
import { Entries } from "./cache/entries.tsx";
import { Prune } from "./cache/prune.tsx";
import { Size } from "./cache/size.tsx";

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
        <Figure
          name="Size"
          value={bytesText(data.storedBytes)}
          note={`of which ${bytesText(data.bytes)} are results`}
        />
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
