/** What differs between two calls, before and after; long texts by their words. */
import type { VNode } from "preact";
import type { Difference } from "../shapes.ts";
import { wordChanges } from "../word-changes.ts";

export function Differences({ differences }: { readonly differences: readonly Difference[] }): VNode {
  if (differences.length === 0) return <p class="quiet">Nothing is known to differ.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Component</th>
            <th>What differs</th>
          </tr>
        </thead>
        <tbody>
          {differences.map((difference) => (
            <tr key={`${difference.component} ${difference.part ?? ""}`}>
              <td>
                {difference.component}
                {difference.part === undefined ? null : <div class="mono">{difference.part}</div>}
                <div class="quiet">{difference.change}</div>
              </td>
              <td>
                <Change difference={difference} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Change({ difference }: { readonly difference: Difference }): VNode {
  const { words, lines } = difference;
  // Of a long text the changed lines are known.
  const linesWith = (mark: string) =>
    lines
      ?.filter((line) => line.startsWith(mark))
      .map((line) => line.slice(1))
      .join("\n");
  const before = difference.before ?? linesWith("-");
  const after = difference.after ?? linesWith("+");
  if (before === undefined && after === undefined) return <span>{words}</span>;
  return (
    <code style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
      {wordChanges(before ?? "", after ?? "").map(({ kind, text }, at) => {
        const key = `${at}`;
        if (kind === "removed") return <del key={key}>{text}</del>;
        return kind === "added" ? <ins key={key}>{text}</ins> : <span key={key}>{text}</span>;
      })}
    </code>
  );
}
