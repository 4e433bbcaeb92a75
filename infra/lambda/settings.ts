/** What the functions read from their environment. The stack sets every name; a wrong one fails at the first request. */
export interface Settings {
  readonly bucket: string;
  /** The table of point look-ups. Empty = none. */
  readonly table: string | undefined;
  readonly region: string;
  /** Jobs that are not done within submit go there. */
  readonly queueUrl: string | undefined;
  /** Servers that are not AWS, in tests. */
  readonly s3Endpoint: string | undefined;
  readonly dynamodbEndpoint: string | undefined;
  readonly sqsEndpoint: string | undefined;
}

/** Every name that is read. The stacks are tested against this list. */
export const variables = {
  bucket: "MEMOIR_BUCKET",
  table: "MEMOIR_TABLE",
  queueUrl: "MEMOIR_QUEUE_URL",
} as const;

export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const value = (name: string) => (env[name] === "" ? undefined : env[name]);
  const needed = (name: string) => {
    const found = value(name);
    if (found === undefined) throw new Error(`the environment variable ${name} is not set`);
    return found;
  };
  return {
    bucket: needed(variables.bucket),
    table: value(variables.table),
    region: needed("AWS_REGION"),
    queueUrl: value(variables.queueUrl),
    s3Endpoint: value("AWS_ENDPOINT_URL_S3"),
    dynamodbEndpoint: value("AWS_ENDPOINT_URL_DYNAMODB"),
    sqsEndpoint: value("AWS_ENDPOINT_URL_SQS"),
  };
}
