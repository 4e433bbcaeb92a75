/** A real image registry on loopback, open or behind token authentication, and a small client to push to it. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { limitMs } from "../limit.mjs";
import { freePort } from "./free-port.ts";
import type { Requirement } from "./requirement.ts";
import { sha256, type TestImage, testArchitecture } from "./test-images.ts";

export const registryRequirement: Requirement = {
  name: "Docker registry",
  programs: ["docker-registry", "openssl", "setpriv"],
  debianPackages: ["docker-registry", "openssl"],
};

export const registryUser = { username: "user", password: "pass:word" } as const;

export interface RegistryServer {
  /** `127.0.0.1:<port>`: the first part of image names. */
  readonly host: string;
  /** Requests to the token server so far, as `user scope` (`-` = anonymous). */
  readonly tokenRequests: readonly string[];
  stop(): Promise<void>;
}

/** With `auth`, repositories below `private/` need `registryUser`; all others may be pulled by anybody. */
export async function startRegistry(options: { readonly auth: boolean }): Promise<RegistryServer> {
  const dir = mkdtempSync(join(tmpdir(), "memoir-test-registry-"));
  const port = await freePort();
  const tokenRequests: string[] = [];
  let tokens: Server | undefined;
  let auth = "";
  if (options.auth) {
    await makeKeys(dir);
    tokens = await startTokenServer(dir, tokenRequests);
    const realm = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`;
    auth = `auth: {token: {realm: "${realm}", service: memoir-registry, issuer: memoir-issuer, rootcertbundle: ${dir}/cert.pem}}\n`;
  }
  writeFileSync(
    join(dir, "config.yml"),
    `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {inmemory: {}, delete: {enabled: true}}
http: {addr: "127.0.0.1:${port}"}
${auth}`,
  );
  // It dies with the test process, however that ends.
  const command = ["--pdeathsig", "KILL", "--", "docker-registry", "serve", join(dir, "config.yml")];
  const server = spawn("setpriv", command, { stdio: "ignore" });
  const stop = async () => {
    await ended(server);
    tokens?.closeAllConnections();
    tokens?.close();
    await rm(dir, { recursive: true, force: true, maxRetries: 20 });
  };
  const host = `127.0.0.1:${port}`;
  for (const until = Date.now() + limitMs / 2; Date.now() < until; await wait(20)) {
    if (await fetch(`http://${host}/v2/`).catch(() => undefined)) return { host, tokenRequests, stop };
    if (server.exitCode !== null) break;
  }
  await stop();
  throw new Error("docker-registry did not start");
}

/** How an image is written in a registry; the same image under both has one config digest and two manifest digests. */
export type ManifestFormat = "oci" | "docker";

export interface PushedImage {
  readonly manifestDigest: string;
  readonly sizeBytes: number;
  readonly platform: { readonly os: string; readonly architecture: string };
}

const types = {
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    index: "application/vnd.oci.image.index.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar",
  },
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar",
  },
} as const;

/** Pushes an image; with `tag` undefined it can be reached by its digest only (a member of an index). */
export async function pushImage(
  registry: RegistryServer,
  repository: string,
  tag: string | undefined,
  image: Pick<TestImage, "config" | "layer">,
  format: ManifestFormat = "oci",
): Promise<PushedImage> {
  const layer = readFileSync(image.layer);
  const blobs = [Buffer.from(image.config), layer];
  for (const blob of blobs) await pushBlob(registry, repository, blob);
  const [config, data] = blobs.map((blob) => ({ digest: `sha256:${sha256(blob)}`, size: blob.length }));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: types[format].manifest,
    config: { mediaType: types[format].config, ...config },
    layers: [{ mediaType: types[format].layer, ...data }],
  });
  const manifestDigest = `sha256:${sha256(manifest)}`;
  await pushManifest(registry, repository, tag ?? manifestDigest, manifest, types[format].manifest);
  const { architecture, os } = JSON.parse(image.config) as { architecture: string; os: string };
  return { manifestDigest, sizeBytes: manifest.length, platform: { os, architecture } };
}

/** Pushes an index of images that are there already; answers its digest. */
export async function pushIndex(
  registry: RegistryServer,
  repository: string,
  tag: string,
  images: readonly PushedImage[],
  format: ManifestFormat = "oci",
): Promise<string> {
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: types[format].index,
    manifests: images.map((image) => ({
      mediaType: types[format].manifest,
      digest: image.manifestDigest,
      size: image.sizeBytes,
      platform: image.platform,
    })),
  });
  await pushManifest(registry, repository, tag, index, types[format].index);
  return `sha256:${sha256(index)}`;
}

/** The same image with another config (and so another identity): a new build, or another architecture. */
export function variantOf(
  image: TestImage,
  change: {
    readonly architecture?: string;
    readonly note?: string;
    /** What the image says of the containers that are made of it. */
    readonly config?: Readonly<Record<string, unknown>>;
  },
): Pick<TestImage, "config" | "layer" | "configDigest"> {
  const config = JSON.parse(image.config) as Record<string, unknown>;
  const changed = JSON.stringify({
    ...config,
    architecture: change.architecture ?? testArchitecture(),
    ...(change.note === undefined ? {} : { author: change.note }),
    ...(change.config === undefined ? {} : { config: change.config }),
  });
  return { layer: image.layer, config: changed, configDigest: `sha256:${sha256(changed)}` };
}

async function pushBlob(registry: RegistryServer, repository: string, blob: Buffer): Promise<void> {
  const begun = await authorized(registry, `/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", `http://${registry.host}`);
  location.searchParams.set("digest", `sha256:${sha256(blob)}`);
  const put = await authorized(registry, location.href, { method: "PUT", body: new Uint8Array(blob) });
  if (put.status !== 201) throw new Error(`pushing a blob: ${put.status} ${await put.text()}`);
}

async function pushManifest(
  registry: RegistryServer,
  repository: string,
  reference: string,
  manifest: string,
  type: string,
): Promise<void> {
  const answer = await authorized(registry, `/v2/${repository}/manifests/${reference}`, {
    method: "PUT",
    body: manifest,
    headers: { "content-type": type },
  });
  if (answer.status !== 201) throw new Error(`pushing a manifest: ${answer.status} ${await answer.text()}`);
}

async function authorized(registry: RegistryServer, path: string, init: RequestInit): Promise<Response> {
  const url = new URL(path, `http://${registry.host}`);
  const first = await fetch(url, init);
  if (first.status !== 401) return first;
  const words = first.headers.get("www-authenticate") ?? "";
  const part = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(words)?.[1] ?? "";
  const token = new URL(part("realm"));
  token.searchParams.set("service", part("service"));
  token.searchParams.set("scope", part("scope"));
  const pair = Buffer.from(`${registryUser.username}:${registryUser.password}`).toString("base64");
  const granted = (await (await fetch(token, { headers: { authorization: `Basic ${pair}` } })).json()) as {
    token: string;
  };
  return fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${granted.token}` } });
}

async function makeKeys(dir: string): Promise<void> {
  const subject = ["-subj", "/CN=memoir-test", "-days", "2", "-nodes"];
  const files = ["-keyout", join(dir, "key.pem"), "-out", join(dir, "cert.pem")];
  await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...subject, ...files]);
}

/** The token server of https://distribution.github.io/distribution/spec/auth/token/, with one user. */
function startTokenServer(dir: string, seen: string[]): Promise<Server> {
  const key = createPrivateKey(readFileSync(join(dir, "key.pem")));
  const certificate = readFileSync(join(dir, "cert.pem"), "utf8").replace(/-----.*-----|\s/g, "");
  const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://token");
    const header = request.headers.authorization ?? "";
    const pair = Buffer.from(header.replace(/^Basic /, ""), "base64").toString();
    const scopes = url.searchParams.getAll("scope");
    const user = header === "" ? undefined : pair.slice(0, pair.indexOf(":"));
    seen.push(`${user ?? "-"} ${scopes.join(" ")}`);
    if (header !== "" && pair !== `${registryUser.username}:${registryUser.password}`) {
      response.writeHead(401, { "content-type": "application/json" });
      response.end('{"details":"incorrect username or password"}');
      return;
    }
    const access = scopes.map((scope) => {
      const [type = "", name = "", actions = ""] = scope.split(":");
      const open = (action: string) => action === "pull" && !name.startsWith("private/");
      return {
        type,
        name,
        actions: actions.split(",").filter((action) => user !== undefined || open(action)),
      };
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: "memoir-issuer",
      sub: user ?? "",
      aud: url.searchParams.get("service"),
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const body = `${text({ typ: "JWT", alg: "RS256", x5c: [certificate] })}.${text(claims)}`;
    const token = `${body}.${sign("RSA-SHA256", Buffer.from(body), key).toString("base64url")}`;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ token, expires_in: 300 }));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
