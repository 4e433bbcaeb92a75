import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { FrontEndKind, LoadOptions } from "../../lang/core/index.ts";
import { loadWorkflow, type ProgramOrder } from "./load.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-load-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A language whose documents mean nothing; it records the options that it was loaded with. */
function toy(seen: LoadOptions[], configuration?: true): FrontEndKind {
  const accepts = (name: string) => name.endsWith(".toy");
  return {
    language: "toy",
    name: "Toy",
    accepts,
    can: {
      filesInJson: "path",
      tasksWithoutImage: "host",
      ...(configuration === undefined ? {} : { configuration }),
    },
    create: async () => ({
      language: "toy",
      accepts,
      outline: async () => ({ references: [], workflow: true }),
      load: async (_source, _main, options) => {
        seen.push(options);
        return { diagnostics: [] };
      },
    }),
  };
}

async function load(order: Partial<ProgramOrder>, kind: FrontEndKind) {
  await writeFile(join(folder, "main.toy"), "");
  const loaded = await loadWorkflow(
    { workflow: "main.toy", ...order },
    { cwd: folder, extensions: { frontEnds: [kind] } },
    freshAsk(),
    { values: { reads: "a.fq" }, baseDir: folder, words: ["threads=4"] },
  );
  await loaded.source.close();
}

describe("loading a workflow", () => {
  it("gives a language with configuration its profiles, files and parameters", async () => {
    const seen: LoadOptions[] = [];
    const configuration = { profiles: ["test", "docker"], files: ["conf/a.config", "/b.config"], only: true };
    await load({ configuration }, toy(seen, true));
    expect(seen).toEqual([
      {
        lenient: false,
        parameters: { values: { reads: "a.fq" }, baseDir: folder, words: ["threads=4"] },
        configuration: {
          profiles: ["test", "docker"],
          files: [join(folder, "conf/a.config"), "/b.config"],
          only: true,
        },
      },
    ]);
  });

  it("refuses configuration for a language that has none, rather than leaving it out", async () => {
    const refused = load({ configuration: { profiles: ["test"] } }, toy([]));
    await expect(refused).rejects.toMatchObject({
      code: "CLI_USAGE",
      message: "loading main.toy: Toy documents have no configuration files and profiles",
    });
    await load({ configuration: { profiles: [] } }, toy([]));
  });
});
