import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshAsk, isAppError } from "../../kernel/index.ts";
import { findEngine } from "./find-engine.ts";

const ask = freshAsk();
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "memoir-find-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function refusalOf(choice: Omit<Parameters<typeof findEngine>[0], "home">): Promise<string> {
  const error = await findEngine({ ...choice, home }, ask).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isAppError(error, "EXEC_ENGINE_NOT_FOUND")).toBe(true);
  return String(error);
}

it("says what it tried when nothing is there", async () => {
  const words = await refusalOf({
    engine: "docker",
    env: { PATH: "/nowhere", DOCKER_HOST: `unix://${home}/none.sock` },
  });
  expect(words).toContain("looking for a container engine (docker)");
  expect(words).toContain(`${home}/none.sock`);
  expect(words).toContain("ENOENT");
});

it("names a missing podman", async () => {
  const words = await refusalOf({ engine: "podman", env: { PATH: home, XDG_RUNTIME_DIR: home } });
  expect(words).toContain("podman: no such program on PATH");
  expect(words).toContain(join(home, "podman/podman.sock"));
});

it("does not use an engine on another machine, which would not see the files", async () => {
  const words = await refusalOf({ env: { PATH: home, DOCKER_HOST: "tcp://10.0.0.1:2375" } });
  expect(words).toContain("DOCKER_HOST=tcp://10.0.0.1:2375: not a Unix socket");
});

it("follows Docker's current context", async () => {
  const id = createHash("sha256").update("colima").digest("hex");
  const folder = join(home, ".docker/contexts/meta", id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(home, ".docker/config.json"), '{"currentContext":"colima"}');
  const host = `unix://${home}/colima.sock`;
  await writeFile(join(folder, "meta.json"), JSON.stringify({ Endpoints: { docker: { Host: host } } }));
  const server = createServer((_request, response) =>
    response.end('{"Components":[{"Name":"Podman Engine"}]}'),
  );
  await new Promise<void>((resolve) => server.listen(join(home, "colima.sock"), () => resolve()));
  try {
    // It answers, so that the test uses no engine that is installed.
    const words = await refusalOf({ engine: "docker", env: { PATH: home, DOCKER_CONTEXT: "colima" } });
    expect(words).toContain(`${home}/colima.sock: answers, but is podman`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it("refuses an engine that is not the wanted one", async () => {
  const socket = join(home, "p.sock");
  const server = createServer((_request, response) => {
    response.end('{"Components":[{"Name":"Podman Engine"}]}');
  });
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
  try {
    const words = await refusalOf({ engine: "docker", env: { PATH: home, DOCKER_HOST: `unix://${socket}` } });
    expect(words).toContain(`${socket}: answers, but is podman`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
