/** JSON requests of tests, and runs of small bundles to their end. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type RawResponse, type TestKey, type TestServer, uniqueId } from "./harness.ts";
import { signedHeaders } from "./sign.ts";
import { zipOf } from "./zip.ts";

export type Body = Record<string, unknown>;

/** Signed when a key is given. */
export function ask(
  server: TestServer,
  method: string,
  path: string,
  body?: object,
  key?: TestKey,
): Promise<RawResponse> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const host = `127.0.0.1:${server.port}`;
  const headers =
    key === undefined ? {} : { headers: signedHeaders({ method, host, path, ...text }, { key }) };
  return server.raw({ method, path, ...headers, ...text });
}

/** The answer's body; fails where the request was refused. */
export async function send(...request: Parameters<typeof ask>): Promise<Body> {
  const answer = await ask(...request);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

export interface Outcome {
  readonly status: unknown;
  readonly message: string;
  /** Everything that was written for the user. */
  readonly files: string;
}

/** Registers and runs; a bundle that is refused has no run. */
export async function outcome(
  server: TestServer,
  key: TestKey,
  files: Readonly<Record<string, string>>,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<Outcome> {
  const get = (path: string) => send(server, "GET", path, undefined, key);
  const post = (path: string, body: object) => send(server, "POST", path, body, key);
  const definitionZip = zipOf(files).toString("base64");
  const { id: workflowId } = await post("/workflow", { definitionZip, requestId: uniqueId() });
  const made = await get(`/workflow/${workflowId}`);
  if (made["status"] === "FAILED")
    return { status: "FAILED", message: String(made["statusMessage"]), files: JSON.stringify(made) };
  const out = join(server.folder, "out", uniqueId());
  const { id } = await post("/run", {
    ...{ workflowId, roleArn: "arn:aws:iam::111111111111:role/r", outputUri: `file://${out}` },
    ...{ parameters, requestId: uniqueId() },
  });
  let run: Body = {};
  const status = async () => {
    run = await get(`/run/${id}`);
    return run["status"];
  };
  await expect.poll(status, { interval: 30 }).toMatch(/^(COMPLETED|FAILED)$/);
  const { items } = await get(`/run/${id}/task`);
  return {
    status: run["status"],
    message: String(run["statusMessage"]),
    files: JSON.stringify([made, run, items]) + (await textBelow(out)),
  };
}

async function textBelow(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const texts = entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFile(join(entry.parentPath, entry.name), "utf8"));
  return (await Promise.all(texts)).join("\n");
}
