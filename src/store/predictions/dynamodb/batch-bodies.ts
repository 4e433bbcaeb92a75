/**
 * Writes the bodies of batches. An item has a handful of attributes of three kinds, which are JSON in a fraction of the
 * time that the SDK needs for its way through the schema of every attribute. Everything else about a request, and every
 * other request, stays the SDK's.
 */
import type {
  AttributeValue,
  BatchGetItemCommandInput,
  BatchWriteItemCommandInput,
  DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import { invariant } from "../../../kernel/index.ts";
import type { Item } from "./item.ts";

/** Of what the SDK hands from one step of a request to the next. */
const slot = "memoirBatchBody";

export function writeBatchBodies(client: DynamoDBClient): void {
  const stack = client.middlewareStack;
  stack.add(
    (next, context) => (args) => {
      const batch = bodyOf(args.input as Partial<BatchGetItemCommandInput>);
      if (batch === undefined) return next(args);
      context[slot] = batch.body;
      return next({ ...args, input: batch.empty as typeof args.input });
    },
    { name: "memoirBatchInput", step: "initialize", priority: "low" },
  );
  stack.add(
    (next, context) => (args) => {
      const body: unknown = context[slot];
      if (typeof body === "string") (args.request as { body: unknown }).body = body;
      return next(args);
    },
    // Before anything that looks at the body: its length, its signature.
    { name: "memoirBatchBody", step: "build", priority: "high" },
  );
}

/** `empty`: what is left for the SDK, which reads the table's name for the address. undefined = not a batch. */
function bodyOf(
  input: Partial<BatchGetItemCommandInput> | Partial<BatchWriteItemCommandInput>,
): { readonly body: string; readonly empty: object } | undefined {
  const { RequestItems } = input;
  if (RequestItems === undefined) return undefined;
  const tables: string[] = [];
  const empty: Record<string, object> = {};
  for (const [table, batch] of Object.entries<Batch>(RequestItems)) {
    const isWrite = Array.isArray(batch);
    empty[table] = isWrite ? [] : { Keys: [] };
    const list = isWrite ? `[${batch.map(writeOf).join()}]` : `{"Keys":[${keysOf(batch).join()}]}`;
    tables.push(`${JSON.stringify(table)}:${list}`);
  }
  return { body: `{"RequestItems":{${tables.join()}}}`, empty: { RequestItems: empty } };
}

type Batch = readonly Write[] | { readonly Keys: readonly Item[] | undefined };

interface Write {
  readonly PutRequest?: { readonly Item: Item | undefined } | undefined;
  readonly DeleteRequest?: { readonly Key: Item | undefined } | undefined;
}

function keysOf(batch: Batch): readonly string[] {
  return "Keys" in batch ? (batch.Keys ?? []).map(itemJson) : [];
}

function writeOf({ PutRequest, DeleteRequest }: Write): string {
  if (PutRequest !== undefined) return `{"PutRequest":{"Item":${itemJson(PutRequest.Item ?? {})}}}`;
  return `{"DeleteRequest":{"Key":${itemJson(DeleteRequest?.Key ?? {})}}}`;
}

function itemJson(item: Item): string {
  let json = "{";
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) json += `${json.length > 1 ? "," : ""}"${name}":${valueJson(value)}`;
  }
  return `${json}}`;
}

function valueJson({ S, B, N }: AttributeValue): string {
  if (S !== undefined) return `{"S":${JSON.stringify(S)}}`;
  if (N !== undefined) return `{"N":${JSON.stringify(N)}}`;
  invariant(B !== undefined, "an attribute of an item is a text, a number or bytes");
  return `{"B":"${Buffer.from(B.buffer, B.byteOffset, B.byteLength).toString("base64")}"}`;
}
