/**
 * Not a test: the program that crash.test.ts kills. It runs the given attempts on one executor and says
 * `started` when all have been started. USR2 brings it into the state in which a dying process is for a moment, and on
 * a busy machine for longer: its sockets are closed, but its children still have it for a parent.
 */
import { closeSync, readdirSync, readlinkSync } from "node:fs";
import { createContainerExecutor } from "../../src/exec/container/container-executor.ts";
import { findEngine } from "../../src/exec/container/find-engine.ts";
import { ImageStore } from "../../src/exec/container/image-store.ts";
import type { Attempt, Executor } from "../../src/exec/core/index.ts";
import { createHostExecutor } from "../../src/exec/local/host-executor.ts";
import { freshAsk } from "../../src/kernel/index.ts";

export interface RunnerOrder {
  readonly kind: "host" | "isolated" | "docker" | "podman";
  readonly env: Readonly<Record<string, string>>;
  readonly attempts: readonly Attempt[];
}

process.on("SIGUSR2", () => {
  const sockets = readdirSync("/proc/self/fd").map(Number).filter(isSocket);
  for (const descriptor of sockets) closeSync(descriptor);
  process.kill(process.pid, "SIGSTOP");
});

const order = JSON.parse(process.argv[2] ?? "{}") as RunnerOrder;
const ask = freshAsk();
const executor = await makeExecutor();
await executor.open(ask);
await Promise.all(order.attempts.map((attempt) => executor.start(attempt, ask)));
process.stdout.write("started\n");
await Promise.all(order.attempts.map((attempt) => executor.wait(attempt, ask)));

async function makeExecutor(): Promise<Executor> {
  const { kind, env } = order;
  if (kind === "host" || kind === "isolated")
    return createHostExecutor({ isolate: kind === "isolated", env, graceMs: 5_000 });
  const engine = await findEngine({ engine: kind, env, home: "/" }, ask);
  return createContainerExecutor({
    engine,
    images: new ImageStore({ engine, credentials: { env, home: "/" } }),
  });
}

function isSocket(descriptor: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith("socket:");
  } catch {
    return false; // the one that listed the folder
  }
}
