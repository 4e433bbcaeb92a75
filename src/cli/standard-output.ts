/** Standard output: written as a whole or known to be lost, whatever it is sent to. No command fails with a stack for it. */
import { fstatSync, writeSync } from "node:fs";
import { Writable } from "node:stream";

export interface StandardOutput {
  readonly stream: Writable & { readonly isTTY?: boolean };
  /** Waits until the text is written, or rejects with the system's error. */
  write(text: string): Promise<void>;
  /** Waits until everything is written. Returns the first error of the system on the way. */
  trouble(): Promise<NodeJS.ErrnoException | undefined>;
}

export function openStandardOutput(): StandardOutput {
  const stream: StandardOutput["stream"] = isStream() ? process.stdout : wholeWriter(1);
  let first: NodeJS.ErrnoException | undefined;
  // Without a listener, Node ends with a stack.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    first ??= error;
  });
  const write = (text: string) =>
    new Promise<void>((resolve, reject) => {
      if (first !== undefined) return reject(first);
      stream.write(text, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
  return {
    stream,
    write,
    trouble: async () => {
      await write("").catch((error: NodeJS.ErrnoException) => {
        first ??= error;
      });
      return first;
    },
  };
}

/** Nobody reads it any more, as after `| head`: the reader has seen enough. */
export function isReaderGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ECONNRESET");
}

/** Messages are lost where nobody can read them; the work and its exit code do not depend on them. */
export function ignoreLostMessages(): void {
  process.stderr.on("error", () => undefined);
}

function isStream(): boolean {
  if (process.stdout.isTTY) return true;
  const stat = fstatSync(1);
  return stat.isFIFO() || stat.isSocket();
}

/** Node's stream for files ignores that a disk which gets full takes only a part of a text, so the rest would be lost silently. */
function wholeWriter(descriptor: number): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
      } catch (error) {
        return done(error instanceof Error ? error : new Error(String(error)));
      }
      done();
    },
  });
}
