/** The unmodified JavaScript client of AWS drives a Nextflow workflow on S3 end to end. */
import * as omics from "@aws-sdk/client-omics";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { openServer, region, type TestServer } from "./harness.ts";
import { zipOf } from "./zip.ts";

const key = { accessKeyId: "AKIDPIPELINES", secretAccessKey: "secret/of=ours", account: "333333333333" };
const roleArn = "arn:aws:iam::333333333333:role/memoir";

function pipeline(last: string): string {
  return `process UPPER {
  tag "$reads.baseName"
  input: path reads
  output: path "\${reads.baseName}.up"
  script: "tr a-z A-Z < $reads > \${reads.baseName}.up"
}
process JOIN {
  publishDir '/mnt/workflow/pubdir/joined'
  input: path 'part?'
         path folder
  output: path 'all.txt'
  script: '''${last}'''
}
workflow {
  UPPER(channel.fromPath(params.reads))
  JOIN(UPPER.out.collect(sort: { it.name }), file(params.folder))
}
`;
}

const schema = JSON.stringify({
  $defs: {
    io: {
      required: ["reads", "folder"],
      properties: {
        reads: { type: "string", description: "Pattern of reads" },
        folder: { type: "string", format: "directory-path", exists: true },
        sheet: { type: "string", format: "file-path", exists: true },
      },
    },
  },
  allOf: [{ $ref: "#/$defs/io" }],
});

describeWith([s3Requirement], "the JavaScript client of AWS and Nextflow on S3", () => {
  let server: TestServer;
  let client: omics.OmicsClient;
  let s3: S3Client;
  let bucket: string;

  beforeAll(async () => {
    const address = await sharedS3();
    bucket = await makeBucket(address, "pipelines");
    Object.assign(process.env, s3Environment(address));
    server = await openServer({ keys: [key], ownProcesses: true, env: s3Environment(address) });
    client = new omics.OmicsClient({
      ...{ endpoint: server.url, region, credentials: key, disableHostPrefix: true, maxAttempts: 1 },
    });
    s3 = new S3Client({
      ...{ endpoint: address.endpoint, region: address.region, credentials: address, forcePathStyle: true },
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
    for (const name of ["reads/a.txt", "reads/b.txt", "reads/c.csv", "deep/in/d.txt"])
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: `${name}\n` }));
  });
  afterAll(async () => {
    s3.destroy();
    client.destroy();
    await server.close();
    for (const name of Object.keys(s3Environment(await sharedS3()))) delete process.env[name];
    expect(server.bugs).toEqual([]);
  });

  async function register(last: string): Promise<omics.GetWorkflowCommandOutput> {
    const definitionZip = zipOf({
      "main.nf": pipeline(last),
      "nextflow_schema.json": schema,
      "nextflow.config": `profiles {
  test { params { reads = 's3://${bucket}/reads/*.txt'; folder = 's3://${bucket}/deep' } }
  half { params.folder = 's3://${bucket}/deep' }
}`,
    });
    const { id } = await client.send(new omics.CreateWorkflowCommand({ name: "p", definitionZip }));
    await omics.waitUntilWorkflowActive({ client, maxWaitTime: 120, minDelay: 1 }, { id });
    return client.send(new omics.GetWorkflowCommand({ id }));
  }

  const start = (workflowId: string | undefined, settings: object) =>
    client.send(
      new omics.StartRunCommand({
        ...{ workflowId, roleArn, outputUri: `s3://${bucket}/out` },
        parameters: { reads: `s3://${bucket}/reads/*.txt`, folder: `s3://${bucket}/deep` },
        ...settings,
      }),
    );

  async function ended(id: string | undefined): Promise<omics.GetRunCommandOutput> {
    let run: omics.GetRunCommandOutput | undefined;
    await expect
      .poll(
        async () => {
          run = await client.send(new omics.GetRunCommand({ id }));
          return run.status;
        },
        { interval: 50 },
      )
      .toMatch(/^(COMPLETED|FAILED|CANCELLED)$/);
    return run as omics.GetRunCommandOutput;
  }

  async function hitsOf(id: string | undefined): Promise<readonly string[]> {
    const items: string[] = [];
    for await (const page of omics.paginateListRunTasks({ client, pageSize: 2 }, { id }))
      for (const { name, cacheHit } of page.items ?? []) items.push(`${name}: ${cacheHit}`);
    return items.sort();
  }

  async function text(name: string): Promise<string> {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
    return (await answer.Body?.transformToString()) ?? "";
  }

  const whole = "cat part* > all.txt; find -L deep -type f | wc -l >> all.txt";
  const computed = ["JOIN: false", "UPPER (a): false", "UPPER (b): false"];

  it("runs patterns and folders, exports, reuses, and keeps what a failed run finished", async () => {
    const cache = await client.send(
      new omics.CreateRunCacheCommand({ cacheS3Location: `s3://${bucket}/cache` }),
    );
    const broken = await register("exit 3");
    const failed = await ended((await start(broken.id, { cacheId: cache.id })).id);
    expect([failed.status, failed.failureReason]).toEqual(["FAILED", "RUN_TASK_FAILED"]);
    expect(failed.statusMessage).toContain("JOIN");
    expect(Object.keys(failed.resourceDigests ?? {}).sort()).toEqual(
      ["deep/in/d.txt", "reads/a.txt", "reads/b.txt"].map((name) => `s3://${bucket}/${name}`),
    );
    const { id } = await register(whole);
    const settings = { cacheId: cache.id, cacheBehavior: "CACHE_ALWAYS" };
    const corrected = await ended((await start(id, settings)).id);
    expect(corrected.status, corrected.statusMessage).toBe("COMPLETED");
    expect(corrected.engineVersion).toBe("23.10.0");
    expect(await hitsOf(corrected.id)).toEqual(["JOIN: false", "UPPER (a): true", "UPPER (b): true"]);
    const prefix = `${corrected.runOutputUri}`.replace(`s3://${bucket}/`, "");
    expect(await text(`${prefix}/pubdir/joined/all.txt`)).toBe("READS/A.TXT\nREADS/B.TXT\n1\n");
    const warm = await ended((await start(id, settings)).id);
    expect(await hitsOf(warm.id)).toEqual(computed.map((each) => each.replace("false", "true")));
    expect(await text(`out/${warm.id}/pubdir/joined/all.txt`)).toBe("READS/A.TXT\nREADS/B.TXT\n1\n");
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: `out/${warm.id}/` }),
    );
    expect(Contents.map(({ Key }) => Key?.replace(`out/${warm.id}/`, "")).sort()).toEqual([
      "logs/engine.log",
      "pubdir/joined/all.txt",
    ]);
  });

  it("has inputs that are not there fail the run by name, on S3 and on this machine", async () => {
    const { id } = await register(whole);
    for (const [name, uri] of [
      ["reads", `s3://${bucket}/nowhere/*.txt`],
      ["sheet", `${server.folder}/no-sheet.csv`],
      ["reads", `file://${server.folder}/none.txt`],
    ] as const) {
      const parameters = { reads: "none", folder: `s3://${bucket}/deep`, [name]: uri };
      const found = await ended((await start(id, { parameters })).id);
      expect([found.status, found.failureReason]).toEqual(["FAILED", "INPUT_URI_NOT_FOUND"]);
      expect(found.statusMessage).toContain(uri);
    }
  });
});
