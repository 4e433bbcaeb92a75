/** What the engine has done, as it does it. */
import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { apiPath } from "../../client.ts";
import { absoluteText } from "../../format.ts";
import { type LiveEvent, runEventKinds, useStream } from "../../live.ts";
import { href } from "../../location.ts";
import { type Column, Rows } from "../../parts/rows.tsx";
import { Empty, Shown } from "../../parts/small.tsx";
import { plainText } from "../../terminal-text.ts";

interface NumberedEvent {
  readonly number: number;
  readonly event: LiveEvent;
}

export function Log({ run }: { readonly run: string }): VNode {
  const [events, setEvents] = useState<readonly NumberedEvent[]>([]);
  const [search, setSearch] = useState("");
  useStream(apiPath(["runs", run, "events"]), runEventKinds, (found) =>
    setEvents((before) => [...before, ...found.map((event, at) => ({ number: before.length + at, event }))]),
  );
  const wanted = useMemo(() => {
    const words = search.toLowerCase();
    return words === ""
      ? events
      : events.filter(({ event }) => `${event.kind} ${textOf(event)}`.toLowerCase().includes(words));
  }, [events, search]);
  const columns = useMemo(() => columnsOf(run), [run]);
  return (
    <>
      <search class="filters">
        <input
          type="search"
          aria-label="Search the log"
          placeholder="Search the log"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <Shown shown={wanted.length} total={events.length} noun="event" />
      </search>
      {wanted.length === 0 ? (
        <section class="panel">
          <Empty>{events.length === 0 ? "Nothing has happened yet." : "No event fits."}</Empty>
        </section>
      ) : (
        <Rows
          label="Log"
          rows={wanted}
          columns={columns}
          rowHeight={32}
          keyOf={({ number }) => String(number)}
        />
      )}
    </>
  );
}

function columnsOf(run: string): readonly Column<NumberedEvent>[] {
  return [
    {
      id: "time",
      title: "Time",
      width: "6rem",
      cell: ({ event: { at } }) =>
        at === undefined ? (
          ""
        ) : (
          <time dateTime={new Date(at).toISOString()} title={absoluteText(at)}>
            {new Date(at).toLocaleTimeString()}
          </time>
        ),
    },
    { id: "kind", title: "Event", width: "9rem", cell: ({ event }) => event.kind },
    {
      id: "call",
      title: "Call",
      width: "minmax(8rem, 1fr)",
      isExtra: true,
      cell: ({ event }) => {
        const call = event["call"];
        return typeof call === "string" ? <a href={href("runs", run, "calls", call)}>{call}</a> : "";
      },
    },
    {
      id: "text",
      title: "What",
      width: "minmax(8rem, 3fr)",
      cell: ({ event }) => {
        const text = plainText(textOf(event)).slice(0, 500);
        return <span title={text}>{text}</span>;
      },
    },
  ];
}

function textOf(event: LiveEvent): string {
  const { words, reason, failure, why, entry, directory, doing, state } = event as Readonly<
    Record<string, unknown>
  >;
  const inner = [reason, failure, why].find((value) => typeof value === "object" && value !== null) as
    | { readonly words?: string; readonly message?: string; readonly kind?: string }
    | undefined;
  const texts = [doing, words, inner?.message ?? inner?.words ?? inner?.kind, state, entry ?? directory];
  return texts.filter((text) => typeof text === "string").join(" · ");
}
