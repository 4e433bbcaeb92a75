import { entryStoreContract } from "../../src/store/entries/entry-store-contract.ts";
import { createS3Store } from "../../src/store/objects/index.ts";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Requirement, sharedS3 } from "../servers/s3.ts";

describeWith([s3Requirement], "run caches on S3", () => {
  entryStoreContract({
    name: "S3",
    make: async () => {
      const server = await sharedS3();
      const { endpoint, region, ...credentials } = server;
      return createS3Store({
        bucket: await makeBucket(server, "entries"),
        prefix: "caches/team a",
        endpoint,
        region,
        credentials,
      });
    },
  });
});
