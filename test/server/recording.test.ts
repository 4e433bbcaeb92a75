/** When the results of a run get into its cache: by behaviour, by write-through, and by how the run ends. */
import { existsSync } from "node:fs";
import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import { ended, post, start, tasksOf, workflow } from "./plain-client.ts";

/** The second task waits for a file and ends as it says. */
const wdl = `version 1.1
task first {
  command <<< echo first > out.txt >>>
  output { File out = "out.txt" }
}
task second {
  input {
    File before
    String gate
  }
  command <<<
    while [ ! -e ~{gate} ]; do sleep 0.05; done
    cat ~{before} > out.txt
    exit $(cat ~{gate})
  >>>
  output { File out = "out.txt" }
}
workflow two {
  input { String gate }
  call first
  call second { input: before = first.out, gate = gate }
  output { File out = second.out }
}
`;

let server: TestServer;
let workflowId: string;
beforeAll(async () => {
  server = await openServer();
  workflowId = await workflow(server, { "main.wdl": wdl });
});
afterAll(async () => {
  await server.close();
  expect(server.bugs).toEqual([]);
});

/** Manifests in the cache. */
async function entries(place: string): Promise<number> {
  if (!existsSync(place)) return 0;
  const names = await readdir(place, { recursive: true });
  return names.filter((name) => /entries\/.*\/[0-9a-f-]{36}\.json$/.test(name)).length;
}

type Ending = "succeeds" | "fails" | "is cancelled";

async function play(cacheBehavior: string, writeThrough: "yes" | "no" | undefined, ending: Ending) {
  const place = join(server.folder, uniqueId());
  const gate = join(server.folder, uniqueId());
  const cache = await post(server, "/runCache", {
    ...{ cacheS3Location: `file://${place}`, cacheBehavior, requestId: uniqueId() },
    ...(writeThrough === undefined ? {} : { tags: { "memoir:write-through": writeThrough } }),
  });
  const run = await start(server, workflowId, { cacheId: cache["id"], parameters: { gate } });
  const states = async () =>
    (await tasksOf(server, run["id"])).map(({ name, status }) => `${name} ${status}`);
  await expect.poll(states, { interval: 30 }).toEqual(["first COMPLETED", "second RUNNING"]);
  const during = await entries(place);
  if (ending === "is cancelled") await post(server, `/run/${run["id"]}/cancel`, {});
  else {
    // It appears with its content: the task looks for it all the time.
    await writeFile(`${gate}.new`, ending === "fails" ? "1" : "0");
    await rename(`${gate}.new`, gate);
  }
  const { status } = await ended(server, run["id"]);
  const after = await entries(place);
  const [first] = await tasksOf(server, run["id"]);
  return { status, during, after, named: first?.["cacheS3Uri"] !== undefined };
}

const kept = { succeeds: "COMPLETED", fails: "FAILED", "is cancelled": "CANCELLED" } as const;

describe.each([
  ["CACHE_ALWAYS", undefined, 1, { succeeds: 2, fails: 1, "is cancelled": 1 }],
  ["CACHE_ALWAYS", "yes", 1, { succeeds: 2, fails: 1, "is cancelled": 1 }],
  ["CACHE_ALWAYS", "no", 0, { succeeds: 2, fails: 1, "is cancelled": 1 }],
  ["CACHE_ON_FAILURE", "yes", 0, { succeeds: 0, fails: 1, "is cancelled": 1 }],
  ["CACHE_ON_FAILURE", "no", 0, { succeeds: 0, fails: 1, "is cancelled": 1 }],
] as const)("%s, write-through %s", (behavior, writeThrough, during, after) => {
  it.each(["succeeds", "fails", "is cancelled"] as const)("when the run %s", async (ending) => {
    expect(await play(behavior, writeThrough, ending)).toEqual({
      status: kept[ending],
      during,
      after: after[ending],
      named: after[ending] > 0,
    });
  });
});

it("a run's own cacheBehavior wins over the cache's", async () => {
  const place = join(server.folder, uniqueId());
  const gate = join(server.folder, uniqueId());
  await writeFile(gate, "0");
  const cache = await post(server, "/runCache", {
    ...{ cacheS3Location: `file://${place}`, requestId: uniqueId() },
  });
  const settings = { cacheId: cache["id"], parameters: { gate } };
  await ended(server, (await start(server, workflowId, settings))["id"]);
  expect(await entries(place)).toBe(0);
  const always = { ...settings, cacheBehavior: "CACHE_ALWAYS" };
  expect((await ended(server, (await start(server, workflowId, always))["id"]))["cacheBehavior"]).toBe(
    "CACHE_ALWAYS",
  );
  expect(await entries(place)).toBe(2);
});
