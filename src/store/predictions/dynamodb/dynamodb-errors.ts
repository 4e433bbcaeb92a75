/** What DynamoDB or the way to it refused, in Memoir's words and codes. Decided by name and status, never by message. */
import { AppError, isAppError, messageOf, redact } from "../../../kernel/index.ts";
import { s3Error } from "../../objects/index.ts";

/** Asked too fast, or a server that stumbled: the same request may succeed a moment later. */
const passing = new Set([
  "InternalServerError",
  "LimitExceededException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ServiceUnavailable",
  "ThrottlingException",
]);

export function mayPass(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("name" in error && typeof error.name === "string" && passing.has(error.name)) return true;
  const metadata = "$metadata" in error ? (error.$metadata as { readonly httpStatusCode?: number }) : {};
  return (metadata.httpStatusCode ?? 0) >= 500;
}

/** `doing`: "looking up predictions in dynamodb://table". */
export function dynamoError(error: unknown, doing: string): AppError {
  const name = error instanceof Error ? error.name : "";
  const reason = redact(`${doing}: ${name}, ${messageOf(error)}`);
  switch (name) {
    case "ResourceNotFoundException":
      return new AppError("STORE_TABLE_NOT_USABLE", `${doing}: the table does not exist`, { cause: error });
    case "ValidationException":
      return new AppError("STORE_TABLE_NOT_USABLE", reason, { cause: error });
    case "AccessDeniedException":
      return new AppError("STORE_ACCESS_DENIED", reason, { cause: error });
    default: {
      // The other names are those of every AWS service.
      const known = s3Error(error, doing);
      return isAppError(known, "STORE_UNREACHABLE")
        ? new AppError("STORE_TIER_UNREACHABLE", known.message, { cause: error })
        : known;
    }
  }
}
