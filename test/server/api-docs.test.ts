/** docs/openapi.json and the table in docs/api.md are those of the table of routes; `BLESS=1` writes them. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { errorPage } from "../../src/v1/error-pages.ts";
import { openApi, v1Routes } from "../../src/v1/index.ts";

const docs = new URL("../../docs/", import.meta.url);
const routes = v1Routes({ version: "1", keys: [] });
const isBlessed = process.env["BLESS"] === "1";

it("docs/openapi.json describes every route", async () => {
  const text = `${JSON.stringify(openApi(routes, "1"), null, 2)}\n`;
  const file = new URL("openapi.json", docs);
  if (isBlessed) await writeFile(file, text);
  expect(await readFile(file, "utf8")).toBe(text);
  expect(routes.length).toBeGreaterThan(15);
  expect(new Set(routes.map(({ name }) => name)).size).toBe(routes.length);
});

it("docs/api.md lists every route", async () => {
  const rows = routes.map(({ method, path, summary, command, for: whom }) => {
    const what = whom === "operators" ? `${summary} (operators)` : summary;
    return `| \`${method} ${path}\` | ${what} | ${command === undefined ? "" : `\`${command}\``} |`;
  });
  const table = ["| route | answer | command |", "|---|---|---|", ...rows].join("\n");
  const file = new URL("api.md", docs);
  const page = await readFile(file, "utf8");
  const start = "<!-- generated from the table of routes; do not edit -->\n";
  const end = "<!-- end of the generated part -->";
  const [before = "", rest = ""] = page.split(start);
  const [, after = ""] = rest.split(end);
  const wanted = `${before}${start}\n${table}\n\n${end}${after}`;
  if (isBlessed) await writeFile(file, wanted);
  expect(page === wanted || isBlessed).toBe(true);
});

it("docs/api.md lists every code that is not in docs/errors.md", async () => {
  const page = await readFile(new URL("api.md", docs), "utf8");
  const errors = await readFile(new URL("errors.md", docs), "utf8");
  const codes = new Set<string>();
  for (const folder of ["http", "v1", "mounts"]) {
    const at = new URL(`../../src/${folder}/`, import.meta.url);
    for (const name of await readdir(at)) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
      const source = await readFile(join(at.pathname, name), "utf8");
      for (const [, code = ""] of source.matchAll(/(?:code: |\d{3}, )"([A-Z][A-Z_]+)"/g)) codes.add(code);
    }
  }
  expect(codes.size).toBeGreaterThan(7);
  for (const code of codes) expect(errorPage(code).hint).not.toBe("");
  expect([...codes].filter((code) => !page.includes(`\`${code}\``) && !errors.includes(code))).toEqual([]);
});

it("docs/server.md names every metric", async () => {
  const page = await readFile(new URL("server.md", docs), "utf8");
  const source = await readFile(new URL("../../src/mounts/metrics.ts", import.meta.url), "utf8");
  const names = [...source.matchAll(/"((?:memoir|process|nodejs)_[a-z0-9_]+)"/g)].map(
    ([, name = ""]) => name,
  );
  expect(names.length).toBeGreaterThan(14);
  const short = (name: string) => name.replace(/^memoir_event_loop_lag(_p99_|_max_)seconds$/, "$1");
  expect(names.filter((name) => !page.includes(short(name)))).toEqual([]);
});
