/**
 * Who is asking: Signature Version 4 against the configured access keys, or the token of a key for programs that cannot
 * sign. Without keys nobody is checked and everybody is the operator; the server then listens only on loopback, and web
 * pages of other origins are refused.
 */

import { createHash } from "node:crypto";
import { defined } from "../kernel/index.ts";
import { accessKeyIdOf, checkSignature, type SignatureCheck } from "../protocol/index.ts";
import { isBrowser } from "./foreign-pages.ts";
import type { HttpRequest, Target } from "./message.ts";
import type { Sessions } from "./sessions.ts";

export interface ServerKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** 12 digits. */
  readonly account: string;
  /** Accepted as `Authorization: Bearer …` where a mount takes tokens. */
  readonly token?: string;
  /** May see what belongs to the machine and not to an account: its own runs, caches, predictions and metrics. */
  readonly operator?: boolean;
  /** What it may do with stored predictions below `/v1`. Default: nothing; operators may do everything. */
  readonly predictions?: "read" | "write";
  /** Of which models, by id. Default: of all. */
  readonly models?: readonly string[];
}

/** What a caller may do with stored predictions. */
export interface PredictionRights {
  readonly use: "read" | "write";
  /** undefined = of all models. */
  readonly models?: readonly string[];
}

export interface Caller {
  readonly account: string;
  readonly accessKeyId: string;
  /** Of the credential scope. */
  readonly region: string;
  readonly isOperator: boolean;
  /** undefined = none. Operators have all of them, whatever is said here. */
  readonly predictions?: PredictionRights;
}

export type Asking =
  | { readonly kind: "known"; readonly caller: Caller; readonly by?: "session" }
  | Exclude<SignatureCheck, { readonly kind: "valid" }>;

export interface AccessRules {
  /** Empty = nobody is checked and everybody is `openAccount`. */
  readonly keys: readonly ServerKey[];
  readonly openAccount: string;
  readonly region: string;
  readonly now: () => Date;
  /** Signing names that are accepted. */
  readonly services: readonly string[];
  readonly tokens: "accepted" | "refused";
  /** Where people sign in. Absent = cookies mean nothing. Without keys browsers need a session, and programs none. */
  readonly sessions?: Sessions<Caller>;
  /** Without keys programs need a session, too. */
  readonly needsSession?: boolean;
}

export interface Authenticator {
  /** Without keys nobody is checked. */
  readonly checksCallers: boolean;
  callerOf(request: HttpRequest, target: Target): Asking;
  /** Whether the request names a key that is known, before its body is there to be checked. */
  namesKey(authorization: string | undefined): boolean;
}

export function createAuthenticator(rules: AccessRules): Authenticator {
  const keys = new Map(rules.keys.map((key) => [key.accessKeyId, key]));
  // Looked up by digest, so that the time of a look-up reveals nothing about a token.
  const byToken = new Map(
    rules.keys.flatMap((key) => (key.token === undefined ? [] : [[digestOf(key.token), key] as const])),
  );
  const signingKeys = new Map<string, Buffer>();
  const keyOf = (accessKeyId: string) => keys.get(accessKeyId);
  const keyOfToken = (authorization: string | undefined) => {
    const token = rules.tokens === "refused" ? undefined : /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    return token === undefined ? undefined : (byToken.get(digestOf(token)) ?? "unknown");
  };
  return {
    checksCallers: keys.size > 0,
    callerOf: (request, target) => {
      const { region, now, services, sessions } = rules;
      const { headers } = request;
      const signedIn = headers["authorization"] === undefined ? sessions?.whoOf(headers) : undefined;
      if (signedIn !== undefined) return { kind: "known", caller: signedIn, by: "session" };
      if (keys.size === 0) {
        const isShut = sessions !== undefined && (rules.needsSession === true || isBrowser(request));
        return isShut ? { kind: "missing" } : { kind: "known", caller: openCaller(rules) };
      }
      const named = keyOfToken(request.headers["authorization"]);
      if (named === "unknown") return { kind: "unknown-key" };
      if (named !== undefined) return { kind: "known", caller: callerOf(named, region) };
      const { method, body, bodySha256 } = request;
      const signed = {
        method,
        headers,
        body,
        ...defined({ bodySha256 }),
        ...target,
      };
      const check = checkSignature(signed, { keyOf, now: now(), services, signingKeys });
      if (check.kind !== "valid") return check;
      const key = keyOf(check.accessKeyId);
      return key === undefined
        ? { kind: "unknown-key" }
        : { kind: "known", caller: callerOf(key, check.region) };
    },
    namesKey: (authorization) => {
      if (keys.size === 0 || keys.has(accessKeyIdOf(authorization) ?? "")) return true;
      const named = keyOfToken(authorization);
      return named !== undefined && named !== "unknown";
    },
  };
}

/** Who everybody is where there are no keys. */
export function openCaller({ openAccount: account, region }: OpenRules): Caller {
  return { account, accessKeyId: "anonymous", region, isOperator: true };
}

type OpenRules = Pick<AccessRules, "openAccount" | "region">;

export function callerOf(key: ServerKey, region: string): Caller {
  const { account, accessKeyId, operator, predictions: use, models } = key;
  const predictions = use === undefined ? undefined : { use, ...defined({ models }) };
  return {
    ...{ account, accessKeyId, region, isOperator: operator === true },
    ...defined({ predictions }),
  };
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
