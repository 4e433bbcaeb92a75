import { expect, it } from "vitest";
import { parseDynamoAddress } from "./dynamodb-url.ts";

it("an address names a table, the files next to it, a region and how long rows stay", () => {
  expect(parseDynamoAddress("dynamodb://predictions")).toEqual({
    ...{ table: "predictions", parquet: undefined, region: undefined, keepMs: undefined },
  });
  expect(parseDynamoAddress("dynamodb://p-1.x?parquet=s3://bucket/memoir&region=eu-west-1&keep=30d")).toEqual(
    {
      ...{ table: "p-1.x", parquet: "s3://bucket/memoir", region: "eu-west-1", keepMs: 30 * 86_400_000 },
    },
  );
});

it.each([
  "dynamodb://",
  "dynamodb:predictions",
  "dynamodb://ab",
  "dynamodb://key:secret@table",
  "dynamodb://table/path",
  "dynamodb://table#part",
  "dynamodb://table?bucket=x",
  "dynamodb://table?parquet=",
  "dynamodb://table?keep=30",
  "dynamodb://table?keep=0d",
  "dynamodb://table?keep=1d&keep=2d",
  "dynamodb://table?region=EU WEST",
])("%s is refused, since a part of it would be ignored", (place) => {
  expect(() => parseDynamoAddress(place)).toThrow(expect.objectContaining({ code: "STORE_URI_INVALID" }));
});
