/** The bodies of requests: read whole, each within its limit and all together within theirs. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";

interface Held {
  /** Gives the body's share back. */
  release(): void;
}

interface WholeBody extends Held {
  readonly kind: "read";
  readonly body: Uint8Array;
  /** Of large bodies: hashed piece by piece as they came. */
  readonly sha256?: string;
}

interface NoBody extends Held {
  readonly kind: "too-large" | "busy" | "aborted";
}

type ReadBody = WholeBody | NoBody;

export const noBytes = new Uint8Array();

/** A small body is hashed and parsed at once, and costs others nothing. */
const smallBytes = 1024 * 1024;

/** Uploads that wait for their turn; more are refused, and try again. */
const mostWaiting = 64;

/**
 * Reads bodies, each within its limit and all together within theirs. Small ones have a separate share, so that
 * uploads never keep them out. An upload begins to be read when there is room for all of it: each that was read in part
 * would keep the others from being read whole.
 */
export class Bodies {
  readonly #left: { small: number; large: number };
  readonly #waitMs: number;
  readonly #waiting: { readonly size: number; readonly go: () => void }[] = [];

  constructor({
    small,
    large,
    waitMs,
  }: {
    readonly small: number;
    readonly large: number;
    readonly waitMs: number;
  }) {
    this.#left = { small, large };
    this.#waitMs = waitMs;
  }

  async read(request: IncomingMessage, most: number): Promise<ReadBody> {
    const length = lengthOf(request);
    const coding = request.headers["transfer-encoding"];
    let share: "small" | "large" = length > smallBytes ? "large" : "small";
    let held = 0;
    const hold = (bytes: number) => {
      held += bytes;
      this.#left[share] -= bytes;
    };
    const release = () => {
      this.#left[share] += held;
      held = 0;
      this.#admit();
    };
    // Most requests have no body; waiting for its end would cost more than the answer.
    if (coding === undefined && length === 0) return { kind: "read", body: noBytes, release };
    if (length > most) return { kind: "too-large", release };
    if (share === "large") {
      const admitted = await this.#turn(request, length);
      if (admitted !== "admitted") return { kind: admitted, release };
      held = length;
    }
    const body = new GrowingBytes(length);
    const hasher = share === "large" ? createHash("sha256") : undefined;
    let size = 0;
    const take = (bytes: Buffer): "too-large" | "busy" | undefined => {
      size += bytes.length;
      if (size > most) return "too-large";
      if (share === "small" && size > smallBytes) {
        // Its length was not known in advance.
        this.#left.small += held;
        this.#left.large -= held;
        share = "large";
      }
      if (size > held) hold(size - held);
      if (this.#left[share] < 0) return "busy";
      hasher?.update(bytes);
      body.add(bytes);
      return undefined;
    };
    const end = await pump(request, take);
    if (end !== "end") return { kind: end, release };
    const digest = hasher === undefined ? {} : { sha256: hasher.digest("hex") };
    return { kind: "read", body: body.bytes, ...digest, release };
  }

  /**
   * Until there is room for an upload of this size, in the order in which they came. Who waits too long is refused with
   * an answer that clients retry: at the end of the request's time it would look like one that was sent too slowly.
   */
  #turn(request: IncomingMessage, size: number): Promise<"admitted" | "busy" | "aborted"> {
    if (this.#waiting.length === 0 && this.#left.large >= size) {
      this.#left.large -= size;
      return Promise.resolve("admitted");
    }
    if (this.#waiting.length >= mostWaiting) return Promise.resolve("busy");
    return new Promise((resolve) => {
      const settle = (how: "admitted" | "busy" | "aborted") => {
        clearTimeout(timer);
        request.off("close", gone);
        resolve(how);
      };
      const place = { size, go: () => settle("admitted") };
      const leave = (how: "busy" | "aborted") => {
        const at = this.#waiting.indexOf(place);
        if (at >= 0) this.#waiting.splice(at, 1);
        settle(how);
        this.#admit();
      };
      const gone = () => leave("aborted");
      const timer = setTimeout(() => leave("busy"), this.#waitMs);
      request.once("close", gone);
      this.#waiting.push(place);
    });
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#left.large < next.size) return;
      this.#waiting.shift();
      this.#left.large -= next.size;
      next.go();
    }
  }
}

/** Hands out what comes until there is no more or it is refused; the request stays usable then. */
export function pump(
  request: IncomingMessage,
  take: (bytes: Buffer) => "too-large" | "busy" | undefined,
): Promise<"end" | "aborted" | "too-large" | "busy"> {
  return new Promise((resolve) => {
    const settle = (how: "end" | "aborted" | "too-large" | "busy") => {
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      if (how !== "end") request.pause();
      resolve(how);
    };
    const onData = (bytes: Buffer) => {
      const refused = take(bytes);
      if (refused !== undefined) settle(refused);
    };
    const onEnd = () => settle("end");
    // The client went away or was too slow; there is nobody to answer.
    const onClose = () => settle("aborted");
    request.on("data", onData).on("end", onEnd).on("close", onClose);
    request.on("error", onClose).resume();
  });
}

export function lengthOf({ headers }: IncomingMessage): number {
  return Number(headers["content-length"] ?? 0);
}

/** Bytes side by side, however many pieces they come in. */
class GrowingBytes {
  #buffer: Buffer;
  #size = 0;

  /** Memory is taken by the machine as it is written to, not as it is promised. */
  constructor(expected: number) {
    this.#buffer = Buffer.allocUnsafeSlow(expected);
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }

  add(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (size > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, this.#size);
      this.#buffer = grown;
    }
    bytes.copy(this.#buffer, this.#size);
    this.#size = size;
  }
}
