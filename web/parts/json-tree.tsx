/** Any JSON value, foldable; never more of a long list than somebody reads. */
import type { VNode } from "preact";
import { countOf } from "../format.ts";

const mostMembers = 200;
const mostText = 2000;

export function JsonTree({ value, depth = 0 }: { readonly value: unknown; readonly depth?: number }): VNode {
  if (typeof value !== "object" || value === null)
    return <code>{shortened(JSON.stringify(value) ?? "none")}</code>;
  const members: readonly (readonly [string, unknown])[] = Array.isArray(value)
    ? value.map((item, at) => [String(at), item] as const)
    : Object.entries(value);
  if (members.length === 0) return <code>{Array.isArray(value) ? "[]" : "{}"}</code>;
  const list = (
    <dl class="tree">
      {members.slice(0, mostMembers).map(([name, member]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <JsonTree value={member} depth={depth + 1} />
          </dd>
        </div>
      ))}
      {members.length > mostMembers ? (
        <div>
          <dt>…</dt>
          <dd class="quiet">{countOf(members.length - mostMembers, "more member")}</dd>
        </div>
      ) : null}
    </dl>
  );
  if (depth === 0) return list;
  return (
    <details open={depth < 2 && members.length <= 20}>
      <summary>{countOf(members.length, Array.isArray(value) ? "item" : "member")}</summary>
      {list}
    </details>
  );
}

function shortened(text: string): string {
  return text.length <= mostText ? text : `${text.slice(0, mostText)}…`;
}
