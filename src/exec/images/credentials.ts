/**
 * Credentials for registries, from where `docker login` and `podman login` leave them. Read again for every registry;
 * nothing of them is kept in messages or on disk.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type Ask, systemErrorCode } from "../../kernel/index.ts";
import { runProgram } from "../../process/index.ts";
import { asObject, asText, type JsonObject, parseJson } from "./json.ts";

export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** A refresh token that the registry's token server exchanges. */
  | { readonly kind: "identity-token"; readonly token: string };

export interface CredentialSources {
  /** REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, DOCKER_CONFIG and PATH (for `docker-credential-…` helpers) are looked at. */
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
}

/** Files that may hold credentials, the first answer wins. */
export function credentialFiles(sources: CredentialSources): readonly string[] {
  const { env, home } = sources;
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    env["REGISTRY_AUTH_FILE"],
    runtime === undefined ? undefined : join(runtime, "containers/auth.json"),
    join(home, ".config/containers/auth.json"),
    join(env["DOCKER_CONFIG"] ?? join(home, ".docker"), "config.json"),
  ].filter((file) => file !== undefined && file !== "") as string[];
}

/**
 * Credentials for `host` (`docker.io`, `quay.io`, `127.0.0.1:5000`); undefined = none, ask anonymously.
 * @throws AppError EXEC_IMAGE_REFUSED when a credential file is not JSON (its words would otherwise be missed).
 */
export async function findCredentials(
  host: string,
  repository: string,
  sources: CredentialSources,
  ask: Ask,
): Promise<Credentials | undefined> {
  for (const file of credentialFiles(sources)) {
    const config = await readConfig(file);
    if (config === undefined) continue;
    const helper = helperFor(config, host);
    const found =
      helper === undefined
        ? storedCredentials(config, host, repository)
        : ((await askHelper(helper, host, sources, ask)) ?? storedCredentials(config, host, repository));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function readConfig(file: string): Promise<JsonObject | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
    throw error;
  }
  const config = parseJson(text);
  if (config === undefined)
    throw new AppError("EXEC_IMAGE_REFUSED", `reading registry credentials: ${file} is not JSON`);
  return asObject(config);
}

/** The names under which a host's credentials are filed; Docker Hub has historic ones. */
function namesOf(host: string): readonly string[] {
  if (host !== "docker.io") return [host];
  return ["docker.io", "index.docker.io", "registry-1.docker.io"];
}

function helperFor(config: JsonObject, host: string): string | undefined {
  const helpers = asObject(config["credHelpers"]);
  for (const name of namesOf(host)) {
    const helper = asText(helpers[name]) ?? asText(helpers[`https://${name}/v1/`]);
    if (helper !== undefined) return helper;
  }
  return asText(config["credsStore"]);
}

/** Pure: the entry of `auths` for the host; the longest `host/namespace` that covers the repository wins. */
export function storedCredentials(
  config: JsonObject,
  host: string,
  repository: string,
): Credentials | undefined {
  const names = namesOf(host);
  const fitting = Object.entries(asObject(config["auths"]))
    .map(([key, entry]) => ({ name: registryName(key), entry: asObject(entry) }))
    .filter(({ name }) =>
      names.some((known) => name === known || `${known}/${repository}/`.startsWith(`${name}/`)),
    )
    .sort((a, b) => b.name.length - a.name.length);
  for (const { entry } of fitting) {
    const token = asText(entry["identitytoken"]);
    if (token !== undefined && token !== "") return { kind: "identity-token", token };
    const pair = Buffer.from(asText(entry["auth"]) ?? "", "base64").toString();
    const username = pair.includes(":") ? pair.slice(0, pair.indexOf(":")) : asText(entry["username"]);
    const password = pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : asText(entry["password"]);
    // Old files pad the password with NUL.
    if (username !== undefined && password !== undefined)
      return { kind: "password", username, password: password.replace(/\0+$/, "") };
  }
  return undefined;
}

function registryName(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/(v[12]\/?)?$/, "");
}

async function askHelper(
  helper: string,
  host: string,
  sources: CredentialSources,
  ask: Ask,
): Promise<Credentials | undefined> {
  // Docker's own helpers file Docker Hub under this address.
  const server = host === "docker.io" ? "https://index.docker.io/v1/" : host;
  const outcome = await runProgram(
    {
      command: `docker-credential-${helper}`,
      args: ["get"],
      cwd: "/",
      env: sources.env,
      stdin: { kind: "bytes", bytes: server },
      timeoutMs: 30_000,
    },
    ask,
  );
  // A helper that knows nothing of the host ends with 1; that means: continue without.
  if (outcome.kind !== "exited" || outcome.exitCode !== 0) return undefined;
  const answer = asObject(parseJson(outcome.stdout));
  const username = asText(answer["Username"]);
  const secret = asText(answer["Secret"]);
  if (username === undefined || secret === undefined || secret === "") return undefined;
  if (username === "<token>") return { kind: "identity-token", token: secret };
  return { kind: "password", username, password: secret };
}

/** How an engine receives the credentials for a pull. */
export function registryAuthHeader(credentials: Credentials | undefined): Readonly<Record<string, string>> {
  if (credentials === undefined) return {};
  const words =
    credentials.kind === "password"
      ? { username: credentials.username, password: credentials.password }
      : { identitytoken: credentials.token };
  return { "x-registry-auth": Buffer.from(JSON.stringify(words)).toString("base64url") };
}
