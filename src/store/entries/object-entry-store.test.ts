import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { sha256 } from "../../hash/index.ts";
import { type CallKey, freshAsk } from "../../kernel/index.ts";
import { createFolderStore } from "../objects/index.ts";
import { entryStoreContract } from "./entry-store-contract.ts";
import { createEntryStore } from "./object-entry-store.ts";

const folders: string[] = [];
async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "memoir-entries-"));
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

entryStoreContract({ name: "a folder", make: async () => createFolderStore({ path: await scratch() }) });

entryStoreContract({
  name: "a folder whose name needs escaping",
  make: async () => createFolderStore({ path: join(await scratch(), "my cache ü#1%") }),
});

it("a folder takes the task's own file by hard link and makes it read-only", async () => {
  const attempt = await scratch();
  const output = join(attempt, "big.bin");
  await writeFile(output, "bytes");
  const store = createEntryStore({
    objects: createFolderStore({ path: await scratch() }),
    cacheUuid: "5f4c1d6a-0000-4000-8000-000000000002",
  });
  await store.open(freshAsk());
  const entry = await store.record(
    {
      key: sha256("key") as unknown as CallKey,
      taskName: "t",
      callPath: "t",
      runId: "r",
      workflow: "w",
      language: "wdl",
      components: {},
      outputs: { out: { kind: "file", location: output, basename: "big.bin" } },
      cost: { cpuSeconds: null, wallSeconds: 1, maxRssBytes: null, bytesOut: 5 },
      exitCode: 0,
      attemptDirectory: attempt,
    },
    freshAsk(),
  );
  const kept = await stat((entry.outputs["out"] as { location: string }).location);
  expect(kept.ino).toBe((await stat(output)).ino);
  expect(kept.mode & 0o222).toBe(0);
});
