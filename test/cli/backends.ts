/** The pairs of tiers on which the modes are proven. */

import { redisRequirement, startRedis } from "../servers/redis.ts";
import type { Requirement } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import type { Env } from "./memoir.ts";

export interface Backend {
  readonly name: string;
  readonly needs: readonly Requirement[];
  /** Environment that points the command line at fresh, empty tiers. */
  start(): Promise<{ readonly env: Env; stop(): Promise<void> }>;
}

export const backends: readonly Backend[] = [
  {
    name: "embedded tier and Parquet folder",
    needs: [],
    start: async () => ({ env: {}, stop: async () => {} }),
  },
  {
    name: "Redis and S3",
    needs: [redisRequirement, s3Requirement],
    start: async () => {
      const [redis, s3] = await Promise.all([startRedis({ password: "geheim" }), sharedS3()]);
      const bucket = await makeBucket(s3, "cli");
      return {
        env: { MEMOIR_LOCAL: redis.url, MEMOIR_CLOUD: `s3://${bucket}/memoir`, ...s3Environment(s3) },
        stop: () => redis.stop(),
      };
    },
  },
];
