/** The exceptions of the service: names and HTTP statuses as its clients parse them. */
export const exceptions = {
  ValidationException: 400,
  ServiceQuotaExceededException: 402,
  AccessDeniedException: 403,
  ResourceNotFoundException: 404,
  NotSupportedOperationException: 405,
  RequestTimeoutException: 408,
  ConflictException: 409,
  ThrottlingException: 429,
  InternalServerException: 500,
  // Not of the service model but of every AWS front door; clients show them by name.
  MissingAuthenticationTokenException: 403,
  InvalidSignatureException: 403,
  UnrecognizedClientException: 403,
} as const;

export type ExceptionName = keyof typeof exceptions;

/** A refusal that travels to the client as it is. Messages never hold secrets or host paths. */
export class ServiceException extends Error {
  override readonly name: ExceptionName;

  constructor(name: ExceptionName, message: string) {
    super(message);
    this.name = name;
  }

  get status(): number {
    return exceptions[this.name];
  }
}
