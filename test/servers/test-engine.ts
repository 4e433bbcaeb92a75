/** What tests get when they start a private container engine, whichever it is. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { limitMs } from "../limit.mjs";
import type { TestImage } from "./test-images.ts";

export interface TestEngine {
  readonly kind: "docker" | "podman";
  /** Its folder; tests may add files to it. */
  readonly dir: string;
  /** What makes Memoir (and the engine's own command) find this engine and no other. */
  readonly env: Readonly<Record<string, string>>;
  /** Loads an image into its store. */
  load(image: TestImage): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the keeper and waits until the engine can be used; answers its folder and how to end it. */
export async function keepEngine(
  kind: "docker" | "podman",
): Promise<{ readonly dir: string; readonly stop: () => Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), `memoir-test-${kind}-`));
  const script = fileURLToPath(new URL("./engine-keeper.mjs", import.meta.url));
  const keeper = spawn(process.execPath, [script, kind, dir, String(process.pid)], {
    stdio: "ignore",
    detached: true,
  });
  keeper.unref();
  const stop = async () => {
    if (keeper.exitCode !== null) return;
    const ended = new Promise((done) => keeper.once("exit", done));
    keeper.ref();
    keeper.kill("SIGTERM");
    await ended;
  };
  for (const until = Date.now() + 1.2 * limitMs; Date.now() < until; await wait(20)) {
    if (existsSync(join(dir, "ready"))) return { dir, stop };
    if (existsSync(join(dir, "failed")))
      throw new Error(`${kind}: ${readFileSync(join(dir, "failed"), "utf8")}`);
    if (keeper.exitCode !== null) throw new Error(`${kind}: its keeper ended with ${keeper.exitCode}`);
  }
  await stop();
  throw new Error(`${kind} was not ready within ${(1.2 * limitMs) / 1000} s`);
}
