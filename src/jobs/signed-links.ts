/** Links to result files that work for a while without a key, for programs that only fetch a URL. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { JobName } from "./job-store.ts";

export interface FileLink extends JobName {
  readonly name: string;
}

/** Milliseconds for which a link works, unless its route says otherwise. */
export const linkForMs = 15 * 60_000;

export class SignedLinks {
  /** Of this process: links end with it. */
  readonly #secret = randomBytes(32);
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** A path with a query, below the server's address. */
  pathOf(
    prefix: string,
    link: FileLink,
    forMs = linkForMs,
  ): { readonly path: string; readonly expiresAt: string } {
    const expires = this.#now().getTime() + forMs;
    const { account, id, name } = link;
    const query = `expires=${expires}&signature=${this.#sign(link, String(expires))}`;
    return {
      path: `${prefix}/files/${account}/${id}/${name}?${query}`,
      expiresAt: new Date(expires).toISOString(),
    };
  }

  isValid(link: FileLink, expires: string, signature: string): boolean {
    const right = Buffer.from(this.#sign(link, expires));
    const given = Buffer.from(signature);
    const isRight = right.length === given.length && timingSafeEqual(right, given);
    return isRight && Number(expires) > this.#now().getTime();
  }

  #sign({ account, id, name }: FileLink, expires: string): string {
    return createHmac("sha256", this.#secret)
      .update(JSON.stringify([account, id, name, expires]))
      .digest("hex");
  }
}
