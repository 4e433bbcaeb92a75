/** Links to result files that work for a while without a key, for programs that only fetch a URL. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { JobName } from "./job-store.ts";
import type { UploadLink } from "./uploads.ts";

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
    return this.#isRight(this.#sign(link, expires), expires, signature);
  }

  /** Of a form that takes an upload of just this size. */
  uploadPathOf(prefix: string, link: UploadLink): { readonly path: string; readonly expiresAt: string } {
    const expires = this.#now().getTime() + linkForMs;
    const { account, sha256, sizeBytes } = link;
    const signature = this.#signUpload(link, String(expires));
    return {
      path: `${prefix}/uploads/${account}/${sha256}?size=${sizeBytes}&expires=${expires}&signature=${signature}`,
      expiresAt: new Date(expires).toISOString(),
    };
  }

  isValidUpload(link: UploadLink, expires: string, signature: string): boolean {
    return this.#isRight(this.#signUpload(link, expires), expires, signature);
  }

  #isRight(expected: string, expires: string, signature: string): boolean {
    const right = Buffer.from(expected);
    const given = Buffer.from(signature);
    const isRight = right.length === given.length && timingSafeEqual(right, given);
    return isRight && Number(expires) > this.#now().getTime();
  }

  #sign({ account, id, name }: FileLink, expires: string): string {
    return this.#digest([account, id, name, expires]);
  }

  #signUpload({ account, sha256, sizeBytes }: UploadLink, expires: string): string {
    return this.#digest(["upload", account, sha256, String(sizeBytes), expires]);
  }

  #digest(parts: readonly string[]): string {
    return createHmac("sha256", this.#secret).update(JSON.stringify(parts)).digest("hex");
  }
}
