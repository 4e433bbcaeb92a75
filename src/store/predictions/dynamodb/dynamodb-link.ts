/**
 * The requests that a table needs, in batches of the sizes that DynamoDB takes. What it leaves out of a batch
 * (unprocessed keys) and what it refuses for now (throttling) is sent again after a pause that grows, with jitter, so
 * that several clients do not come back together.
 */
import { setMaxListeners } from "node:events";
import type { AttributeValue, DynamoDBClient, DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  isAppError,
  mapBounded,
  pause,
  Semaphore,
} from "../../../kernel/index.ts";
import { writeBatchBodies } from "./batch-bodies.ts";
import { dynamoError, mayPass } from "./dynamodb-errors.ts";
import type { Item } from "./item.ts";

/** How to reach DynamoDB; read from the AWS environment and configuration by the app. */
export interface DynamoAccess {
  /** `http://host:port` of a server that is not AWS. */
  readonly endpoint?: string;
  /** Default: what the AWS configuration says; `us-east-1` for an own endpoint. */
  readonly region?: string;
  /** Default: the standard chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export type ItemKey = Pick<Item, "k" | "m">;

/** Limits of BatchGetItem and BatchWriteItem. */
export const mostKeys = 100;
const mostWrites = 25;
/** Batches under way at the same time, of all callers. */
const readsAtOnce = 8;
const writesAtOnce = 8;
/** In a row without any progress. Waits about 20 seconds in all. */
const mostTries = 10;
const firstPauseMs = 50;
const longestPauseMs = 5_000;

/**
 * The SDK copies every request and every answer for `info` and `error`, whatever these do with them: without them it
 * copies nothing.
 */
const silent = { debug() {}, warn() {} } as unknown as NonNullable<DynamoDBClientConfig["logger"]>;

type Sdk = typeof import("@aws-sdk/client-dynamodb");

export class DynamoLink {
  readonly #table: string;
  readonly #name: string;
  readonly #sdk: Sdk;
  readonly #client: DynamoDBClient;
  readonly #reads = new Semaphore(readsAtOnce);
  readonly #writes = new Semaphore(writesAtOnce);

  private constructor(table: string, name: string, sdk: Sdk, client: DynamoDBClient) {
    this.#table = table;
    this.#name = name;
    this.#sdk = sdk;
    this.#client = client;
  }

  /** `name` is for messages. */
  static async connect(
    options: DynamoAccess & { readonly table: string; readonly name: string },
  ): Promise<DynamoLink> {
    const [sdk, { NodeHttpHandler }] = await Promise.all([
      import("@aws-sdk/client-dynamodb"),
      import("@smithy/node-http-handler"),
    ]);
    const { endpoint, credentials, table, name } = options;
    const region = options.region ?? (endpoint === undefined ? undefined : "us-east-1");
    const agent = { keepAlive: true, maxSockets: 32 };
    const client = new sdk.DynamoDBClient({
      ...defined({ region, endpoint }),
      ...(credentials === undefined ? {} : { credentials: { ...credentials } }),
      // Once more for a lost connection; what has to wait waits here, where it can be interrupted.
      maxAttempts: 2,
      logger: silent,
      requestHandler: new NodeHttpHandler({
        connectionTimeout: 2_000,
        socketTimeout: 20_000,
        httpAgent: agent,
        httpsAgent: agent,
      }),
    });
    await client.config.region().catch((error: unknown) => {
      client.destroy();
      throw new AppError("STORE_WRONG_REGION", `opening ${name}: no AWS region is set`, { cause: error });
    });
    writeBatchBodies(client);
    return new DynamoLink(table, name, sdk, client);
  }

  close(): void {
    this.#client.destroy();
  }

  /** The items of the keys that exist, in no order. The keys have to be distinct. */
  async get(keys: readonly ItemKey[], doing: string, ask: Ask): Promise<readonly Item[]> {
    const found = await mapBounded(chunksOf(keys, mostKeys), readsAtOnce, (chunk) =>
      this.#reads.use(() => this.#getBatch(chunk, doing, ask)),
    );
    return found.flat();
  }

  async #getBatch(keys: readonly ItemKey[], doing: string, ask: Ask): Promise<readonly Item[]> {
    const items: Item[] = [];
    await this.#untilDone(keys, doing, ask, async (open) => {
      const command = new this.#sdk.BatchGetItemCommand({
        RequestItems: { [this.#table]: { Keys: open.map(({ k, m }) => ({ k, m }) as Item) } },
      });
      const answer = await this.#client.send(command, { abortSignal: ask.signal });
      items.push(...(answer.Responses?.[this.#table] ?? []));
      return (answer.UnprocessedKeys?.[this.#table]?.Keys ?? []) as ItemKey[];
    });
    return items;
  }

  async put(items: readonly Item[], doing: string, ask: Ask): Promise<void> {
    await this.#write(
      items.map((Item) => ({ PutRequest: { Item } })),
      doing,
      ask,
    );
  }

  async remove(keys: readonly ItemKey[], doing: string, ask: Ask): Promise<void> {
    await this.#write(
      keys.map(({ k, m }) => ({ DeleteRequest: { Key: { k, m } as Item } })),
      doing,
      ask,
    );
  }

  async #write(requests: readonly WriteRequest[], doing: string, ask: Ask): Promise<void> {
    await mapBounded(chunksOf(requests, mostWrites), writesAtOnce, (chunk) =>
      this.#writes.use(() =>
        this.#untilDone(chunk, doing, ask, async (open) => {
          const command = new this.#sdk.BatchWriteItemCommand({ RequestItems: { [this.#table]: [...open] } });
          const answer = await this.#client.send(command, { abortSignal: ask.signal });
          return (answer.UnprocessedItems?.[this.#table] ?? []) as WriteRequest[];
        }),
      ),
    );
  }

  /** Reads at most one item. False also for a role that may not scan. */
  async isEmpty(doing: string, ask: Ask): Promise<boolean> {
    let isEmpty = false;
    try {
      await this.#untilDone([undefined], doing, ask, async () => {
        const command = new this.#sdk.ScanCommand({
          ...{ TableName: this.#table, Limit: 1, ConsistentRead: true, ProjectionExpression: "k" },
        });
        const { Items = [], LastEvaluatedKey } = await this.#client.send(command, {
          abortSignal: ask.signal,
        });
        isEmpty = Items.length === 0 && LastEvaluatedKey === undefined;
        return [];
      });
    } catch (error) {
      if (!isAppError(error, "STORE_ACCESS_DENIED")) throw error;
    }
    return isEmpty;
  }

  /** The keys of all items whose sort key is this, or starts with it. Reads the whole table: for removals only. */
  async *keysOf(
    sortKey: { readonly is: string } | { readonly startsWith: string },
    doing: string,
    ask: Ask,
  ): AsyncGenerator<readonly ItemKey[]> {
    const exact = "is" in sortKey;
    let from: Record<string, AttributeValue> | undefined;
    do {
      let page: readonly Item[] = [];
      await this.#untilDone([from], doing, ask, async ([start]) => {
        const command = new this.#sdk.ScanCommand({
          TableName: this.#table,
          FilterExpression: exact ? "m = :m" : "begins_with(m, :m)",
          ExpressionAttributeValues: { ":m": { S: exact ? sortKey.is : sortKey.startsWith } },
          ProjectionExpression: "k, m",
          ...defined({ ExclusiveStartKey: start }),
        });
        const answer = await this.#client.send(command, { abortSignal: ask.signal });
        page = answer.Items ?? [];
        from = answer.LastEvaluatedKey;
        return [];
      });
      yield page as readonly ItemKey[];
    } while (from !== undefined);
  }

  /** Sends until nothing is left over; gives up only after many tries in a row without progress. */
  async #untilDone<T>(
    all: readonly T[],
    doing: string,
    ask: Ask,
    send: (open: readonly T[]) => Promise<readonly T[]>,
  ): Promise<void> {
    const what = `${doing} in ${this.#name}`;
    // Every request under way listens to it.
    setMaxListeners(0, ask.signal);
    let open = all;
    for (let tries = 0; ; ) {
      checkAsk(ask, what);
      let left: readonly T[] = open;
      let last: unknown;
      try {
        left = await send(open);
      } catch (error) {
        checkAsk(ask, what);
        if (!mayPass(error)) throw dynamoError(error, what);
        last = error;
      }
      if (left.length === 0) return;
      tries = left.length < open.length ? 0 : tries + 1;
      if (tries === mostTries)
        throw new AppError("STORE_REQUEST_FAILED", `${what}: the table is asked faster than it answers`, {
          ...defined({ cause: last }),
        });
      open = left;
      const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** tries);
      await pause(longest * (0.5 + Math.random() / 2), ask);
    }
  }
}

type WriteRequest =
  | { readonly PutRequest: { readonly Item: Item }; readonly DeleteRequest?: undefined }
  | { readonly DeleteRequest: { readonly Key: Item }; readonly PutRequest?: undefined };

export function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const chunks: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}
