/**
 * Statements sent to Athena: started, awaited with growing pauses, and read page by page. A statement whose caller stops
 * is stopped, so that it costs nothing more.
 */
import type { AthenaClient, Row } from "@aws-sdk/client-athena";
import { AppError, type Ask, checkAsk, defined, messageOf, pause, redact } from "../../../kernel/index.ts";
import { s3Error } from "../../objects/index.ts";
import { inputsPlace, inputsTable } from "./athena-inputs.ts";
import type { Statement } from "./athena-sql.ts";
import { type KnownTable, knownTable } from "./athena-table.ts";
import type { AthenaAddress } from "./athena-url.ts";

/** How to reach Athena; read from the AWS environment and configuration by the app. */
export interface AthenaAccess {
  /** `http://host:port` of a server that is not AWS. */
  readonly endpoint?: string;
  readonly region?: string;
  /** Default: the standard chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** undefined = null. */
export type ResultRow = readonly (string | undefined)[];

const catalog = "AwsDataCatalog";
const rowsOfPage = 1_000;
const firstPollMs = 20;
const longestPollMs = 2_000;

type Sdk = typeof import("@aws-sdk/client-athena");

export interface LinkOptions extends AthenaAccess {
  readonly address: AthenaAddress;
  /** For messages. */
  readonly name: string;
  /** Called when a statement has ended, with what it read. */
  readonly onScanned: (bytes: number) => void;
}

export class AthenaLink {
  readonly #options: LinkOptions;
  readonly #sdk: Sdk;
  readonly #client: AthenaClient;

  private constructor(options: LinkOptions, sdk: Sdk, client: AthenaClient) {
    this.#options = options;
    this.#sdk = sdk;
    this.#client = client;
  }

  static async connect(options: LinkOptions): Promise<AthenaLink> {
    const [sdk, { NodeHttpHandler }] = await Promise.all([
      import("@aws-sdk/client-athena"),
      import("@smithy/node-http-handler"),
    ]);
    const { endpoint, credentials, name } = options;
    const region = options.region ?? (endpoint === undefined ? undefined : "us-east-1");
    const client = new sdk.AthenaClient({
      ...defined({ endpoint, region }),
      ...(credentials === undefined ? {} : { credentials: { ...credentials } }),
      maxAttempts: 4,
      requestHandler: new NodeHttpHandler({ connectionTimeout: 2_000, socketTimeout: 30_000 }),
    });
    await client.config.region().catch((error: unknown) => {
      client.destroy();
      throw new AppError("STORE_WRONG_REGION", `opening ${name}: no AWS region is set`, { cause: error });
    });
    return new AthenaLink(options, sdk, client);
  }

  close(): void {
    this.#client.destroy();
  }

  /** Bytes after which the workgroup ends a statement; undefined = there is no such limit, or it may not be read. */
  async limitBytes(ask: Ask): Promise<number | undefined> {
    const { workgroup } = this.#options.address;
    try {
      const command = new this.#sdk.GetWorkGroupCommand({ WorkGroup: workgroup });
      const answer = await this.#client.send(command, { abortSignal: ask.signal });
      return answer.WorkGroup?.Configuration?.BytesScannedCutoffPerQuery;
    } catch (error) {
      checkAsk(ask, `opening ${this.#options.name}`);
      if (error instanceof Error && error.name === "AccessDeniedException") return undefined;
      throw this.#error(error, `reading the workgroup ${workgroup}`);
    }
  }

  /** The tables of Memoir in the database, or the one of this name. */
  async *tables(name: string | undefined, ask: Ask): AsyncGenerator<KnownTable> {
    for await (const table of this.#listed(name, ask)) {
      const known = knownTable(table.name, table.parameters);
      if (known !== undefined) yield known;
    }
  }

  /** `s3://bucket/prefix` where keys are uploaded for statements; undefined = the database has no table of them. */
  async inputsPlace(ask: Ask): Promise<string | undefined> {
    for await (const table of this.#listed(inputsTable, ask)) return inputsPlace(table.parameters);
    return undefined;
  }

  async *#listed(
    name: string | undefined,
    ask: Ask,
  ): AsyncGenerator<{ readonly name: string; readonly parameters: Readonly<Record<string, string>> }> {
    const doing = "listing the tables";
    let from: string | undefined;
    do {
      const command = new this.#sdk.ListTableMetadataCommand({
        ...{ CatalogName: catalog, DatabaseName: this.#options.address.database, MaxResults: 50 },
        ...{ WorkGroup: this.#options.address.workgroup },
        ...defined({ Expression: name, NextToken: from }),
      });
      const answer = await this.#try(doing, ask, () =>
        this.#client.send(command, { abortSignal: ask.signal }),
      );
      // The expression is a pattern, which may find more.
      for (const { Name: found = "", Parameters: parameters = {} } of answer.TableMetadataList ?? [])
        if (name === undefined || found === name) yield { name: found, parameters };
      from = answer.NextToken;
    } while (from !== undefined);
  }

  /** The rows of the result, page by page. */
  async *query(statement: Statement, doing: string, ask: Ask): AsyncGenerator<readonly ResultRow[]> {
    const id = await this.#done(statement, doing, ask);
    let from: string | undefined;
    let isFirst = true;
    do {
      const command = new this.#sdk.GetQueryResultsCommand({
        ...{ QueryExecutionId: id, MaxResults: rowsOfPage },
        ...defined({ NextToken: from }),
      });
      const answer = await this.#try(doing, ask, () =>
        this.#client.send(command, { abortSignal: ask.signal }),
      );
      const rows = answer.ResultSet?.Rows ?? [];
      // The first row has the names of the columns.
      yield rows.slice(isFirst ? 1 : 0).map(textsOf);
      isFirst = false;
      from = answer.NextToken;
    } while (from !== undefined);
  }

  /** The id of a statement that succeeded. */
  async #done({ sql, parameters }: Statement, doing: string, ask: Ask): Promise<string> {
    const { database, workgroup, output } = this.#options.address;
    const start = new this.#sdk.StartQueryExecutionCommand({
      QueryString: sql,
      QueryExecutionContext: { Catalog: catalog, Database: database },
      WorkGroup: workgroup,
      ...(output === undefined ? {} : { ResultConfiguration: { OutputLocation: output } }),
      ...(parameters.length === 0 ? {} : { ExecutionParameters: [...parameters] }),
    });
    // Not interrupted: a statement whose id is not known could not be stopped.
    const started = await this.#try(doing, ask, () => this.#client.send(start));
    const id = started.QueryExecutionId ?? "";
    try {
      for (let wait = firstPollMs; ; wait = Math.min(2 * wait, longestPollMs)) {
        const command = new this.#sdk.GetQueryExecutionCommand({ QueryExecutionId: id });
        const { QueryExecution: now } = await this.#try(doing, ask, () =>
          this.#client.send(command, { abortSignal: ask.signal }),
        );
        const state = now?.Status?.State;
        if (state === "SUCCEEDED" || state === "FAILED" || state === "CANCELLED") {
          this.#options.onScanned(now?.Statistics?.DataScannedInBytes ?? 0);
          if (state === "SUCCEEDED") return id;
          const { AthenaError, StateChangeReason = "no reason was given" } = now?.Status ?? {};
          const reason = redact(AthenaError?.ErrorMessage ?? StateChangeReason);
          throw new AppError(
            AthenaError?.Retryable === true ? "STORE_REQUEST_FAILED" : "STORE_QUERY_FAILED",
            `${doing} in ${this.#options.name}: the statement ${id} is ${state}: ${reason}`,
          );
        }
        await pause(wait, ask);
      }
    } catch (error) {
      if (ask.signal.aborted) await this.#stop(id);
      throw error;
    }
  }

  /** The caller does not wait for a statement any more; what it read until now is charged. */
  async #stop(id: string): Promise<void> {
    const command = new this.#sdk.StopQueryExecutionCommand({ QueryExecutionId: id });
    // It ends by itself when it cannot be stopped.
    await this.#client.send(command, { abortSignal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  }

  async #try<T>(doing: string, ask: Ask, send: () => Promise<T>): Promise<T> {
    const what = `${doing} in ${this.#options.name}`;
    checkAsk(ask, what);
    try {
      return await send();
    } catch (error) {
      checkAsk(ask, what);
      throw this.#error(error, doing);
    }
  }

  #error(error: unknown, doing: string): AppError {
    const what = `${doing} in ${this.#options.name}`;
    const name = error instanceof Error ? error.name : "";
    const reason = redact(`${what}: ${name}, ${messageOf(error)}`);
    switch (name) {
      case "AccessDeniedException":
        return new AppError("STORE_ACCESS_DENIED", reason, { cause: error });
      case "InvalidRequestException":
      case "MetadataException":
      case "ResourceNotFoundException":
        return new AppError("STORE_QUERY_FAILED", reason, { cause: error });
      case "TooManyRequestsException":
        return new AppError("STORE_REQUEST_FAILED", reason, { cause: error });
      default: {
        const known = s3Error(error, what);
        return known.code === "STORE_UNREACHABLE"
          ? new AppError("STORE_TIER_UNREACHABLE", known.message, { cause: error })
          : known;
      }
    }
  }
}

function textsOf({ Data = [] }: Row): ResultRow {
  return Data.map(({ VarCharValue }) => VarCharValue);
}
