import { expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { type ListedRun, listRunPage, type RunSource } from "./list-runs.ts";

/** Runs of one place, at these days; newest first, as sources answer. */
function source(origin: "home" | "server", days: readonly number[]): RunSource {
  const rows = days
    .toSorted((a, b) => b - a)
    .map((day) => {
      const at = `2026-01-${String(day).padStart(2, "0")}T00:00:00.000Z`;
      const state = day % 2 === 0 ? "failed" : "succeeded";
      const common = { id: `${origin}-${day}`, workflow: "w", state } as const;
      const row: ListedRun =
        origin === "home"
          ? { ...common, origin, startedAt: at, directory: "/" }
          : { ...common, origin, createdAt: at };
      return { position: String(day), at, row };
    });
  return {
    async *rows(after) {
      for (const row of rows) if (after === undefined || Number(row.position) < Number(after)) yield row;
    },
  };
}

const sources = { home: source("home", [1, 4, 5, 9]), server: source("server", [2, 3, 6, 10, 11]) };
const all = [
  "server-11",
  "server-10",
  "home-9",
  "server-6",
  "home-5",
  "home-4",
  "server-3",
  "server-2",
  "home-1",
];

async function walk(limit: number, options: Partial<Parameters<typeof listRunPage>[1]> = {}) {
  const seen: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await listRunPage(
      sources,
      {
        limit,
        ...options,
        ...(cursor === undefined ? {} : { cursor }),
      },
      freshAsk(),
    );
    seen.push(...page.runs.map(({ id }) => id));
    if (page.nextCursor === undefined) return seen;
    expect(page.runs).toHaveLength(limit);
    cursor = page.nextCursor;
  }
}

it("pages of any size, put together, are the runs of all places by time", async () => {
  expect((await listRunPage(sources, {}, freshAsk())).runs.map(({ id }) => id)).toEqual(all);
  for (const limit of [1, 2, 3, 8, 9, 10]) expect(await walk(limit), String(limit)).toEqual(all);
});

it("a filter leaves no page empty, and the last page says that it is the last", async () => {
  const failed = all.filter((id) => Number(id.split("-")[1]) % 2 === 0);
  for (const limit of [1, 2, 4]) expect(await walk(limit, { state: "failed" })).toEqual(failed);
});

it("a run that begins between two pages moves nothing", async () => {
  const first = await listRunPage(sources, { limit: 4 }, freshAsk());
  const later = { ...sources, home: source("home", [1, 4, 5, 9, 12]) };
  const rest = await listRunPage(later, { cursor: first.nextCursor ?? "" }, freshAsk());
  expect(rest.runs.map(({ id }) => id)).toEqual(all.slice(4));
});

it("a cursor that nobody handed out is refused", async () => {
  for (const cursor of [
    "",
    "x",
    Buffer.from("{}").toString("base64url"),
    Buffer.from('{"other":"1"}').toString("base64url"),
  ])
    await expect(listRunPage(sources, { cursor }, freshAsk())).rejects.toMatchObject({
      code: "LEDGER_TOKEN_INVALID",
    });
});
