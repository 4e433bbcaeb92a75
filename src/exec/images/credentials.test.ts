import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { findCredentials, registryAuthHeader } from "./credentials.ts";

const ask = freshAsk();
const auth = (pair: string) => ({ auth: Buffer.from(pair).toString("base64") });

describe("findCredentials", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "memoir-credentials-"));
    await mkdir(join(home, ".docker"));
    await mkdir(join(home, "run/containers"), { recursive: true });
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const docker = (config: object) => writeFile(join(home, ".docker/config.json"), JSON.stringify(config));
  const find = (host: string, repository = "a/b", env: Record<string, string> = {}) =>
    findCredentials(host, repository, { env, home }, ask);
  const user = (username: string, password: string) => ({ kind: "password", username, password });

  it("finds nothing where nobody has logged in", async () => {
    expect(await find("quay.io")).toBeUndefined();
  });

  it("reads what docker login wrote, Docker Hub under its old address", async () => {
    await docker({
      auths: {
        "https://index.docker.io/v1/": auth("hub:p:w"),
        "quay.io": auth("quay:x"),
        "https://reg.org": auth("r:y"),
      },
    });
    expect(await find("docker.io")).toEqual(user("hub", "p:w"));
    expect(await find("quay.io")).toEqual(user("quay", "x"));
    expect(await find("reg.org")).toEqual(user("r", "y"));
    expect(await find("other.org")).toBeUndefined();
  });

  it("prefers Podman's file and the longest namespace in it", async () => {
    await docker({ auths: { "quay.io": auth("docker:1") } });
    const auths = {
      "quay.io": auth("host:1"),
      "quay.io/lab": auth("lab:1"),
      "quay.io/lab/tool": auth("tool:1"),
    };
    await writeFile(join(home, "run/containers/auth.json"), JSON.stringify({ auths }));
    const env = { XDG_RUNTIME_DIR: join(home, "run") };
    expect(await find("quay.io", "lab/tool", env)).toEqual(user("tool", "1"));
    expect(await find("quay.io", "lab/other", env)).toEqual(user("lab", "1"));
    expect(await find("quay.io", "labs/other", env)).toEqual(user("host", "1"));
    expect(await find("quay.io", "lab/tool")).toEqual(user("docker", "1"));
  });

  it("asks a credential helper", async () => {
    const helper = join(home, "docker-credential-fake");
    await writeFile(
      helper,
      '#!/bin/sh\nread -r host\n[ "$1 $host" = "get reg.org" ] || { echo no; exit 1; }\necho \'{"Username":"u","Secret":"s"}\'\n',
    );
    await chmod(helper, 0o755);
    await docker({
      credHelpers: { "reg.org": "fake", "tok.org": "fake" },
      auths: { "tok.org": { identitytoken: "t" } },
    });
    const env = { PATH: `${home}:${process.env["PATH"]}` };
    expect(await find("reg.org", "a", env)).toEqual(user("u", "s"));
    expect(await find("tok.org", "a", env)).toEqual({ kind: "identity-token", token: "t" });
  });

  it("says which file cannot be read as JSON", async () => {
    await writeFile(join(home, ".docker/config.json"), "{ nonsense");
    await expect(find("quay.io")).rejects.toMatchObject({
      code: "EXEC_IMAGE_REFUSED",
      message: expect.stringContaining(join(home, ".docker/config.json")),
    });
  });
});

it("gives an engine the credentials in the header that it reads", () => {
  expect(registryAuthHeader(undefined)).toEqual({});
  const header =
    registryAuthHeader({ kind: "password", username: "u", password: "p" })["x-registry-auth"] ?? "";
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({ username: "u", password: "p" });
});
