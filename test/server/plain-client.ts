/** Plain requests to a test server, for stories that need no AWS client. */
import { expect } from "vitest";
import { type TestServer, uniqueId } from "./harness.ts";
import { zipOf } from "./zip.ts";

export type Body = Readonly<Record<string, unknown>>;

export const roleArn = "arn:aws:iam::000000000000:role/r";
export const logGroupName = "/aws/omics/WorkflowLog";

export async function post(server: TestServer, path: string, body: Body): Promise<Body> {
  const answer = await server.raw({ method: "POST", path, body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

export async function get(server: TestServer, path: string): Promise<Body> {
  const answer = await server.raw({ method: "GET", path });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

/** Makes a workflow of these files; its id. */
export async function workflow(
  server: TestServer,
  members: Readonly<Record<string, string>>,
): Promise<string> {
  const definitionZip = zipOf(members).toString("base64");
  const { id } = await post(server, "/workflow", { definitionZip, requestId: uniqueId() });
  const { status, statusMessage } = await get(server, `/workflow/${id}`);
  expect(status, String(statusMessage)).toBe("ACTIVE");
  return String(id);
}

/** Starts a run that writes below the server's own folder. */
export function start(server: TestServer, workflowId: string, settings: Body = {}): Promise<Body> {
  return post(server, "/run", {
    ...{ workflowId, roleArn, outputUri: `file://${server.folder}/out`, requestId: uniqueId() },
    ...settings,
  });
}

export async function ended(server: TestServer, id: unknown): Promise<Body> {
  let run: Body = {};
  await expect
    .poll(
      async () => {
        run = await get(server, `/run/${id}`);
        return run["status"];
      },
      { interval: 30 },
    )
    .toMatch(/^(COMPLETED|FAILED|CANCELLED)$/);
  return run;
}

export async function tasksOf(server: TestServer, run: unknown): Promise<readonly Body[]> {
  const { items } = await get(server, `/run/${run}/task`);
  return items as readonly Body[];
}

/** An operation of CloudWatch Logs on the one group. */
export async function logs(server: TestServer, operation: string, body: Body): Promise<Body> {
  const answer = await server.raw({
    method: "POST",
    path: "/",
    headers: {
      "x-amz-target": `Logs_20140328.${operation}`,
      "content-type": "application/x-amz-json-1.1",
    },
    body: JSON.stringify({ logGroupName, ...body }),
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

/** The first page of a stream, oldest line first. */
export async function logOf(server: TestServer, logStreamName: string): Promise<readonly string[]> {
  const { events } = await logs(server, "GetLogEvents", { logStreamName, startFromHead: true });
  return (events as readonly { message: string }[]).map(({ message }) => message);
}
