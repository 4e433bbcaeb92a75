/**
 * Definitions are downloaded by a URL that carries its own permission for a while, as AWS's presigned ones do: clients
 * fetch it with any HTTP program.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { HttpResponse, Target } from "../http/index.ts";
import { parseQuery } from "../http/index.ts";
import type { ServerParts } from "./parts.ts";

const validMs = 15 * 60 * 1000;

export interface DefinitionUrls {
  /** `digest`: `sha256:<hex>`; undefined for none. `origin`: `http://host:port` as the client named it. */
  urlOf(digest: string, origin: string): string | undefined;
  /** undefined = not such a URL. */
  answer(target: Target): Promise<HttpResponse> | undefined;
}

export function definitionUrls(
  parts: Pick<ServerParts, "definitions" | "now">,
  secret: Uint8Array,
): DefinitionUrls {
  const sign = (digest: string, expires: string) =>
    createHmac("sha256", secret).update(`${digest}\n${expires}`).digest("hex");
  return {
    urlOf: (digest, origin) => {
      const hex = digest.replace(/^sha256:/, "");
      if (!/^[0-9a-f]{64}$/.test(hex)) return undefined;
      const expires = String(parts.now().getTime() + validMs);
      return `${origin}/definition/${hex}.zip?expires=${expires}&signature=${sign(hex, expires)}`;
    },
    answer: ({ rawPath, rawQuery }) => {
      const hex = /^\/definition\/([0-9a-f]{64})\.zip$/.exec(rawPath)?.[1];
      if (hex === undefined) return undefined;
      const query = parseQuery(rawQuery);
      const expires = query?.get("expires")?.[0] ?? "";
      const valid =
        same(query?.get("signature")?.[0] ?? "", sign(hex, expires)) &&
        Number(expires) > parts.now().getTime();
      return download(hex, valid, parts);
    },
  };
}

async function download(
  hex: string,
  valid: boolean,
  { definitions }: Pick<ServerParts, "definitions">,
): Promise<HttpResponse> {
  const bundle = valid ? await definitions.findBundle(hex) : undefined;
  if (bundle !== undefined)
    return { status: 200, headers: { "content-type": "application/zip" }, body: bundle };
  return {
    status: valid ? 404 : 403,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ message: valid ? "There is no such definition." : "The URL has expired." }),
  };
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
