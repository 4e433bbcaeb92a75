/** Logs as they grow, read by the unmodified client of CloudWatch Logs. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  paginateDescribeLogStreams,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openServer, region, type TestServer, uniqueId } from "./harness.ts";
import { ended, get, logGroupName, post, start, tasksOf, workflow } from "./plain-client.ts";

let server: TestServer;
let logs: CloudWatchLogsClient;
beforeAll(async () => {
  server = await openServer();
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  logs = new CloudWatchLogsClient({ endpoint: server.url, region, credentials, maxAttempts: 1 });
});
afterAll(async () => {
  logs.destroy();
  await server.close();
  expect(server.bugs).toEqual([]);
});

function wdl(command: string): string {
  return `version 1.1
task talk {
  input {
    String gate
  }
  command <<<
    wait_for() { while [ ! -e "~{gate}.$1" ]; do sleep 0.05; done; }
    ${command}
  >>>
  runtime {
    cpu: 0.1
    memory: "50 MB"
  }
  output {
    String done = "yes"
  }
}
workflow talks {
  input {
    Array[String] gates
  }
  scatter (gate in gates) {
    call talk { input: gate = gate }
  }
}
`;
}

async function talk(command: string, settings: Readonly<Record<string, unknown>> = {}, count = 1) {
  const gates = Array.from({ length: count }, () => join(server.folder, uniqueId()));
  const id = await workflow(server, { "main.wdl": wdl(command) });
  const run = await start(server, id, { parameters: { gates }, ...settings });
  return { run: run["id"], gates, open: (n: number, which = 0) => writeFile(`${gates[which]}.${n}`, "") };
}

/** The stream of the run's only task, once that is running. */
async function streamOf(run: unknown): Promise<string> {
  let task: Readonly<Record<string, unknown>> | undefined;
  await expect
    .poll(
      async () => {
        [task] = await tasksOf(server, run);
        return task?.["status"];
      },
      { interval: 30 },
    )
    .toBe("RUNNING");
  const { logStream } = await get(server, `/run/${run}/task/${task?.["taskId"]}`);
  return String(logStream).replace(/^.*:log-stream:/, "");
}

const read = (logStreamName: string, nextToken?: string) =>
  logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true, nextToken }));

it("what a task says is read while it runs; the forward token stays until there is more", async () => {
  const { run, open } = await talk("echo first; wait_for 1; echo second >&2; wait_for 2; printf third");
  const stream = await streamOf(run);
  const said: string[] = [];
  let token: string | undefined;
  const next = async () => {
    const page = await read(stream, token);
    const same = page.nextForwardToken === token;
    token = page.nextForwardToken;
    said.push(...(page.events ?? []).map(({ message }) => message ?? ""));
    return { said, same };
  };
  const polled = { interval: 30 };
  await expect.poll(async () => (await next()).said, polled).toEqual(["first"]);
  expect((await tasksOf(server, run))[0]?.["status"]).toBe("RUNNING");
  expect(await next()).toEqual({ said: ["first"], same: true });
  expect(await next()).toEqual({ said: ["first"], same: true });
  await open(1);
  await expect.poll(async () => (await next()).said, polled).toEqual(["first", "second"]);
  expect((await tasksOf(server, run))[0]?.["status"]).toBe("RUNNING");
  await open(2);
  await ended(server, run);
  expect((await next()).said).toEqual(["first", "second", "third"]);
  expect((await next()).same).toBe(true);
});

it("a large log is read whole, forward and backward, each line once", async () => {
  const count = 120_000;
  const { run } = await talk(`seq -f "line %.0f of a log that is longer than any tail" 1 ${count}`);
  expect((await ended(server, run))["status"]).toBe("COMPLETED");
  const [task] = await tasksOf(server, run);
  const logStreamName = `run/${run}/task/${task?.["taskId"]}`;
  const expected = Array.from(
    { length: count },
    (_, n) => `line ${n + 1} of a log that is longer than any tail`,
  );
  const forward: string[] = [];
  for (let token: string | undefined; ; ) {
    const page = await read(logStreamName, token);
    if (page.nextForwardToken === token) break;
    token = page.nextForwardToken;
    forward.push(...(page.events ?? []).map(({ message }) => message ?? ""));
  }
  expect(forward).toEqual(expected);
  const backward: string[] = [];
  for (let token: string | undefined; ; ) {
    const page = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, nextToken: token }));
    if (page.nextBackwardToken === token) break;
    token = page.nextBackwardToken;
    backward.unshift(...(page.events ?? []).map(({ message }) => message ?? ""));
  }
  expect(backward).toEqual(expected);
  const filtered: string[] = [];
  for await (const page of paginateFilterLogEvents(
    { client: logs },
    { logGroupName, logStreamNames: [logStreamName], filterPattern: '"000 of"' },
  ))
    filtered.push(...(page.events ?? []).map(({ message }) => message ?? ""));
  expect(filtered).toEqual(expected.filter((line) => line.includes("000 of")));
});

/** As `aws logs tail --follow` does it: from the last time on, again and again, leaving out what it has shown. */
function follower(logStreamNamePrefix: string) {
  const shown = new Set<string>();
  const said: string[] = [];
  let startTime = 0;
  return {
    said,
    poll: async () => {
      for await (const page of paginateFilterLogEvents(
        { client: logs },
        { logGroupName, logStreamNamePrefix, startTime, interleaved: true },
      ))
        for (const { eventId = "", message = "", timestamp = 0 } of page.events ?? []) {
          if (shown.has(eventId)) continue;
          shown.add(eventId);
          said.push(message);
          startTime = Math.max(startTime, timestamp);
        }
      return said;
    },
  };
}

it("several tasks are followed together, and nothing is missed or shown twice", async () => {
  const lines = 200;
  const { run, gates, open } = await talk(
    `for n in $(seq 1 ${lines}); do echo "$(basename ~{gate}) $n"; [ $n = 100 ] && wait_for 1; done; true`,
    {},
    3,
  );
  const follow = follower(`run/${run}/task/`);
  const names = gates.map((gate) => gate.slice(gate.lastIndexOf("/") + 1));
  const seen = (most: number) =>
    names.flatMap((name) => Array.from({ length: most }, (_, n) => `${name} ${n + 1}`)).sort();
  const polled = { interval: 30 };
  await expect.poll(async () => [...(await follow.poll())].sort(), polled).toEqual(seen(100));
  expect((await get(server, `/run/${run}`))["status"]).toBe("RUNNING");
  for (const which of gates.keys()) await open(1, which);
  await expect.poll(async () => [...(await follow.poll())].sort(), polled).toEqual(seen(lines));
  await ended(server, run);
  // Of one task, its lines come in their order.
  for (const name of names)
    expect(
      follow.said.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(" ")[1]),
    ).toEqual(Array.from({ length: lines }, (_, n) => String(n + 1)));
});

it("a cancelled task's words stay, and so do those of a run that was deleted", async () => {
  const { run } = await talk("echo before; sleep 60");
  const stream = await streamOf(run);
  await expect
    .poll(async () => (await read(stream)).events?.map(({ message }) => message))
    .toEqual(["before"]);
  await post(server, `/run/${run}/cancel`, {});
  expect((await ended(server, run))["status"]).toBe("CANCELLED");
  expect((await server.raw({ method: "DELETE", path: `/run/${run}` })).status).toBe(202);
  expect((await read(stream)).events?.map(({ message }) => message)).toEqual(["before"]);
});

it("with logLevel OFF there are no streams, and none are named", async () => {
  const { run } = await talk("echo unheard", { logLevel: "OFF" });
  expect((await ended(server, run))["logLocation"]).toBeUndefined();
  const [task] = await tasksOf(server, run);
  expect((await get(server, `/run/${run}/task/${task?.["taskId"]}`))["logStream"]).toBeUndefined();
  const prefix = { logGroupName, logStreamNamePrefix: `run/${run}` };
  expect((await logs.send(new DescribeLogStreamsCommand(prefix))).logStreams).toEqual([]);
});

it("groups and streams are listed in pages and by time, and mistakes are reported as the service reports them", async () => {
  const { run } = await talk("echo x", {}, 4);
  await ended(server, run);
  const groups = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "/aws/omics" }));
  expect(groups.logGroups?.map((group) => group.logGroupName)).toEqual([logGroupName]);
  expect((await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "/other" }))).logGroups).toEqual(
    [],
  );
  const names: (string | undefined)[] = [];
  for await (const page of paginateDescribeLogStreams(
    { client: logs, pageSize: 2 },
    { logGroupName, logStreamNamePrefix: `run/${run}` },
  )) {
    expect(page.logStreams?.length).toBeLessThanOrEqual(2);
    names.push(...(page.logStreams ?? []).map((stream) => stream.logStreamName));
  }
  expect(names).toHaveLength(6);
  expect(names).toEqual([...names].sort());
  const latest = await logs.send(
    new DescribeLogStreamsCommand({ logGroupName, orderBy: "LastEventTime", descending: true, limit: 3 }),
  );
  const times = (latest.logStreams ?? []).map((stream) => stream.lastEventTimestamp ?? 0);
  expect(times).toEqual([...times].sort((a, b) => b - a));
  const refused = async (command: DescribeLogStreamsCommand | GetLogEventsCommand | FilterLogEventsCommand) =>
    logs.send(command as GetLogEventsCommand).then(
      () => "no error",
      (error: { name: string }) => error.name,
    );
  const logStreamName = `run/${run}`;
  expect([
    await refused(new GetLogEventsCommand({ logGroupName: "/other", logStreamName })),
    await refused(new GetLogEventsCommand({ logGroupName, logStreamName: "run/1" })),
    await refused(new GetLogEventsCommand({ logGroupName, logStreamName, nextToken: "f/x" })),
    await refused(new GetLogEventsCommand({ logGroupName, logStreamName, limit: 20_000 })),
    await refused(new FilterLogEventsCommand({ logGroupName, filterPattern: "[a, b]" })),
    await refused(new FilterLogEventsCommand({ logGroupName, nextToken: "x" })),
    await refused(new FilterLogEventsCommand({ logGroupName, logStreamNames: ["run/0"] })),
    await refused(
      new DescribeLogStreamsCommand({ logGroupName, orderBy: "LastEventTime", logStreamNamePrefix: "run" }),
    ),
  ]).toEqual([
    ...["ResourceNotFoundException", "ResourceNotFoundException"],
    ...Array(4).fill("InvalidParameterException"),
    ...["ResourceNotFoundException", "InvalidParameterException"],
  ]);
});

it("events of a run describe what happened to it and to its tasks, in order", async () => {
  const { run } = await talk("echo x");
  await ended(server, run);
  const { events } = await get(server, `/run/${run}/events`);
  const messages = (events as readonly { message: string }[]).map(({ message }) => message);
  expect(messages[0]).toBe("run started");
  expect(messages.at(-1)).toBe("run ended: COMPLETED");
  expect(messages.some((line) => line.startsWith("started talks.talk"))).toBe(true);
  const engineLog = await readFile(join(server.folder, "out", String(run), "logs", "engine.log"), "utf8");
  expect(engineLog).toContain("started talks.talk");
});
