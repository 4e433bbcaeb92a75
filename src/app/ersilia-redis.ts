/**
 * A Redis that Ersilia filled on this machine, which the user did not name. It is never used without being asked for:
 * `serve` only says that it is there. Looking must not slow down or break anything, so it is short, and what is not
 * found out is not reported.
 */
import { connect } from "node:net";
import { type Ask, isAppError, withTimeout } from "../kernel/index.ts";
import { createRedisTier } from "../store/predictions/index.ts";
import type { Environment } from "./environment.ts";
import { isRedisAddress } from "./tier-address.ts";

export interface ErsiliaRedis {
  /** For `--local` and `MEMOIR_LOCAL`. */
  readonly url: string;
  /** Rows that Ersilia stored for the model. */
  readonly rows: number;
  /** Models with such rows. */
  readonly models: number;
}

/** Where Ersilia publishes its Redis. */
const ersilias = "redis://127.0.0.1:6379";
const connectWithinMs = 2_000;
const listWithinMs = 5_000;

/** undefined = none answers, it holds nothing of Ersilia's, or looking was switched off. */
export async function findErsiliaRedis(
  modelId: string,
  { ersiliaRedis }: Pick<Environment, "ersiliaRedis">,
  ask: Ask,
): Promise<ErsiliaRedis | undefined> {
  const url = ersiliaRedis ?? ersilias;
  if (url === "off" || !isRedisAddress(url) || !(await answers(url))) return undefined;
  const limited = withTimeout(ask, listWithinMs);
  const tier = createRedisTier({ url });
  try {
    await tier.open(limited.ask);
    const stored = (await tier.listScopes(limited.ask)).filter(({ release }) => release === undefined);
    const rows = stored.reduce((sum, each) => sum + (each.modelId === modelId ? each.rows : 0), 0);
    return stored.length === 0 ? undefined : { url, rows, models: stored.length };
  } catch (error) {
    // It wants a password, holds millions of other keys, or is not a Redis: not Ersilia's.
    if (isAppError(error) || limited.ask.signal.aborted) return undefined;
    throw error;
  } finally {
    limited.done();
    await tier.close();
  }
}

/** Connecting by hand: loading the client costs more than all else that `serve` does. */
async function answers(url: string): Promise<boolean> {
  const { hostname, port } = URL.canParse(url) ? new URL(url) : { hostname: "", port: "" };
  if (hostname === "") return false;
  return await new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port === "" ? 6379 : port) });
    const end = (found: boolean) => () => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(connectWithinMs, end(false));
    socket.once("connect", end(true)).once("error", end(false));
  });
}
