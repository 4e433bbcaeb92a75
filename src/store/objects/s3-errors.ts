/** What S3 or the way to it refused, in Memoir's words and codes. Decided by code and status, never by message. */
import { AppError, defined, type ErrorCode, messageOf, redact, systemErrorCode } from "../../kernel/index.ts";

const codes: Readonly<Record<string, ErrorCode>> = {
  CredentialsProviderError: "STORE_CREDENTIALS_MISSING",
  InvalidAccessKeyId: "STORE_CREDENTIALS_REFUSED",
  SignatureDoesNotMatch: "STORE_CREDENTIALS_REFUSED",
  ExpiredToken: "STORE_CREDENTIALS_REFUSED",
  ExpiredTokenException: "STORE_CREDENTIALS_REFUSED",
  InvalidToken: "STORE_CREDENTIALS_REFUSED",
  InvalidSecurity: "STORE_CREDENTIALS_REFUSED",
  RequestTimeTooSkewed: "STORE_CREDENTIALS_REFUSED",
  RequestExpired: "STORE_CREDENTIALS_REFUSED",
  UnrecognizedClientException: "STORE_CREDENTIALS_REFUSED",
  AccessDenied: "STORE_ACCESS_DENIED",
  AllAccessDisabled: "STORE_ACCESS_DENIED",
  AccountProblem: "STORE_ACCESS_DENIED",
  NoSuchBucket: "STORE_BUCKET_NOT_FOUND",
  InvalidBucketName: "STORE_BUCKET_NOT_FOUND",
  PermanentRedirect: "STORE_WRONG_REGION",
  TemporaryRedirect: "STORE_WRONG_REGION",
  AuthorizationHeaderMalformed: "STORE_WRONG_REGION",
  IllegalLocationConstraintException: "STORE_WRONG_REGION",
  NoSuchKey: "STORE_OBJECT_NOT_FOUND",
  NotFound: "STORE_OBJECT_NOT_FOUND",
  InvalidRange: "STORE_OBJECT_DAMAGED",
  BadDigest: "STORE_OBJECT_DAMAGED",
  TimeoutError: "STORE_UNREACHABLE",
  QuotaExceeded: "DISK_FULL",
};

const unreachable = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EPROTO",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_SSL_WRONG_VERSION_NUMBER",
]);

export interface S3Failure {
  /** The HTTP status, where an answer came. */
  readonly status?: number;
  readonly code?: string;
  /** How often the request was sent. */
  readonly attempts: number;
}

/** The parts of an SDK error that decisions are made on. */
export function s3Failure(error: unknown): S3Failure {
  if (typeof error !== "object" || error === null) return { attempts: 1 };
  const metadata = "$metadata" in error ? (error.$metadata as Readonly<Record<string, unknown>>) : {};
  const status = metadata?.["httpStatusCode"];
  const attempts = metadata?.["attempts"];
  const name = "name" in error && typeof error.name === "string" ? error.name : undefined;
  const system = systemErrorCode(error);
  // The SDK names a reset connection TimeoutError; the system's code says that nobody was silent.
  const broken = system !== undefined && unreachable.has(system);
  const code = !broken && name !== undefined && codes[name] !== undefined ? name : (system ?? name);
  return {
    ...(typeof status === "number" ? { status } : {}),
    ...defined({ code }),
    attempts: typeof attempts === "number" ? attempts : 1,
  };
}

/** Whether an answer came, be it a refusal. */
export function saidSomething({ status, code }: S3Failure): boolean {
  return status !== undefined || code === "ECONNRESET" || code === "EPIPE" || code === "ECONNREFUSED";
}

/** `doing`: "listing s3://bucket/prefix". Errors that are ours already pass through. */
export function s3Error(error: unknown, doing: string): AppError {
  if (error instanceof AppError) return error;
  const { status, code } = s3Failure(error);
  const words = [code, status === undefined ? undefined : `HTTP ${status}`, detailsOf(error)]
    .filter((part) => part !== undefined && part !== "")
    .join(", ");
  return new AppError(decide(code, status), redact(`${doing}: ${words}`), {
    cause: error,
    facts: { status, s3Code: code },
  });
}

function decide(code: string | undefined, status: number | undefined): ErrorCode {
  if (code !== undefined) {
    const known = codes[code];
    if (known !== undefined) return known;
    if (unreachable.has(code)) return "STORE_UNREACHABLE";
  }
  switch (status) {
    case 301:
    case 307:
      return "STORE_WRONG_REGION";
    case 401:
      return "STORE_CREDENTIALS_REFUSED";
    case 403:
      return "STORE_ACCESS_DENIED";
    case 404:
      return "STORE_OBJECT_NOT_FOUND";
    case 416:
      return "STORE_OBJECT_DAMAGED";
    case 507:
      return "DISK_FULL";
    default:
      return "STORE_REQUEST_FAILED";
  }
}

function detailsOf(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  const words = messageOf(inner);
  const region = regionOf(error);
  return region === undefined ? words : `${words}, the bucket lives in ${region}`;
}

/** S3 names the right region in a header or in the error's body. */
function regionOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("Region" in error && typeof error.Region === "string") return error.Region;
  const response =
    "$response" in error ? (error.$response as { headers?: Record<string, string> }) : undefined;
  return response?.headers?.["x-amz-bucket-region"];
}
