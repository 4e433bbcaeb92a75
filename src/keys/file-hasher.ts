/**
 * sha-256 of files: small ones at once, big ones in worker threads, so that hashing many gigabytes neither blocks the
 * event loop nor uses only one core.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { sha256File } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  type Digest,
  onDisk,
  Semaphore,
  systemErrorCode,
} from "../kernel/index.ts";

const bigFileBytes = 16 << 20;
const mostWorkers = 4;
const mostSmallFiles = 32;

/** Runs inside the worker; text because a bundled program has no separate file for it. */
const workerText = `
const { createHash } = require("node:crypto");
const { openSync, readSync, closeSync } = require("node:fs");
const { parentPort } = require("node:worker_threads");
const buffer = Buffer.allocUnsafeSlow(4 << 20);
parentPort.on("message", ({ path }) => {
  let fd;
  try {
    const hasher = createHash("sha256");
    fd = openSync(path, "r");
    for (let n; (n = readSync(fd, buffer, 0, buffer.length, null)) > 0; ) hasher.update(buffer.subarray(0, n));
    parentPort.postMessage({ digest: hasher.digest("hex") });
  } catch (error) {
    parentPort.postMessage({ code: error.code, message: error.message });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
});
`;

type Answer = { readonly digest: string } | { readonly code?: string; readonly message: string };

export interface FileHasher {
  /** sha-256 of a local file's content; `sizeBytes` only decides where it is read. */
  hash(file: { readonly path: string; readonly sizeBytes: number }, ask: Ask): Promise<Digest>;
  close(): Promise<void>;
}

export function createFileHasher(): FileHasher {
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const bigOnes = new Semaphore(Math.min(mostWorkers, Math.max(1, availableParallelism())));
  const smallOnes = new Semaphore(mostSmallFiles);

  const inWorker = async (path: string, ask: Ask): Promise<Digest> => {
    checkAsk(ask, `reading ${path}`);
    const worker = idle.pop() ?? new Worker(workerText, { eval: true, stdout: false });
    all.add(worker);
    worker.ref();
    const answer = await ask1(worker, path, ask);
    if (answer === undefined) {
      all.delete(worker);
      await worker.terminate();
      checkAsk(ask, `reading ${path}`);
      throw unreadable(path, "the reading thread ended");
    }
    worker.unref();
    idle.push(worker);
    if ("digest" in answer) return answer.digest as Digest;
    throw unreadable(path, answer.message, answer.code);
  };

  return {
    async hash({ path, sizeBytes }, ask) {
      if (sizeBytes >= bigFileBytes) return bigOnes.use(() => inWorker(path, ask));
      return smallOnes.use(async () => {
        try {
          return await sha256File(path, ask.signal);
        } catch (error) {
          checkAsk(ask, `reading ${path}`);
          throw unreadable(
            path,
            error instanceof Error ? error.message : String(error),
            systemErrorCode(error),
          );
        }
      });
    },
    async close() {
      await Promise.all([...all].map((worker) => worker.terminate()));
      all.clear();
      idle.length = 0;
    },
  };
}

/** One question to a worker; undefined when the Ask was cancelled or the worker died. */
function ask1(worker: Worker, path: string, ask: Ask): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const end = (answer: Answer | undefined) => {
      worker.off("message", end);
      worker.off("error", give);
      worker.off("exit", give);
      ask.signal.removeEventListener("abort", give);
      resolve(answer);
    };
    const give = () => end(undefined);
    worker.on("message", end);
    worker.on("error", give);
    worker.on("exit", give);
    ask.signal.addEventListener("abort", give, { once: true });
    worker.postMessage({ path: onDisk(path) });
  });
}

function unreadable(path: string, why: string, code?: string): AppError {
  if (code === "ENOENT") return new AppError("FILE_NOT_FOUND", `fingerprinting ${path}: no such file`);
  return new AppError("FILE_NOT_READABLE", `fingerprinting ${path}: ${why}`);
}
