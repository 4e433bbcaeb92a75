/** A DynamoDB server in this process, in memory, and the table that Memoir expects. */
import type { AddressInfo } from "node:net";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";

export interface DynamoServer {
  readonly endpoint: string;
  /** A new, empty table; its name. */
  createTable(): Promise<string>;
  readonly client: DynamoDBClient;
  stop(): Promise<void>;
}

export const dynamoCredentials = { accessKeyId: "AKIDTEST", secretAccessKey: "secret" };

export async function startDynamo(): Promise<DynamoServer> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({ endpoint, region: "us-east-1", credentials: dynamoCredentials });
  let tables = 0;
  return {
    endpoint,
    client,
    createTable: async () => {
      const TableName = `predictions-${++tables}`;
      await client.send(
        new CreateTableCommand({
          TableName,
          BillingMode: "PAY_PER_REQUEST",
          AttributeDefinitions: [
            { AttributeName: "k", AttributeType: "B" },
            { AttributeName: "m", AttributeType: "S" },
          ],
          KeySchema: [
            { AttributeName: "k", KeyType: "HASH" },
            { AttributeName: "m", KeyType: "RANGE" },
          ],
        }),
      );
      return TableName;
    },
    stop: async () => {
      client.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
