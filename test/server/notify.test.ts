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

it(
  "each change of a run's status is posted in the shape of EventBridge's events",
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
      expect(server.bugs).toEqual([]);
    } finally {
      await server.close();
      receiver.close();
    }
  },
  3 * limitMs,
);
