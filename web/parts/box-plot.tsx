/** Least, quartiles and most of a measure on one scale. */
import type { VNode } from "preact";
import type { Answer } from "../../src/v1/index.ts";

export type Spread = Answer<"Spread">;

export function BoxPlot(props: {
  readonly spread: Spread | undefined;
  readonly most: number;
  readonly asked?: number | undefined;
  textOf(value: number): string;
}): VNode {
  const { spread, most, asked, textOf } = props;
  if (spread === undefined) return <span class="quiet">not measured</span>;
  const width = 180;
  const x = (value: number) => 4 + (most === 0 ? 0 : (value / most) * (width - 8));
  const words = [
    `${textOf(spread.least)} to ${textOf(spread.most)}, median ${textOf(spread.median)}`,
    asked === undefined ? "" : `asked for ${textOf(asked)}`,
  ].filter((each) => each !== "");
  return (
    <div>
      <svg width={width} height="22" aria-hidden="true" class="box-plot">
        <line x1={x(spread.least)} x2={x(spread.most)} y1="11" y2="11" />
        <rect
          x={x(spread.lower)}
          y="4"
          width={Math.max(2, x(spread.upper) - x(spread.lower))}
          height="14"
          rx="2"
        />
        <line class="median" x1={x(spread.median)} x2={x(spread.median)} y1="3" y2="19" />
        {asked === undefined ? null : <path d={`M${x(asked)} 6l5 5l-5 5l-5 -5z`} />}
      </svg>
      <div class="quiet">{words.join("; ")}</div>
    </div>
  );
}
