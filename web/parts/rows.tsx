/**
 * A table of any length: only the rows in sight are in the document. Rows have one height, so the place of each is its
 * number. `j` and `k` move, Enter follows the row's link.
 */
import type { ComponentChildren, VNode } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Column<T> {
  readonly id: string;
  readonly title: ComponentChildren;
  /** A track of a CSS grid: `minmax(8rem, 2fr)`. */
  readonly width: string;
  readonly isNumber?: boolean;
  /** Left out on narrow screens. */
  readonly isExtra?: boolean;
  cell(row: T): ComponentChildren;
}

export interface RowsProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly rowHeight?: number;
  /** A whole-width row instead of cells. */
  heading?(row: T): ComponentChildren | undefined;
  keyOf(row: T): string;
  /** The last rows are nearly in sight. */
  onNearEnd?(): void;
}

const overscan = 12;

export function Rows<T>(props: RowsProps<T>): VNode {
  const { label, rows, columns, rowHeight = 36, heading, keyOf, onNearEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ first: 0, count: 40 });
  const selected = useRef(-1);
  const toFocus = useRef<number | undefined>(undefined);

  const look = useCallback(() => {
    const { current } = box;
    if (current === null) return;
    const first = Math.max(0, Math.floor(current.scrollTop / rowHeight) - overscan);
    const count = Math.ceil(current.clientHeight / rowHeight) + 2 * overscan;
    setView((before) => (before.first === first && before.count === count ? before : { first, count }));
  }, [rowHeight]);

  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    look();
    let frame = 0;
    const later = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(look);
    };
    current.addEventListener("scroll", later, { passive: true });
    const observer = new ResizeObserver(later);
    observer.observe(current);
    return () => {
      cancelAnimationFrame(frame);
      current.removeEventListener("scroll", later);
      observer.disconnect();
    };
  }, [look]);

  const last = Math.min(rows.length, view.first + view.count);
  useEffect(() => {
    if (last >= rows.length - overscan) onNearEnd?.();
  }, [last, rows.length, onNearEnd]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "j" && event.key !== "k") return;
      if (isTyping(event) || box.current === null || rows.length === 0) return;
      if (document.querySelector("[data-rows]") !== box.current) return;
      event.preventDefault();
      const step = event.key === "j" ? 1 : -1;
      const next = Math.min(rows.length - 1, Math.max(0, selected.current + step));
      selected.current = next;
      toFocus.current = next;
      const { scrollTop, clientHeight } = box.current;
      const top = next * rowHeight;
      if (top < scrollTop) box.current.scrollTop = top;
      else if (top + 2 * rowHeight > scrollTop + clientHeight)
        box.current.scrollTop = top + 2 * rowHeight - clientHeight;
      look();
      focusRow(box.current, next);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [rows, rowHeight, look]);

  useLayoutEffect(() => {
    if (toFocus.current === undefined || box.current === null) return;
    if (focusRow(box.current, toFocus.current)) toFocus.current = undefined;
  });

  const tracks = columns.map(({ width }) => width).join(" ");
  const narrow = columns
    .filter(({ isExtra }) => isExtra !== true)
    .map(({ width }) => width)
    .join(" ");
  const style = { "--tracks": tracks, "--narrow": narrow, "--row": `${rowHeight}px` };
  const classOf = (column: Column<T>) =>
    [column.isNumber === true ? "number" : "", column.isExtra === true ? "extra" : ""].join(" ").trim();
  return (
    <div role="table" class="rows" aria-label={label} aria-rowcount={rows.length + 1} style={style}>
      <div role="rowgroup" class="rows-head">
        <div role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <div role="columnheader" key={column.id} class={classOf(column)}>
              {column.title}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" class="rows-body" ref={box} data-rows tabIndex={0} aria-label={label}>
        <div class="rows-space" style={{ height: `${rows.length * rowHeight}px` }} role="presentation">
          {rows.slice(view.first, last).map((row, at) => {
            const index = view.first + at;
            const whole = heading?.(row);
            return (
              <div
                role="row"
                key={keyOf(row)}
                class={whole === undefined ? "row" : "row row-heading"}
                aria-rowindex={index + 2}
                data-index={index}
                style={{ transform: `translateY(${index * rowHeight}px)` }}
                onFocusIn={() => {
                  selected.current = index;
                }}
              >
                {whole === undefined ? (
                  columns.map((column) => (
                    <div role="cell" key={column.id} class={classOf(column)}>
                      {column.cell(row)}
                    </div>
                  ))
                ) : (
                  <div role="cell" aria-colspan={columns.length} class="whole">
                    {whole}
                  </div>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function focusRow(box: HTMLElement, index: number): boolean {
  const row = box.querySelector<HTMLElement>(`[data-index="${index}"]`);
  const target = row?.querySelector<HTMLElement>("a, button");
  target?.focus({ preventScroll: true });
  return target !== null && target !== undefined;
}

export function isTyping(event: KeyboardEvent): boolean {
  if (event.metaKey || event.ctrlKey || event.altKey) return true;
  const { target } = event;
  return (
    target instanceof HTMLElement && target.matches("input, select, textarea, [contenteditable], dialog *")
  );
}
