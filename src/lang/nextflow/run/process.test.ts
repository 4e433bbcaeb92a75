import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freshAsk } from "../../../kernel/index.ts";
import { createFolderSource, stubFiles, stubHost } from "../../core/index.ts";
import { createNextflowFrontEnd } from "../front-end.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-nextflow-process-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("nothing is lost where all tasks end before the first result is looked at", async () => {
  await writeFile(
    join(folder, "main.nf"),
    `process P { input: val x
      output: val x
      script: 'true' }
    process Q { input: val x
      output: val x
      script: 'true' }
    workflow { Q(P(channel.of(1..500))).count().view() }`,
  );
  let printed = "";
  const frontEnd = createNextflowFrontEnd({
    print: (text) => {
      printed += text;
    },
  });
  const { program } = await frontEnd.load(
    createFolderSource({ folder }),
    "main.nf",
    { lenient: false },
    freshAsk(),
  );
  let paths = 0;
  const host = stubHost({
    failure: "fast",
    pathOf: async () => String(++paths),
    call: async () => ({ kind: "computed", outputs: {} }),
    files: stubFiles({ scratch: join(folder, "scratch") }),
  });
  const result = await program?.run({ values: {}, baseDir: folder }, host, freshAsk());
  expect([result?.kind, printed, paths]).toEqual(["succeeded", "500\n", 1000]);
});
