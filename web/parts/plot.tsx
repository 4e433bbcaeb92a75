/** uPlot as a component: drawn again when its box, its data or the colours change. */
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { colourOf } from "../theme.ts";

export interface Series {
  readonly label: string;
  /** Name of a colour of the style sheet. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  readonly label: string;
  /** Seconds since 1970, or numbers. */
  readonly x: readonly number[];
  readonly isTime?: boolean;
  readonly kind: "area" | "bars";
  /** Stacked in this order, from the ground. */
  readonly series: readonly Series[];
  readonly height?: number;
  valueText?(value: number): string;
}

export function Plot(props: PlotProps): VNode {
  const { label, x, isTime = false, kind, series, height = 220, valueText } = props;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    let plot: uPlot | undefined;
    let isGone = false;
    const draw = async () => {
      const { default: UPlot } = await import("uplot");
      if (isGone) return;
      plot?.destroy();
      const bars = UPlot.paths.bars?.({ size: [0.8, 60] });
      const stacked = stack(series.map(({ values }) => values));
      const quiet = colourOf("quiet");
      const axis = { stroke: quiet, grid: { stroke: colourOf("line"), width: 1 }, ticks: { show: false } };
      // The highest sum is drawn first, and what is below it over it.
      const order = series.map((_, at) => at).reverse();
      plot = new UPlot(
        {
          width: current.clientWidth,
          height,
          scales: { x: { time: isTime }, y: { range: (_, __, most) => [0, most === 0 ? 1 : most * 1.08] } },
          legend: { show: false },
          cursor: { y: false, points: { show: false } },
          axes: [
            axis,
            {
              ...axis,
              size: 60,
              ...(valueText === undefined ? {} : { values: (_, ticks) => ticks.map(valueText) }),
            },
          ],
          series: [
            {},
            ...order.map((at) => {
              const colour = colourOf(series[at]?.colour ?? "accent");
              return {
                label: series[at]?.label ?? "",
                stroke: colour,
                fill: colour,
                width: 1,
                points: { show: false },
                ...(kind === "bars" && bars !== undefined ? { paths: bars } : {}),
              };
            }),
          ],
        },
        [[...x], ...order.map((at) => [...(stacked[at] ?? [])])],
        current,
      );
    };
    void draw();
    const observer = new ResizeObserver(() => plot?.setSize({ width: current.clientWidth, height }));
    observer.observe(current);
    const onTheme = () => void draw();
    addEventListener("memoir:theme", onTheme);
    return () => {
      isGone = true;
      observer.disconnect();
      removeEventListener("memoir:theme", onTheme);
      plot?.destroy();
    };
  }, [x, series, kind, height, isTime]);
  return (
    <figure class="plot-figure">
      <div class="plot" ref={box} role="img" aria-label={label} style={{ minHeight: `${height}px` }} />
      <figcaption class="legend">
        {series.map(({ label: name, colour }) => (
          <span key={name}>
            <i style={{ background: `var(--${colour})` }} />
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function stack(columns: readonly (readonly (number | null)[])[]): readonly (readonly number[])[] {
  let below: readonly number[] = [];
  return columns.map((values) => {
    below = values.map((value, at) => (value ?? 0) + (below[at] ?? 0));
    return below;
  });
}
