/** The graph of processes, in the format that the name of the file asks for. */
import { AppError } from "../../../kernel/index.ts";
import { escaped } from "./reports.ts";

export interface ProcessNode {
  readonly name: string;
  /** Processes whose results go in. */
  readonly from: readonly string[];
}

export function dagText(nodes: readonly ProcessNode[], file: string): string {
  const ids = new Map(nodes.map(({ name }, index) => [name, `v${index}`]));
  const edges = nodes.flatMap(({ name, from }) =>
    from.flatMap((each): (readonly [string, string])[] => {
      const [a, b] = [ids.get(each), ids.get(name)];
      return a === undefined || b === undefined ? [] : [[a, b]];
    }),
  );
  const ending = /\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? "dot";
  switch (ending) {
    case "mmd":
      return mermaid(ids, edges);
    case "dot":
      return dot(ids, edges);
    case "gexf":
      return gexf(ids, edges);
    case "html":
      return html(ids, edges);
    case "svg":
      return `<?xml version="1.0" encoding="UTF-8"?>\n${svg(ids, edges)}\n`;
    default:
      throw new AppError(
        "CLI_USAGE",
        `Memoir writes the graph as .mmd, .dot, .gexf, .html or .svg, and as ${[...graphvizEndings].join(", ")} with Graphviz, not as .${ending}`,
      );
  }
}

/** What the program `dot` makes. */
const graphvizEndings: ReadonlySet<string> = new Set(["png", "pdf", "jpg", "jpeg", "gif"]);

export function needsGraphviz(file: string): boolean {
  return graphvizEndings.has(/\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? "");
}

type Edges = readonly (readonly [string, string])[];
type Ids = ReadonlyMap<string, string>;

function mermaid(ids: Ids, edges: Edges): string {
  const lines = [
    "flowchart TB",
    ...Array.from(ids, ([name, id]) => `    ${id}(["${name}"])`),
    ...edges.map(([a, b]) => `    ${a} --> ${b}`),
  ];
  return `${lines.join("\n")}\n`;
}

function dot(ids: Ids, edges: Edges): string {
  const lines = [
    "digraph workflow {",
    ...Array.from(ids, ([name, id]) => `  ${id} [label="${name.replaceAll('"', '\\"')}"];`),
    ...edges.map(([a, b]) => `  ${a} -> ${b};`),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

function gexf(ids: Ids, edges: Edges): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2"><graph mode="static" defaultedgetype="directed"><nodes>
${Array.from(ids, ([name, id]) => `<node id="${id}" label="${escaped(name)}"/>`).join("\n")}
</nodes><edges>
${edges.map(([a, b], index) => `<edge id="e${index}" source="${a}" target="${b}"/>`).join("\n")}
</edges></graph></gexf>
`;
}

const row = 70;
const column = 260;

/** Processes in rows, each below those it takes results of. */
function svg(ids: Ids, edges: Edges): string {
  const level = new Map<string, number>();
  for (const id of ids.values()) level.set(id, 0);
  // As often as there are nodes is enough for every graph; one with circles stops there.
  for (let round = 0; round < ids.size; round++)
    for (const [a, b] of edges) {
      const next = (level.get(a) ?? 0) + 1;
      if ((level.get(b) ?? 0) < next && next < ids.size) level.set(b, next);
    }
  const used = new Map<number, number>();
  const at = new Map<string, { readonly x: number; readonly y: number }>();
  for (const [id, y] of level) {
    const x = used.get(y) ?? 0;
    used.set(y, x + 1);
    at.set(id, { x: x * column + 20, y: y * row + 20 });
  }
  const width = Math.max(1, ...used.values()) * column + 20;
  const height = (Math.max(0, ...level.values()) + 1) * row + 20;
  const boxes = Array.from(ids, ([name, id]) => {
    const { x, y } = at.get(id) ?? { x: 0, y: 0 };
    return `<rect x="${x}" y="${y}" width="${column - 40}" height="30" rx="15"/><text x="${x + 12}" y="${y + 20}">${escaped(name)}</text>`;
  });
  const lines = edges.map(([a, b]) => {
    const [from, to] = [at.get(a) ?? { x: 0, y: 0 }, at.get(b) ?? { x: 0, y: 0 }];
    const middle = column / 2 - 20;
    return `<line x1="${from.x + middle}" y1="${from.y + 30}" x2="${to.x + middle}" y2="${to.y}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<style>rect{fill:#eef;stroke:#446}text{font:12px sans-serif}line{stroke:#446}</style>
${[...lines, ...boxes].join("\n")}
</svg>`;
}

function html(ids: Ids, edges: Edges): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Workflow DAG</title></head><body>
${svg(ids, edges)}
<pre class="mermaid">
${escaped(mermaid(ids, edges))}</pre>
</body></html>
`;
}
