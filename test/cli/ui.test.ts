/** `memoir ui`: the link that it prints and opens, and the server that it starts or joins. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { expect, it, vi } from "vitest";
import { limitMs } from "../limit.mjs";
import { Sandbox, type Started } from "./memoir.ts";

const waiting = { timeout: limitMs, interval: 50 };

async function linkOf(started: Started): Promise<string> {
  return vi.waitFor(() => {
    const link = /open (http:\/\/127\.0\.0\.1:\d+\/\S*)/.exec(started.err())?.[1];
    if (link === undefined) throw new Error(`no link yet: ${started.err()}`);
    return link;
  }, waiting);
}

async function stop(started: Started): Promise<void> {
  started.process.kill("SIGTERM");
  await started.ended;
}

async function signsIn(link: string): Promise<boolean> {
  const answer = await fetch(link, { redirect: "manual" });
  return answer.status === 303 && answer.headers.get("set-cookie") !== null;
}

it(
  "prints a link that signs in once, and a second command joins the first",
  async () => {
    const sandbox = await Sandbox.create();
    const first = sandbox.start("ui", "--no-browser");
    const link = await linkOf(first);
    expect(await signsIn(link)).toBe(true);
    expect(await signsIn(link)).toBe(false);
    expect((await fetch(new URL("/api/v1/runs", link))).status).toBe(401);
    const joined = await sandbox.run("ui", "--no-browser", "--json");
    expect(joined.code, joined.err).toBe(0);
    expect(JSON.parse(joined.out)).toEqual({ url: new URL(link).origin, server: "joined" });
    const second = /open (\S+)/.exec(joined.err)?.[1] ?? "";
    expect(await signsIn(second)).toBe(true);
    const { mode } = await stat(`${sandbox.home}/server/page.json`);
    expect(mode & 0o777).toBe(0o600);
    await stop(first);
    await expect(stat(`${sandbox.home}/server/page.json`)).rejects.toThrow("ENOENT");
  },
  3 * limitMs,
);

it(
  "opens the page of a server that runs on the same home",
  async () => {
    const sandbox = await Sandbox.create();
    const server = sandbox.start("server", "--port", "0", "--executor", "host", "--cache-host-tasks");
    const link = await linkOf(server);
    expect(await signsIn(link)).toBe(true);
    const joined = await sandbox.run("ui", "--no-browser", "--json");
    expect(JSON.parse(joined.out)).toEqual({ url: new URL(link).origin, server: "joined" });
    await stop(server);
  },
  3 * limitMs,
);

it(
  "makes way for a server that is started later, and says so",
  async () => {
    const sandbox = await Sandbox.create();
    const ui = sandbox.start("ui", "--no-browser");
    await linkOf(ui);
    const server = sandbox.start("server", "--port", "0", "--executor", "host", "--cache-host-tasks");
    const link = await linkOf(server);
    expect(server.err()).toContain("ended memoir ui");
    const { code, err } = await ui.ended;
    expect(code).toBe(0);
    expect(err).toContain("memoir server serves this home now");
    expect(await signsIn(link)).toBe(true);
    const second = await sandbox.run("server", "--port", "0", "--executor", "host", "--cache-host-tasks");
    expect(second.code).toBe(4);
    expect(second.err).toContain("SERVER_HOME_IN_USE");
    await stop(server);
  },
  3 * limitMs,
);

it(
  "starts the browser without showing the link to other users of the machine",
  async () => {
    const sandbox = await Sandbox.create();
    const seen = sandbox.path("seen");
    await writeFile(
      sandbox.path("browser"),
      `#!/bin/sh\nprintf '%s' "$1" >'${seen}.new' && mv '${seen}.new' '${seen}'\n`,
      {
        mode: 0o755,
      },
    );
    const started = sandbox.with({ BROWSER: sandbox.path("browser") }).start("ui");
    const link = await linkOf(started);
    const address = await vi.waitFor(() => readFile(seen, "utf8"), waiting);
    expect(address).toMatch(/^file:\/\//);
    expect(await readFile(new URL(address), "utf8")).toContain(`url=${link}`);
    expect((await stat(new URL(address))).mode & 0o777).toBe(0o600);
    await stop(started);
  },
  3 * limitMs,
);
