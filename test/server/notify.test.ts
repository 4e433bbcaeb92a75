/** Changes of a run's status, as a receiver of events gets them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, vi } from "vitest";
import { limitMs } from "../limit.mjs";
import { openServer } from "./harness.ts";
import { start, workflow } from "./plain-client.ts";

const wdl = `version 1.1
workflow nothing { output { Int one = 1 } }
`;

const oneTask = `version 1.1
task say { command <<< echo hi >>> output { String said = read_string(stdout()) } }
workflow one { call say output { String said = say.said } }
`;

it(
  "each change of the status of a run and of its tasks is posted in the shape of EventBridge's events",
  async () => {
    const seen: Readonly<Record<string, unknown>>[] = [];
    const receiver = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += String(chunk);
      });
      request.on("end", () => {
        seen.push(JSON.parse(text) as Readonly<Record<string, unknown>>);
        // A receiver that fails loses nothing but what it refused.
        response.writeHead(seen.length === 1 ? 500 : 200).end();
      });
    });
    await new Promise<void>((resolve) => {
      receiver.listen(0, "127.0.0.1", resolve);
    });
    const notify = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/events`;
    const server = await openServer({ notify });
    try {
      const id = await workflow(server, { "main.wdl": wdl });
      const run = String((await start(server, id, { name: "announced" }))["id"]);
      await vi.waitFor(
        () => expect(seen.map(({ detail }) => (detail as { status: string }).status)).toContain("COMPLETED"),
        { timeout: limitMs, interval: 50 },
      );
      const statuses = seen.map(({ detail }) => (detail as { status: string }).status);
      // The first was refused, and came again with the same id.
      expect(seen[1]?.["id"]).toBe(seen[0]?.["id"]);
      expect(statuses).toEqual(["PENDING", "PENDING", "STARTING", "RUNNING", "STOPPING", "COMPLETED"]);
      expect(seen[0]).toMatchObject({
        ...{ version: "0", "detail-type": "Run Status Change", source: "aws.omics", account: "000000000000" },
        detail: { omicsVersion: "1.0.0", runId: run, runName: "announced", workflowId: id },
      });
      await server.raw({ method: "DELETE", path: `/run/${run}` });
      await vi.waitFor(
        () => expect(seen.at(-1)?.["detail"]).toMatchObject({ runId: run, status: "DELETED" }),
        {
          timeout: limitMs,
          interval: 50,
        },
      );
      const tasked = await workflow(server, { "main.wdl": oneTask });
      const second = String((await start(server, tasked, { name: "with a task" }))["id"]);
      const ofTasks = () => seen.filter((event) => event["detail-type"] === "Task Status Change");
      await vi.waitFor(
        () => expect(seen.at(-1)?.["detail"]).toMatchObject({ runId: second, status: "COMPLETED" }),
        { timeout: limitMs, interval: 50 },
      );
      const [first] = ofTasks();
      expect(ofTasks().map(({ detail }) => (detail as { status: string }).status)).toEqual([
        "PENDING",
        "RUNNING",
        "STOPPING",
        "COMPLETED",
      ]);
      const task = String((first?.["detail"] as { arn: string } | undefined)?.arn);
      expect(task).toMatch(/^arn:aws:omics:us-east-1:000000000000:task\/\d+$/);
      expect(first).toMatchObject({
        resources: [task],
        detail: {
          ...{ omicsVersion: "1.0.0", runId: second, runName: "with a task", workflowId: tasked },
          runArn: `arn:aws:omics:us-east-1:000000000000:run/${second}`,
        },
      });
      expect(server.bugs).toEqual([]);
    } finally {
      await server.close();
      receiver.close();
    }
  },
  3 * limitMs,
);
