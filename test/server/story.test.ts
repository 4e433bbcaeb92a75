/** Call caching from the first run to the last reuse, with boto3 and real S3. */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { awsEnvironment, boto3, runAws } from "./aws-programs.ts";
import { openServer } from "./harness.ts";

const key = { accessKeyId: "AKIDSTORY", secretAccessKey: "story/secret+x=", account: "555555555555" };

describeWith([boto3, s3Requirement], "boto3 on S3", () => {
  it.each([
    ["WDL", null],
    ["NEXTFLOW", "23.10.0"],
  ])(
    "in %s: runs, reuses, edits, fails and corrects, cancels, loses an entry, and never gets a wrong byte",
    async (engine, version) => {
      const address = await sharedS3();
      const bucket = await makeBucket(address, "story");
      const s3 = s3Environment(address);
      // The server runs in this process, and the AWS chain reads the process's own environment.
      Object.assign(process.env, s3);
      const server = await openServer({ keys: [{ ...key, ...credentialsOf(s3) }] });
      try {
        const script = fileURLToPath(new URL("./story.py", import.meta.url));
        const env = awsEnvironment(server, key, {
          ...s3,
          ...{ AWS_ENDPOINT_URL_OMICS: server.url, AWS_DISABLE_HOST_PREFIX_INJECTION: "true" },
        });
        const words = [script, bucket, "arn:aws:iam::555555555555:role/memoir", engine];
        const report = JSON.parse(await runAws("python3", words, { env, cwd: server.folder }));
        expect(report).toEqual({
          cold: "COMPLETED ccc",
          warm: "COMPLETED hhh",
          "engine version": version,
          "equal bytes": ["hello a\nhello b\n", true],
          edited: "COMPLETED ccc",
          "only join edited": "COMPLETED hhc",
          failed: "FAILED ccc",
          corrected: "COMPLETED hhc",
          cancelled: "CANCELLED ccc",
          "after cancel": "COMPLETED hhc",
          lost: "COMPLETED hhc",
          "lost bytes": true,
          healed: "COMPLETED hhh",
          "waiter on cancelled": "WaiterError",
        });
      } finally {
        await server.close();
        for (const name of Object.keys(s3)) delete process.env[name];
      }
      expect(server.bugs).toEqual([]);
    },
  );
});

/** One pair of credentials signs for both, as one person has. */
function credentialsOf(s3: Readonly<Record<string, string>>) {
  const { AWS_ACCESS_KEY_ID = key.accessKeyId, AWS_SECRET_ACCESS_KEY = key.secretAccessKey } = s3;
  return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
}
