/**
 * Whose trouble a failed call of a cache is: of the one entry (its name, its files), of the store, or of nobody that is
 * known. Decided by code, never by message. Only trouble of the store is a reason to stop using it for a while.
 */
import { type ErrorCode, isAppError, systemErrorCode } from "../kernel/index.ts";
import { isAboutOpening } from "./late-store.ts";

export type TroubleWith =
  /** Trying it again gives the same. */
  | "entry"
  | "store"
  /** This machine, this moment: another try may work. */
  | "moment";

const ofEntry: ReadonlySet<ErrorCode> = new Set([
  "STORE_NAME_INVALID",
  "FILE_NOT_READABLE",
  "FILE_CHANGED",
  "OUTPUT_NOT_RECORDABLE",
]);
const ofMoment: ReadonlySet<ErrorCode> = new Set(["STORE_OBJECT_DAMAGED", "STORE_OBJECT_NOT_FOUND"]);
const systemOfMoment: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "EIO", "ENOMEM", "EAGAIN", "EBUSY"]);

export function troubleWith(error: unknown): TroubleWith {
  if (!isAppError(error)) {
    // File-system errors of the store arrive as AppErrors; any other one is about a file of the task.
    const system = systemErrorCode(error);
    return system === undefined || systemOfMoment.has(system) ? "moment" : "entry";
  }
  if (isAboutOpening(error)) return "store";
  if (ofEntry.has(error.code)) return "entry";
  if (ofMoment.has(error.code)) return "moment";
  const { status } = error.facts;
  // The request itself was wrong (a key too long, an object too large): another one may be right.
  if (error.code === "STORE_REQUEST_FAILED" && typeof status === "number" && status >= 400 && status < 429)
    return status === 408 ? "store" : "entry";
  return "store";
}
