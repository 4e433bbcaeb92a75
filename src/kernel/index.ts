/** kernel: no I/O. Errors and their catalogue, diagnostics, branded ids, Ask, concurrency. */
export { type Ask, checkAsk, freshAsk, pause, withPatience, withTimeout } from "./ask.ts";
export type { Brand, CallKey, Digest, HostPath, ModelId, RunId, TaskPath } from "./brand.ts";
export { atOnce, breathe, inTurns, type Steps } from "./breath.ts";
export { type CatalogueRow, catalogue, type ErrorCode, type ErrorKind } from "./catalogue.ts";
export { CircuitBreaker, firedLate, Patience, type Permit } from "./circuit-breaker.ts";
export { mapAhead, mapBounded, mapPaced, type Pace, Semaphore, SingleFlight } from "./concurrency.ts";
export { type Defined, defined } from "./defined.ts";
export {
  type Diagnostic,
  DiagnosticRenderer,
  didYouMean,
  helpOf,
  type Label,
  listNames,
  type Place,
  type Position,
  positionAt,
  renderDiagnostic,
  type Severity,
  type SourceText,
  type Span,
  shortenMessage,
} from "./diagnostics.ts";
export {
  AppError,
  type Facts,
  invariant,
  isAppError,
  messageOf,
  systemErrorCode,
  unreachable,
} from "./errors.ts";
export { ExactJson, writeJson } from "./exact-json.ts";
export { bytesOfText, isIllFormed, nameOfBytes, onDisk, shownName } from "./file-names.ts";
export { floatText } from "./float-text.ts";
export { redact } from "./redact.ts";
export { sizeText } from "./size-text.ts";
export { asAppError } from "./system-trouble.ts";
export { utf8Beginning, utf8Text } from "./utf8.ts";
