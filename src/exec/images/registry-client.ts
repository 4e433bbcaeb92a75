/**
 * Asks registries what an image name means just now: tag -> manifest -> this platform's manifest -> config digest.
 * Protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md; tokens as
 * https://distribution.github.io/distribution/spec/auth/token/. Only metadata is read here, engines pull the images.
 */
import { sha256 } from "../../hash/index.ts";
import {
  type HttpAnswer,
  HttpConnections,
  type HttpRequest,
  isHttpTrouble,
  isSuccess,
  readHttp,
} from "../../http-client/index.ts";
import { type Ask, defined } from "../../kernel/index.ts";
import { type CredentialSources, type Credentials, findCredentials } from "./credentials.ts";
import { type ImageName, imageText, isLoopback } from "./image-name.ts";
import { asObject, asText, parseJson } from "./json.ts";
import { chooseEntry, configPlatform, isDigest, manifestTypes, parseManifest } from "./manifest.ts";

export interface ResolvedImage {
  readonly kind: "resolved";
  /** Digest of this platform's manifest, never of an index. */
  readonly manifestDigest: string;
  readonly configDigest: string;
  readonly platform: string;
}

/** Why a name could not be resolved; `words` say what was asked and what came. */
export interface Unresolved {
  readonly kind: "missing" | "refused" | "unreachable";
  readonly words: string;
}

export interface RegistryOptions {
  readonly credentials: CredentialSources;
  /** Milliseconds for one request. Default 20000. */
  readonly requestLimitMs?: number;
  /** First pause between tries, doubled each time. Default 500 ms. */
  readonly retryPauseMs?: number;
}

/** Manifests and configs are small; an endless one is cut off. */
const largestDocumentBytes = 8 << 20;

export class RegistryClient {
  readonly #options: RegistryOptions;
  /** Idle ones do not keep the process alive. */
  readonly #connections = new HttpConnections();
  /** `Authorization` values that worked, by host and repository. Memory only. */
  readonly #granted = new Map<string, string>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** @param tries how often one request is made when the network or the registry is in trouble */
  async resolve(
    name: ImageName,
    platform: string,
    tries: number,
    ask: Ask,
  ): Promise<ResolvedImage | Unresolved> {
    try {
      return await this.#resolve({ name, tries, ask }, platform);
    } catch (error) {
      if (error instanceof Trouble) return error.unresolved;
      throw error;
    }
  }

  /** The config of an image: its text, checked against its digest. */
  async config(
    name: ImageName,
    digest: string,
    tries: number,
    ask: Ask,
  ): Promise<{ readonly kind: "config"; readonly text: string } | Unresolved> {
    try {
      return { kind: "config", text: await this.#document({ name, tries, ask }, "blobs", digest) };
    } catch (error) {
      if (error instanceof Trouble) return error.unresolved;
      throw error;
    }
  }

  async #resolve(request: Request, platform: string): Promise<ResolvedImage> {
    const { name } = request;
    const digest = name.digest ?? (await this.#digestOfTag(request));
    const text = await this.#document(request, "manifests", digest);
    const manifest = parseManifest(text);
    if (manifest.kind === "image") {
      const config = await this.#document(request, "blobs", manifest.configDigest);
      return {
        kind: "resolved",
        manifestDigest: digest,
        configDigest: manifest.configDigest,
        platform: configPlatform(config) ?? platform,
      };
    }
    if (manifest.kind !== "index") throw notAnImage(request, manifest.kind);
    const entry = chooseEntry(manifest.entries, platform);
    if (entry === undefined) {
      const offered = [...new Set(manifest.entries.map((one) => one.platform))].join(", ");
      throw new Trouble("missing", `${imageText(name)} is available for ${offered}, not for ${platform}`);
    }
    const own = parseManifest(await this.#document(request, "manifests", entry.digest));
    if (own.kind !== "image") throw notAnImage(request, own.kind);
    return {
      kind: "resolved",
      manifestDigest: entry.digest,
      configDigest: own.configDigest,
      platform: entry.platform,
    };
  }

  /** HEAD first: registries count GETs of manifests as pulls. */
  async #digestOfTag(request: Request): Promise<string> {
    const tag = request.name.tag ?? "latest";
    const head = await this.#send(request, "HEAD", `manifests/${tag}`);
    const digest = head.headers["docker-content-digest"];
    if (isSuccess(head) && typeof digest === "string" && isDigest(digest)) return digest;
    // Some registries answer HEAD without the digest, or not at all.
    const get = await this.#send(request, "GET", `manifests/${tag}`);
    if (!isSuccess(get)) throw failed(request, `manifests/${tag}`, get);
    return `sha256:${sha256(get.bytes)}`;
  }

  /** A document by its digest; the bytes are checked against it. */
  async #document(request: Request, kind: "manifests" | "blobs", digest: string): Promise<string> {
    const answer = await this.#send(request, "GET", `${kind}/${digest}`);
    if (!isSuccess(answer)) throw failed(request, `${kind}/${digest}`, answer);
    const got = `sha256:${sha256(answer.bytes)}`;
    if (got !== digest)
      throw new Trouble(
        "unreachable",
        `${urlOf(request.name, `${kind}/${digest}`)}: the content has the digest ${got}`,
      );
    return answer.bytes.toString("utf8");
  }

  /** Sends with what was granted before, then with what the registry asks for; never a third time. */
  async #send(request: Request, method: "GET" | "HEAD", path: string): Promise<HttpAnswer> {
    const { name } = request;
    const url = urlOf(name, path);
    const scope = `${name.host}/${name.repository}`;
    const headers = { accept: manifestTypes.join(", ") };
    const granted = this.#granted.get(scope);
    const first = await this.#try(request, url, {
      method,
      headers: granted === undefined ? headers : { ...headers, authorization: granted },
    });
    if (first.status !== 401) return first;
    const authorization = await this.#authorize(request, first.headers["www-authenticate"] ?? "");
    if (authorization === undefined) return first;
    const second = await this.#try(request, url, { method, headers: { ...headers, authorization } });
    if (second.status !== 401) this.#granted.set(scope, authorization);
    return second;
  }

  /** What the challenge asks for; undefined when there is nothing to answer it with. */
  async #authorize(request: Request, challenge: string): Promise<string | undefined> {
    const { name, ask } = request;
    const credentials = await findCredentials(name.host, name.repository, this.#options.credentials, ask);
    if (/^basic\b/i.test(challenge)) return credentials?.kind === "password" ? basic(credentials) : undefined;
    const parameters = parseChallenge(challenge);
    const realm = parameters["realm"];
    if (!/^bearer\b/i.test(challenge) || realm === undefined) return undefined;
    const scope = parameters["scope"] ?? `repository:${name.repository}:pull`;
    const answer = await this.#askToken(request, realm, parameters["service"], scope, credentials);
    if (!isSuccess(answer))
      throw new Trouble(
        answer.status === 401 || answer.status === 403 ? "refused" : "unreachable",
        `the token server ${realm} of ${name.host} answered ${answer.status} ${who(credentials)}`,
      );
    const token = asObject(parseJson(answer.bytes.toString("utf8")));
    const text = asText(token["token"]) ?? asText(token["access_token"]);
    return text === undefined ? undefined : `Bearer ${text}`;
  }

  #askToken(
    request: Request,
    realm: string,
    service: string | undefined,
    scope: string,
    credentials: Credentials | undefined,
  ): Promise<HttpAnswer> {
    const query = new URLSearchParams({ ...defined({ service }), scope });
    if (credentials?.kind === "identity-token") {
      query.set("grant_type", "refresh_token");
      query.set("client_id", "memoir");
      query.set("refresh_token", credentials.token);
      return this.#try(request, realm, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" },
        body: query.toString(),
      });
    }
    const url = new URL(realm);
    for (const [key, value] of query) url.searchParams.append(key, value);
    const headers = credentials === undefined ? {} : { authorization: basic(credentials) };
    return this.#try(request, url.href, { method: "GET", headers });
  }

  /** One request, made again when the network or the registry is in trouble. */
  async #try({ ask, tries }: Request, url: string, request: Omit<HttpRequest, "url">): Promise<HttpAnswer> {
    const { requestLimitMs = 20_000, retryPauseMs = 500 } = this.#options;
    const answer = await readHttp(
      {
        ...request,
        url,
        redirects: 20,
        tries,
        pauseMs: retryPauseMs,
        timeoutMs: requestLimitMs,
        limitBytes: largestDocumentBytes,
        connections: this.#connections,
        repeatable: true,
      },
      ask,
    ).catch((error: unknown) => {
      if (!isHttpTrouble(error)) throw error;
      const what = error.kind === "too-long" ? "a document of more than 8 MiB" : error.message;
      throw new Trouble("unreachable", `${hostOf(url)}: ${what}`);
    });
    if (answer.status !== 429 && answer.status < 500) return answer;
    const what = answer.status === 429 ? "too many requests for now (429)" : `answered ${answer.status}`;
    throw new Trouble("unreachable", `${hostOf(url)}: ${what}, up to ${tries} tries`);
  }
}

interface Request {
  readonly name: ImageName;
  readonly tries: number;
  readonly ask: Ask;
}

/** Carries an Unresolved out of the depth; never leaves this file. */
class Trouble extends Error {
  readonly unresolved: Unresolved;

  constructor(kind: Unresolved["kind"], words: string) {
    super(words);
    this.unresolved = { kind, words };
  }
}

function failed(request: Request, path: string, answer: HttpAnswer): Trouble {
  const words = `${urlOf(request.name, path)} answered ${answer.status}`;
  const refused = answer.status === 401 || answer.status === 403;
  return new Trouble(refused ? "refused" : answer.status < 500 ? "missing" : "unreachable", words);
}

function notAnImage(request: Request, kind: "index" | "old" | "unknown"): Trouble {
  const name = imageText(request.name);
  if (kind === "old")
    return new Trouble(
      "missing",
      `${name} exists only in the format of Docker before 1.10, which has no digest to identify it by; pull and push it again`,
    );
  return new Trouble(
    "missing",
    `${name} is not an image (${kind === "index" ? "index in an index" : "unknown manifest"})`,
  );
}

function urlOf(name: ImageName, path: string): string {
  const host = name.host === "docker.io" ? "registry-1.docker.io" : name.host;
  return `${isLoopback(name.host) ? "http" : "https"}://${host}/v2/${name.repository}/${path}`;
}

function hostOf(url: string): string {
  return new URL(url).host;
}

/** `Bearer realm="…",service="…",scope="…"`. Pure. */
export function parseChallenge(challenge: string): Readonly<Record<string, string>> {
  const pairs = [...challenge.matchAll(/([A-Za-z_]+)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(
    pairs.map((match) => [(match[1] ?? "").toLowerCase(), (match[2] ?? "").replace(/\\(.)/g, "$1")]),
  );
}

function basic(credentials: Extract<Credentials, { kind: "password" }>): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}

function who(credentials: Credentials | undefined): string {
  if (credentials === undefined) return "to an anonymous request";
  return credentials.kind === "password" ? `to user ${credentials.username}` : "to the stored identity token";
}
