/** What the commands that serve have in common. */
import { AppError } from "../kernel/index.ts";

/** @throws SERVER_KEYS_MISSING where a server without access keys would be reached from other machines. */
export function requireKeysBeyond(host: string, keys: readonly unknown[]): void {
  if (keys.length > 0 || isLoopback(host)) return;
  throw new AppError(
    "SERVER_KEYS_MISSING",
    `listening on ${host}: without access keys the server listens on this machine only`,
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
