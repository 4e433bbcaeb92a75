/** A table that is short enough to be in the document whole; it scrolls sideways by itself on narrow screens. */
import type { ComponentChildren, VNode } from "preact";
import { countText } from "../format.ts";

export interface TableColumn<T> {
  readonly title: ComponentChildren;
  readonly isNumber?: boolean;
  readonly isCode?: boolean;
  cell(row: T): ComponentChildren;
}

export function DataTable<T>(props: {
  readonly columns: readonly TableColumn<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** The rows after these are only counted. */
  readonly most?: number;
  /** A last row with sums. */
  readonly total?: T;
  readonly label?: string;
}): VNode {
  const { columns, rows, keyOf, most = 1000, total, label } = props;
  const line = (row: T, key?: string) => (
    <tr key={key}>
      {columns.map((column, at) => (
        <td key={`${at}`} class={classOf(column)}>
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
  return (
    <div class="scroll">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map((column, at) => (
              <th key={`${at}`} class={column.isNumber === true ? "number" : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{rows.slice(0, most).map((row) => line(row, keyOf(row)))}</tbody>
        {total === undefined ? null : <tfoot>{line(total)}</tfoot>}
      </table>
      {rows.length > most ? <p class="quiet">and {countText(rows.length - most)} more</p> : null}
    </div>
  );
}

function classOf({ isNumber, isCode }: TableColumn<never>): string | undefined {
  if (isNumber === true) return "number";
  return isCode === true ? "mono" : undefined;
}
