/** The service's other families, requested by the unmodified client: they are distinguished from what does not exist. */
import * as omics from "@aws-sdk/client-omics";
import { afterAll, beforeAll, expect, it } from "vitest";
import { operations } from "../../src/protocol/index.ts";
import { openServer, region, type TestServer } from "./harness.ts";

let server: TestServer;
let client: omics.OmicsClient;
beforeAll(async () => {
  server = await openServer();
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  client = new omics.OmicsClient({
    ...{ endpoint: server.url, region, credentials, disableHostPrefix: true, maxAttempts: 1 },
  });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

/** Something for every part of a path that any of them has. */
const input = {
  ...{
    id: "1",
    ids: ["1"],
    name: "n",
    sequenceStoreId: "1",
    referenceStoreId: "1",
    uploadId: "1",
    shareId: "1",
  },
  ...{ resourceId: "1", annotationStoreName: "n", annotationImportJobId: "1", variantImportJobId: "1" },
  ...{ versionName: "v", jobId: "1", destinationId: "1", roleArn: "arn:x", items: [], versions: ["v"] },
  ...{ s3AccessPointArn: "arn:aws:s3:us-east-1:1:accesspoint/x", partNumber: 1, partSource: "SOURCE1" },
  ...{ payload: "x", file: "SOURCE1", parts: [], sources: [], resourceOwner: "SELF", s3AccessPolicy: "{}" },
};

const commands = Object.entries(omics).filter(([name]) => /^[A-Z]\w*Command$/.test(name));
const others = commands.filter(([name]) => !Object.hasOwn(operations, name.replace(/Command$/, "")));

it("every operation of the client is either served or one of another family", () => {
  const served = commands.length - others.length;
  expect(served).toBe(Object.keys(operations).length);
  expect(others.length).toBeGreaterThan(50);
});

it.each(others)("%s answers NotSupportedOperationException", async (_, Command) => {
  const Made = Command as unknown as new (members: typeof input) => omics.GetRunCommand;
  await expect(client.send(new Made(input))).rejects.toMatchObject({
    name: "NotSupportedOperationException",
    $metadata: { httpStatusCode: 405 },
  });
});
