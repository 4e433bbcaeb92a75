/** Ports for servers that cannot choose one themselves. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * A port of the loopback interface that was free a moment ago. It is below those that the kernel hands out, so that no
 * connection of another test takes it before the server does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
