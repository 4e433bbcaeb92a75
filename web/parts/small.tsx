/** The small pieces that every page uses. */
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../client.ts";
import { absoluteText, agoText, countOf } from "../format.ts";
import { href } from "../location.ts";

const marks: Readonly<Record<string, readonly [mark: string, tone: string]>> = {
  pending: ["◔", "quiet"],
  waiting: ["◔", "quiet"],
  running: ["●", "running"],
  succeeded: ["✓", "good"],
  reused: ["↺", "good"],
  computed: ["✓", "plain"],
  failed: ["✕", "bad"],
  crashed: ["✕", "bad"],
  cancelled: ["⊘", "quiet"],
};

/** A state is a sign and a word, never a colour alone. */
export function StateBadge({ state }: { readonly state: string }): VNode {
  const [mark, tone] = marks[state] ?? ["·", "quiet"];
  return (
    <span class={`badge tone-${tone}`}>
      <span aria-hidden="true">{mark}</span> {state}
    </span>
  );
}

export interface Counts {
  readonly reused: number;
  readonly computed: number;
  readonly failed: number;
  readonly cancelled?: number;
}

/** Reused, computed and failed as parts of one bar. */
export function OutcomeBar({ counts }: { readonly counts: Counts | undefined }): VNode {
  if (counts === undefined) return <span class="quiet">–</span>;
  const { reused, computed, failed, cancelled = 0 } = counts;
  const total = reused + computed + failed + cancelled;
  if (total === 0) return <span class="quiet">no calls yet</span>;
  const words = [`${reused} reused`, `${computed} computed`];
  if (failed > 0) words.push(`${failed} failed`);
  if (cancelled > 0) words.push(`${cancelled} cancelled`);
  const part = (tone: string, count: number) =>
    count === 0 ? null : <span class={`part-${tone}`} style={{ flexGrow: count }} />;
  return (
    <span class="outcome" title={words.join(", ")}>
      <span class="bar" aria-hidden="true">
        {part("reused", reused)}
        {part("computed", computed)}
        {part("failed", failed)}
        {part("cancelled", cancelled)}
      </span>
      <span class="numbers">
        <span class="sr">{words.join(", ")}</span>
        <span aria-hidden="true">
          ↺ {reused} · ✓ {computed}
          {failed > 0 ? ` · ✕ ${failed}` : ""}
        </span>
      </span>
    </span>
  );
}

/** The current time, every few seconds. */
export function useNow(everyMs = 5000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Relative; absolute on hover and for machines. */
export function When({ at, now }: { readonly at: string | number | undefined; readonly now: number }): VNode {
  if (at === undefined) return <span class="quiet">–</span>;
  const ms = typeof at === "number" ? at : Date.parse(at);
  return (
    <time dateTime={new Date(ms).toISOString()} title={absoluteText(ms)}>
      {agoText(ms, now)}
    </time>
  );
}

export function ProblemNote({ problem, again }: { readonly problem: Problem; again?(): void }): VNode {
  return (
    <div class="note tone-bad" role="alert">
      <p>
        <strong>{problem.detail}</strong>
      </p>
      {problem.hint === undefined ? null : <p>{problem.hint}</p>}
      <p class="quiet">
        Code{" "}
        <a href={href("errors", problem.code)}>
          <code>{problem.code}</code>
        </a>
        {again === undefined ? null : (
          <>
            {" · "}
            <button type="button" class="link" onClick={again}>
              Try again
            </button>
          </>
        )}
      </p>
    </div>
  );
}

/** A view of which nothing can be shown. */
export function PageProblem(props: {
  readonly title: string;
  readonly problem: Problem;
  again?(): void;
}): VNode {
  return (
    <>
      <h1>{props.title}</h1>
      <ProblemNote {...props} />
    </>
  );
}

/** What to do so that there is something to see. */
export function Empty({
  children,
  command,
}: {
  readonly children: ComponentChildren;
  readonly command?: string;
}): VNode {
  return (
    <div class="empty">
      <p>{children}</p>
      {command === undefined ? null : <Command text={command} />}
    </div>
  );
}

export function Command({ text }: { readonly text: string }): VNode {
  const [isCopied, setIsCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => setIsCopied(true));
  };
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" class="small" onClick={copy}>
        {isCopied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}

export function Loading({ what }: { readonly what: string }): VNode {
  return (
    <p class="loading" role="status">
      Loading {what}…
    </p>
  );
}

export function Panel(props: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}): VNode {
  return (
    <section class="panel">
      <header>
        <h2>{props.title}</h2>
        {props.aside === undefined ? null : <div class="aside">{props.aside}</div>}
      </header>
      {props.children}
    </section>
  );
}

export function Figure({
  name,
  value,
  note,
}: {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
}): VNode {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        <span class="value">{value}</span>
        {note === undefined ? null : <span class="quiet"> {note}</span>}
      </dd>
    </div>
  );
}

export function Facts({
  rows,
}: {
  readonly rows: readonly (readonly [name: string, value: ComponentChildren] | undefined)[];
}): VNode {
  return (
    <dl class="facts">
      {rows.map((row) =>
        row === undefined || row[1] === undefined ? null : (
          <div key={row[0]}>
            <dt>{row[0]}</dt>
            <dd>{row[1]}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly count?: number | undefined;
}

/** Tabs are links: each has its own address. */
export function Tabs(props: {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly current: string;
  hrefOf(id: string): string;
}): VNode {
  return (
    <nav class="tabs" aria-label={props.label}>
      {props.tabs.map(({ id, title, count }) => (
        <a key={id} href={props.hrefOf(id)} aria-current={id === props.current ? "page" : undefined}>
          {title}
          {count === undefined ? null : <span class="count">{count.toLocaleString("en-GB")}</span>}
        </a>
      ))}
    </nav>
  );
}

export function Shown({
  shown,
  total,
  noun,
}: {
  readonly shown: number;
  readonly total: number;
  readonly noun: string;
}): VNode {
  return (
    <p class="quiet shown" role="status">
      {shown === total ? countOf(total, noun) : `${shown.toLocaleString("en-GB")} of ${countOf(total, noun)}`}
    </p>
  );
}
