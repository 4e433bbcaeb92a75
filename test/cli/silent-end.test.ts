/** Node ends silently with code 13 when a promise can no longer settle. */
import { writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { Sandbox } from "./memoir.ts";

/** Standard input never ends, and nothing waits for it. */
const silentInput = `
import { Readable } from "node:stream";
Object.defineProperty(process, "stdin", { value: new Readable({ read() {} }) });
`;

it("a command that waits for what can no longer happen says so, and ends with 70", async () => {
  const sandbox = await Sandbox.create();
  await writeFile(sandbox.path("w.wdl"), "version 1.1\nworkflow w {\n}\n");
  await writeFile(sandbox.path("silent.mjs"), silentInput);
  const ended = await sandbox
    .with({ NODE_OPTIONS: `--import=file://${sandbox.path("silent.mjs")}` })
    .run("run", "w.wdl", "-i", "-");
  expect(ended.err).toContain("bug: the command waits for something that can no longer happen");
  expect(ended.code).toBe(70);
  sandbox.remove();
});
