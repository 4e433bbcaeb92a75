import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { thisOwner } from "../../process/index.ts";
import { readEnvironment } from "../environment.ts";
import { homeRuns, listRunPage } from "../workflows/list-runs.ts";
import { FollowedLines } from "./followed-lines.ts";
import { keepLine } from "./kept-lines.ts";
import { keepRun, RunIndex } from "./run-index.ts";

let home = "";
const environment = () => readEnvironment({ env: { MEMOIR_HOME: home }, cwd: home, parentPid: 1 });
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "memoir-index-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe("lines that are followed", () => {
  const limits = { bytes: 1_000, files: 3 };
  const keep = (n: number) => keepLine("runs", { n, pad: "x".repeat(50) }, { home }, { limits });
  const file = () => join(home, "history", "runs.jsonl");
  const open = () => {
    const lines = new FollowedLines<{ readonly n: number }>("runs", { home }, limits);
    return async () => {
      const { kind, facts } = await lines.read();
      return [kind, ...facts.map(({ n }) => n)];
    };
  };

  it("are read once; a line that is being written is read when it is whole", async () => {
    const read = open();
    expect(await read()).toEqual(["all"]);
    await keep(1);
    await keep(2);
    expect(await read()).toEqual(["all", 1, 2]);
    expect(await read()).toEqual(["more"]);
    await keep(3);
    await appendFile(file(), '{"n":');
    expect(await read()).toEqual(["more", 3]);
    expect(await read()).toEqual(["more"]);
    await appendFile(file(), '4}\n{"n":5}\n');
    expect(await read()).toEqual(["more", 4, 5]);
  });

  it("are all read again when a file was replaced, rewritten, made shorter or renamed", async () => {
    for (const n of [1, 2, 3]) await keep(n);
    const read = open();
    await read();
    await writeFile(`${file()}.new`, '{"n":7}\n');
    await rename(`${file()}.new`, file());
    expect(await read()).toEqual(["all", 7]);
    await truncate(file(), 0);
    expect(await read()).toEqual(["all"]);
    await appendFile(file(), '{"n":8}\n');
    expect(await read()).toEqual(["more", 8]);
    await writeFile(file(), '{"n":9}\n{"n":10}\n');
    expect(await read()).toEqual(["all", 9, 10]);
    await copyFile(file(), join(home, "history", "runs.1.jsonl"));
    expect(await read()).toEqual(["all", 9, 10, 9, 10]);
    await rm(join(home, "history"), { recursive: true });
    expect(await read()).toEqual(["all"]);
  });

  it("answer the same as reading everything does, also while files are renamed", async () => {
    const lines = new FollowedLines<{ readonly n: number }>("runs", { home }, limits);
    let known: readonly number[] = [];
    for (let n = 0; n < 100; n++) {
      await keep(n);
      const { kind, facts } = await lines.read();
      known = [...(kind === "all" ? [] : known), ...facts.map((fact) => fact.n)];
      const [, ...all] = await open()();
      expect(known).toEqual(all);
    }
    expect(known.at(-1)).toBe(99);
    expect(known.length).toBeLessThan(60);
  });
});

describe("the index of runs", () => {
  const startedAt = (n: number) => new Date(1_800_000_000_000 + n * 1_000).toISOString();
  const begin = async (n: number, folder: string) => {
    const id = `20270115-08000${n}-aa${n}`;
    const directory = join(home, folder, id);
    await mkdir(directory, { recursive: true });
    const facts = { id, workflow: "align", startedAt: startedAt(n) };
    const record = { ...facts, state: "succeeded", owner: thisOwner() };
    await writeFile(join(directory, "run.json"), JSON.stringify(record));
    await keepRun({ kind: "began", directory, ...facts }, environment());
    return { id, directory };
  };

  it("lists runs of all folders page by page, and those whose folder is not there any more as such", async () => {
    const index = new RunIndex(environment());
    const folder = join(home, "runs");
    const sources = { home: homeRuns(folder), elsewhere: index.elsewhere(folder) };
    const pages = async () => {
      const found: string[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await listRunPage(
          sources,
          { limit: 2, ...(cursor === undefined ? {} : { cursor }) },
          freshAsk(),
        );
        found.push(
          ...page.runs.map(
            (run) => `${run.id.slice(-1)}${"gone" in run && run.gone === true ? " gone" : ""}`,
          ),
        );
        cursor = page.nextCursor;
        if (cursor === undefined) return found;
      }
    };
    const begun = [];
    for (const n of [1, 2, 3, 4, 5, 6]) begun.push(await begin(n, n % 3 === 0 ? "other" : "runs"));
    expect(await pages()).toEqual(["6", "5", "4", "3", "2", "1"]);
    await rm(begun[1]?.directory ?? "", { recursive: true });
    await rm(begun[2]?.directory ?? "", { recursive: true });
    begun.push(await begin(7, "other"));
    expect(await pages()).toEqual(["7", "6", "5", "4", "3 gone", "2 gone", "1"]);
    expect(await index.directoryOf(begun[6]?.id ?? "")).toBe(begun[6]?.directory);
    expect(await index.directoryOf(begun[2]?.id ?? "")).toBe(undefined);
    expect(await Promise.all(begun.slice(0, 3).map(({ id }) => index.forget(id)))).toEqual([
      false,
      true,
      true,
    ]);
    expect(await pages()).toEqual(["7", "6", "5", "4", "1"]);
    expect(await readFile(join(home, "history", "runs.jsonl"), "utf8")).toContain('"deleted"');
  });
});
