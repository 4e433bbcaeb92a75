/** The process that checks definitions: what needs more than it may take is refused, and nothing else is harmed. */
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CheckLimits, createDefinitionChecker } from "../../src/app/omics/definition-checker.ts";
import { checkWord } from "../../src/cli/check-word.ts";
import { memoirProgram, Sandbox } from "../cli/memoir.ts";

const declarations = Array.from({ length: 50_000 }, (_, n) => `Int x${n} = ${n}\n`).join("");
const ask = { signal: new AbortController().signal };
const usual = { heapMiB: 1024, seconds: 600 };
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await Sandbox.create();
  for (const folder of ["large", "broken"]) await mkdir(sandbox.path(folder));
  await writeFile(sandbox.path("large/main.wdl"), `version 1.1\nworkflow large {\n${declarations}}\n`);
  await writeFile(sandbox.path("broken/main.wdl"), "version 1.1\nworkflow w {\n  Int x = true\n}\n");
});
afterAll(() => sandbox.remove());

async function check(bundle: string, limits: CheckLimits, main = "main.wdl") {
  const checker = createDefinitionChecker([process.execPath, memoirProgram, checkWord], limits);
  const common = { digest: "0".repeat(64), allowed: { kind: "all" as const }, cwd: sandbox.folder };
  try {
    return await checker.check({ ...common, engine: "WDL", main, folder: sandbox.path(bundle) }, ask);
  } finally {
    checker.close();
  }
}

it("a document that is a workflow is accepted with what there is to say of it", async () => {
  expect(await check("large", usual)).toMatchObject({
    kind: "accepted",
    engine: "WDL",
    main: "main.wdl",
    statusMessage: "workflow large",
    parameterTemplate: {},
  });
});

it("a document with an error is refused with its diagnostic, without the name of its folder", async () => {
  const answer = await check("broken", usual);
  expect(answer).toMatchObject({ kind: "refused", reason: expect.stringContaining("main.wdl:3:") });
  expect(JSON.stringify(answer)).not.toContain(sandbox.folder);
});

it("a document that does not exist is refused", async () => {
  expect(await check("broken", usual, "absent.wdl")).toMatchObject({ kind: "refused" });
});

it("a document that takes too long is refused", async () => {
  const answer = await check("large", { ...usual, seconds: 0.001 });
  expect(answer).toEqual({
    kind: "refused",
    reason: "checking its documents takes more than 0.001 seconds",
  });
});

it("a document that needs too much memory is refused", async () => {
  const answer = await check("large", { ...usual, heapMiB: 32 });
  expect(answer).toEqual({
    kind: "refused",
    reason: "checking its documents needs more than 32 MiB of memory",
  });
});

it("a checker that cannot be run is reported as an error of the server, not of the document", async () => {
  const checker = createDefinitionChecker([sandbox.path("no-program")], usual);
  const { folder } = sandbox;
  const question = { engine: undefined, main: undefined, folder, digest: "", cwd: folder };
  await expect(checker.check({ ...question, allowed: { kind: "all" } }, ask)).rejects.toThrow(/ENOENT/);
});
