/** The routes described: as an OpenAPI document, and as a page that loads nothing. */
import type { HttpResponse } from "../http/index.ts";
import type { Card } from "./card.ts";
import { orientations } from "./orient.ts";

interface Described {
  readonly method: string;
  readonly path: string;
  readonly name: string;
  readonly summary: string;
}

const item = {
  type: "object",
  required: ["key", "input"],
  properties: { key: { type: "string" }, input: { type: "string" } },
};
const inputs = {
  anyOf: [
    { type: "array", items: { type: "string" } },
    { type: "array", items: item },
  ],
};
const runParameters = [
  { name: "orient", schema: { type: "string", enum: orientations, default: "records" } },
  { name: "fetch_cache", schema: { type: "boolean", default: true } },
  { name: "save_cache", schema: { type: "boolean", default: true } },
  { name: "cache_only", schema: { type: "boolean", default: false } },
  { name: "min_workers", schema: { type: "integer", minimum: 1, default: 1 } },
  { name: "max_workers", schema: { type: "integer", minimum: 1, default: 16 } },
  { name: "output_type", schema: { type: "string", default: "simple" } },
].map((parameter) => ({ ...parameter, in: "query", required: false }));

export function openApi(card: Card, routes: readonly Described[]): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, name, summary } of routes) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, label]) => label);
    const takesInputs = name === "run" || name === "submitJob";
    const parameters = [
      ...names.map((label) => ({ name: label, in: "path", required: true, schema: { type: "string" } })),
      ...(takesInputs ? runParameters : []),
    ];
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: {
        ...{ operationId: name, summary, parameters },
        ...(takesInputs
          ? { requestBody: { required: true, content: { "application/json": { schema: inputs } } } }
          : {}),
        responses: { 200: { description: summary } },
      },
    };
  }
  const info = {
    title: `${String(card["Identifier"])}:${String(card["Slug"])} Server`,
    description: String(card["Title"] ?? ""),
    version: String(card["Release"] ?? "v1"),
  };
  return { openapi: "3.1.0", info, paths };
}

export function docsPage(card: Card, routes: readonly Described[]): HttpResponse {
  const rows = routes.map(
    ({ method, path, summary }) =>
      `<tr><td>${method}</td><td><code>${escaped(path)}</code></td><td>${escaped(summary)}</td></tr>`,
  );
  const title = `${String(card["Identifier"])} ${String(card["Title"] ?? "")}`;
  const body = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head><body><h1>${escaped(title)}</h1><p><a href="/openapi.json">OpenAPI document</a></p><table>${rows.join("")}</table></body></html>\n`;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
  };
  return { status: 200, headers, body };
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
