/** When each call did what. Drawn on a canvas of the size of the window, so that ten thousand calls stay quick. */
import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Answer } from "../../../src/v1/index.ts";
import { apiPath } from "../../client.ts";
import { durationText } from "../../format.ts";
import { go, href } from "../../location.ts";
import { isTyping } from "../../parts/rows.tsx";
import { Empty, Loading, ProblemNote, useNow } from "../../parts/small.tsx";
import { colourOf } from "../../theme.ts";
import { useAnswer } from "../../use-answer.ts";

type TimelineAnswer = Answer<"Timeline">;
type TimedCall = TimelineAnswer["calls"][number];
type PhaseName = TimedCall["phases"][number]["phase"];

const phaseColours: Readonly<Record<PhaseName, string>> = {
  identify: "cancelled",
  wait: "line",
  stage: "running",
  run: "computed",
  collect: "accent",
  record: "reused",
};

const rowHeight = 20;
const axisHeight = 26;

interface View {
  /** Milliseconds. */
  readonly from: number;
  readonly to: number;
}

export function Timeline({ run, isLive }: { readonly run: string; readonly isLive: boolean }): VNode {
  const { data, problem, again } = useAnswer<TimelineAnswer>(apiPath(["runs", run, "timeline"]));
  const now = useNow(isLive ? 2000 : 60_000);
  useEffect(() => {
    if (isLive) again();
  }, [isLive, isLive ? now : 0, again]);
  if (problem !== undefined && data === undefined) return <ProblemNote problem={problem} again={again} />;
  if (data === undefined) return <Loading what="the timeline" />;
  if (data.calls.length === 0) return <Empty>This run has no calls yet.</Empty>;
  return <Drawn run={run} answer={data} now={now} />;
}

function Drawn(props: {
  readonly run: string;
  readonly answer: TimelineAnswer;
  readonly now: number;
}): VNode {
  const { run, answer, now } = props;
  const { calls, endedAt } = answer;
  const startedAt = answer.startedAt ?? now;
  const end = Math.max(startedAt + 1, endedAt ?? now);
  const whole = useMemo(() => ({ from: startedAt, to: end }), [startedAt, end]);
  const [chosen, setChosen] = useState<View | undefined>(undefined);
  const view = chosen ?? whole;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [under, setUnder] = useState<TimedCall | undefined>(undefined);
  const draw = useRef(() => {});
  const latest = useRef(view);
  latest.current = view;

  draw.current = () => {
    if (box.current !== null && canvas.current !== null)
      paint({ box: box.current, canvas: canvas.current, calls, view, startedAt, now });
  };
  useEffect(() => {
    draw.current();
  }, [calls, view, now]);
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    let frame = 0;
    const later = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => draw.current());
    };
    const observer = new ResizeObserver(later);
    observer.observe(current);
    current.addEventListener("scroll", later, { passive: true });
    addEventListener("memoir:theme", later);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      current.removeEventListener("scroll", later);
      removeEventListener("memoir:theme", later);
    };
  }, []);

  const zoom = (factor: number, at = 0.5) => {
    const { from, to } = latest.current;
    const span = Math.min(whole.to - whole.from, Math.max(10, (to - from) * factor));
    const middle = from + (to - from) * at;
    const left = Math.max(whole.from, Math.min(middle - span * at, whole.to - span));
    setChosen(span >= whole.to - whole.from ? undefined : { from: left, to: left + span });
  };
  const pan = (share: number) => {
    const { from, to } = latest.current;
    const step = (to - from) * share;
    const left = Math.max(whole.from, Math.min(from + step, whole.to - (to - from)));
    if (chosen !== undefined) setChosen({ from: left, to: left + (to - from) });
  };
  const onKey = (event: KeyboardEvent) => {
    if (isTyping(event)) return;
    const act: Readonly<Record<string, () => void>> = {
      "+": () => zoom(0.5),
      "-": () => zoom(2),
      ArrowLeft: () => pan(-0.2),
      ArrowRight: () => pan(0.2),
      "0": () => setChosen(undefined),
    };
    const found = act[event.key];
    if (found === undefined) return;
    event.preventDefault();
    found();
  };
  const callAt = (event: MouseEvent): TimedCall | undefined => {
    const { current } = box;
    if (current === null) return undefined;
    const y = event.clientY - current.getBoundingClientRect().top - axisHeight;
    return y < 0 ? undefined : calls[Math.floor((y + current.scrollTop) / rowHeight)];
  };
  const drag = useRef<{ readonly x: number; readonly view: View } | undefined>(undefined);
  const onMove = (event: PointerEvent) => {
    setUnder(callAt(event));
    const width = box.current?.clientWidth ?? 1;
    if (drag.current === undefined || chosen === undefined) return;
    const { x, view: start } = drag.current;
    const span = start.to - start.from;
    const moved = ((x - event.clientX) / width) * span;
    const left = Math.max(whole.from, Math.min(start.from + moved, whole.to - span));
    setChosen({ from: left, to: left + span });
  };
  return (
    <>
      <div class="filters">
        <div class="legend">
          {(Object.keys(phaseColours) as PhaseName[]).map((phase) => (
            <span key={phase}>
              <i style={{ background: `var(--${phaseColours[phase]})` }} />
              {phase}
            </span>
          ))}
          <span>
            <i style={{ background: "var(--good)" }} />| reused
          </span>
          <span>★ critical path</span>
        </div>
        <span class="shown">
          <button type="button" class="small" onClick={() => zoom(0.5)}>
            Zoom in
          </button>{" "}
          <button type="button" class="small" onClick={() => zoom(2)}>
            Zoom out
          </button>{" "}
          <button
            type="button"
            class="small"
            disabled={chosen === undefined}
            onClick={() => setChosen(undefined)}
          >
            Whole run
          </button>
        </span>
      </div>
      <section
        class="timeline"
        ref={box}
        tabIndex={0}
        aria-label="Timeline: plus and minus zoom, arrows move. The calls tab lists the same calls as text."
        onKeyDown={onKey}
        onPointerMove={onMove}
        onPointerLeave={() => {
          drag.current = undefined;
          setUnder(undefined);
        }}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, view };
        }}
        onPointerUp={() => {
          drag.current = undefined;
        }}
        onDblClick={(event) => {
          const call = callAt(event);
          if (call !== undefined) go(href("runs", run, "calls", call.call));
        }}
        onWheel={(event) => {
          if (!event.ctrlKey && !event.shiftKey) return;
          event.preventDefault();
          const { left, width } = event.currentTarget.getBoundingClientRect();
          zoom(event.deltaY > 0 ? 1.25 : 0.8, (event.clientX - left) / width);
        }}
      >
        <canvas ref={canvas} aria-hidden="true" />
        <div style={{ height: `${calls.length * rowHeight}px`, width: "1px" }} />
      </section>
      <p class="quiet" role="status">
        {under === undefined
          ? "Point at a call to see its phases; double-click opens it."
          : describe(under, now)}
      </p>
    </>
  );
}

function describe({ call, state, phases }: TimedCall, now: number): string {
  const parts = phases.map(({ phase, from, to }) => `${phase} ${durationText(((to ?? now) - from) / 1000)}`);
  return `${call}: ${state}${parts.length === 0 ? "" : ` · ${parts.join(" · ")}`}`;
}

function paint(parts: {
  readonly box: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly calls: readonly TimedCall[];
  readonly view: View;
  readonly startedAt: number;
  readonly now: number;
}): void {
  const { box, canvas, calls, view, startedAt, now } = parts;
  const scale = devicePixelRatio;
  const width = box.clientWidth;
  const height = Math.min(box.clientHeight, calls.length * rowHeight + axisHeight + 8);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.style.marginBottom = `${axisHeight - height}px`;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(scale, scale);
  const colours = new Map<string, string>();
  const colour = (name: string) => {
    const known = colours.get(name) ?? colourOf(name);
    colours.set(name, known);
    return known;
  };
  const xOf = (at: number) => ((at - view.from) / (view.to - view.from)) * width;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  const first = Math.floor(box.scrollTop / rowHeight);
  const last = Math.min(calls.length, first + Math.ceil(height / rowHeight) + 1);
  for (let at = first; at < last; at++) {
    const call = calls[at];
    if (call === undefined) continue;
    const y = axisHeight + at * rowHeight - box.scrollTop;
    for (const { phase, from, to } of call.phases) {
      const x = xOf(from);
      const right = xOf(to ?? now);
      if (right < 0 || x > width) continue;
      context.fillStyle = colour(call.state === "reused" ? "good" : phaseColours[phase]);
      if (call.state === "reused") context.fillRect(x, y + 3, 2, rowHeight - 6);
      else context.fillRect(x, y + 5, Math.max(1, right - x), rowHeight - 10);
    }
    const begins = xOf(call.phases[0]?.from ?? view.from);
    const last = call.phases.at(-1);
    // Reused calls are ticks where their phases begin.
    const ends = xOf((call.state === "reused" ? undefined : last?.to) ?? last?.from ?? view.from);
    const label = `${call.critical === true ? "★ " : ""}${call.call}`;
    const place = labelPlace({ begins, ends, width }, context.measureText(label).width);
    if (place === undefined) continue;
    if (place.isInside) {
      context.fillStyle = colour("surface");
      context.fillRect(place.x - 4, y + 3, context.measureText(label).width + 8, rowHeight - 6);
    }
    context.textAlign = "left";
    context.fillStyle = colour(call.state === "failed" ? "bad" : call.critical === true ? "text" : "quiet");
    context.fillText(label, place.x, y + rowHeight / 2);
  }
  context.fillStyle = colour("surface");
  context.fillRect(0, 0, width, axisHeight);
  context.fillStyle = colour("quiet");
  context.strokeStyle = colour("line");
  context.textAlign = "left";
  const step = tickOf(view.to - view.from, Math.max(2, Math.floor(width / 110)));
  for (
    let tick = Math.ceil((view.from - startedAt) / step) * step;
    startedAt + tick <= view.to;
    tick += step
  ) {
    const x = Math.round(xOf(startedAt + tick)) + 0.5;
    context.fillText(durationText(tick / 1000), x + 4, axisHeight / 2);
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
  }
}

const labelGap = 6;

/** After the bar, or before it, or on it where there is no room; undefined = the bar is out of sight. */
function labelPlace(
  bar: { readonly begins: number; readonly ends: number; readonly width: number },
  labelWidth: number,
): { readonly x: number; readonly isInside: boolean } | undefined {
  const { begins, ends, width } = bar;
  if (ends < 0 || begins > width) return undefined;
  if (ends + labelGap + labelWidth <= width) return { x: ends + labelGap, isInside: false };
  if (begins - labelGap - labelWidth >= 0) return { x: begins - labelGap - labelWidth, isInside: false };
  return { x: Math.max(begins, 0) + labelGap, isInside: true };
}

/** A round number of milliseconds, so that a span has about this many of them. */
function tickOf(spanMs: number, count: number): number {
  const rounds = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5,
  ];
  return rounds.find((round) => spanMs / round <= count) ?? Math.ceil(spanMs / count / 36e5) * 36e5;
}
