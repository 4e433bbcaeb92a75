/** Every run cache that the caller may see. */
import type { VNode } from "preact";
import type { Answer } from "../../src/v1/index.ts";
import { apiPath } from "../client.ts";
import { bytesText, countText } from "../format.ts";
import { href } from "../location.ts";
import { Empty, Loading, PageProblem } from "../parts/small.tsx";
import { useAnswer } from "../use-answer.ts";

type CacheRow = Answer<"CacheList">["caches"][number];

export function Caches(): VNode {
  const { data, problem, again } = useAnswer<Answer<"CacheList">>(apiPath(["caches"]));
  if (problem !== undefined) return <PageProblem title="Caches" problem={problem} again={again} />;
  return (
    <>
      <h1>Caches</h1>
      {data === undefined ? <Loading what="caches" /> : null}
      {data?.caches.length === 0 ? (
        <section class="panel">
          <Empty command="memoir cache create lab --location ./lab-cache">
            There is no run cache yet. This makes one:
          </Empty>
        </section>
      ) : null}
      <div class="grid">
        {data?.caches.map((cache) => (
          <CacheCard key={cache.ref} cache={cache} />
        ))}
      </div>
    </>
  );
}

function CacheCard({ cache }: { readonly cache: CacheRow }): VNode {
  const detail = useAnswer<Answer<"CacheDetail">>(apiPath(["caches", cache.ref])).data;
  return (
    <section class="panel">
      <header>
        <h2>
          <a href={href("caches", cache.ref)}>{cache.name ?? cache.ref}</a>
        </h2>
        <span class="aside">{cache.origin === "server" ? "of the server" : "local"}</span>
      </header>
      {cache.description === undefined ? null : <p>{cache.description}</p>}
      <p>
        {detail === undefined ? (
          <span class="quiet">counting…</span>
        ) : (
          <>
            <strong>{bytesText(detail.storedBytes)}</strong> in {countText(detail.entries)} entries
            {detail.pinned > 0 ? `, ${countText(detail.pinned)} pinned` : ""}
          </>
        )}
      </p>
      <p class="quiet">
        <code>{cache.location}</code>
        <br />
        {cache.behavior === "always" ? "records every result" : "records results of runs that fail"}
      </p>
    </section>
  );
}
