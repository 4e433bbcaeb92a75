/** boto3 and the aws command line, unmodified, drive call caching: cache, run, rerun, everything reused. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { awsCli, awsEnvironment, boto3, runAws } from "./aws-programs.ts";
import { openServer, type TestServer } from "./harness.ts";
import { zipOf } from "./zip.ts";

const key = { accessKeyId: "AKIDPYTHON", secretAccessKey: "python/secret+x=", account: "333333333333" };
const roleArn = "arn:aws:iam::333333333333:role/memoir";

const wdl = `version 1.1
task greet {
  input {
    String name
  }
  command <<<
    echo "hello ~{name}" > out.txt
  >>>
  output {
    File out = "out.txt"
  }
}
workflow hello {
  input {
    Array[String] names
  }
  scatter (n in names) {
    call greet {
      input:
        name = n
    }
  }
  output {
    Array[File] out = greet.out
  }
}
`;

const script = `
import boto3, json, sys, time
place, zip_path, role = sys.argv[1:4]
omics = boto3.client("omics")
cache = omics.create_run_cache(cacheS3Location=place + "/boto", cacheBehavior="CACHE_ALWAYS", name="boto", tags={"memoir:resources": "strict"})
workflow = omics.create_workflow(name="hello", definitionZip=open(zip_path, "rb").read(), engine="WDL")
omics.get_waiter("workflow_active").wait(id=workflow["id"])

def run():
    started = omics.start_run(workflowId=workflow["id"], roleArn=role, outputUri=place + "/out", cacheId=cache["id"],
                              parameters={"names": ["a", "b", "c"]}, name="from boto3")
    while True:
        got = omics.get_run(id=started["id"])
        if got["status"] in ("COMPLETED", "FAILED", "CANCELLED"):
            break
        time.sleep(0.1)
    tasks = [t for page in omics.get_paginator("list_run_tasks").paginate(id=started["id"], PaginationConfig={"PageSize": 2}) for t in page["items"]]
    return {"id": got["id"], "status": got["status"], "cacheId": got["cacheId"], "parameters": got["parameters"],
            "started": got["startTime"].isoformat(), "hits": [t["cacheHit"] for t in tasks],
            "message": omics.get_run_task(id=started["id"], taskId=tasks[0]["taskId"]).get("statusMessage")}

cold, warm = run(), run()
omics.tag_resource(resourceArn=cache["arn"], tags={"team": "a b/c"})
tags = omics.list_tags_for_resource(resourceArn=cache["arn"])["tags"]
omics.untag_resource(resourceArn=cache["arn"], tagKeys=["team"])
try:
    omics.get_run(id="999999999999999999")
    missing = None
except omics.exceptions.ResourceNotFoundException as error:
    missing = error.response["Error"]["Code"]
omics.delete_run(id=cold["id"])
omics.delete_run_cache(id=cache["id"])
caches = [c["id"] for page in omics.get_paginator("list_run_caches").paginate() for c in page["items"]]
print(json.dumps({"cold": cold, "warm": warm, "tags": tags, "missing": missing, "caches": caches}))
`;

let server: TestServer;
let zip: string;

async function open(): Promise<void> {
  server = await openServer({ keys: [key] });
  zip = join(server.folder, "hello.zip");
  await writeFile(zip, zipOf({ "main.wdl": wdl }));
}

async function close(): Promise<void> {
  await server.close();
  expect(server.bugs).toEqual([]);
}

/** With the environment that the documentation names. */
function run(program: string, words: readonly string[]): Promise<string> {
  const documented = { AWS_ENDPOINT_URL_OMICS: server.url, AWS_DISABLE_HOST_PREFIX_INJECTION: "true" };
  return runAws(program, words, { env: awsEnvironment(server, key, documented), cwd: server.folder });
}

describeWith([boto3], "boto3", () => {
  beforeAll(open);
  afterAll(close);

  it("creates a cache and a workflow, runs it twice, and reuses everything the second time", async () => {
    const report = JSON.parse(await run("python3", ["-c", script, `file://${server.folder}`, zip, roleArn]));
    expect(report.cold.message).toMatch(/^not reused: /);
    expect([report.cold.status, report.cold.hits]).toEqual(["COMPLETED", [false, false, false]]);
    expect([report.warm.status, report.warm.hits]).toEqual(["COMPLETED", [true, true, true]]);
    expect(report.warm.message).toBe(`reused from run ${report.cold.id}`);
    expect(report.warm.parameters).toEqual({ names: ["a", "b", "c"] });
    expect(report.tags).toEqual({ team: "a b/c", "memoir:resources": "strict" });
    expect([report.missing, report.caches]).toEqual(["ResourceNotFoundException", []]);
  });
});

describeWith([awsCli], "the aws command line", () => {
  beforeAll(open);
  afterAll(close);

  const aws = async (...words: readonly string[]) => {
    const out = await run("aws", ["omics", ...words, "--output", "json"]);
    return out.trim() === "" ? {} : JSON.parse(out);
  };

  it("creates a cache and a workflow, runs it twice, and reuses everything the second time", async () => {
    const place = `file://${server.folder}`;
    // The command line reads file:// parameters itself, so this one goes in as JSON.
    const cacheInput = JSON.stringify({ cacheS3Location: `${place}/cli`, cacheBehavior: "CACHE_ALWAYS" });
    const cache = await aws("create-run-cache", "--cli-input-json", cacheInput);
    const workflow = await aws("create-workflow", "--name", "hello", "--definition-zip", `fileb://${zip}`);
    await aws("wait", "workflow-active", "--id", workflow.id);
    const settings = { workflowId: workflow.id, roleArn, outputUri: `${place}/out`, cacheId: cache.id };
    const input = JSON.stringify({ ...settings, parameters: { names: ["a", "b"] } });
    const hits: boolean[][] = [];
    for (let round = 0; round < 2; round++) {
      const { id } = await aws("start-run", "--cli-input-json", input);
      await expect
        .poll(async () => (await aws("get-run", "--id", id)).status, { interval: 200 })
        .toBe("COMPLETED");
      hits.push(await aws("list-run-tasks", "--id", id, "--query", "items[].cacheHit"));
    }
    expect(hits).toEqual([
      [false, false],
      [true, true],
    ]);
    expect((await aws("list-runs", "--status", "COMPLETED")).items).toHaveLength(2);
    await expect(aws("cancel-run", "--id", (await aws("list-runs")).items[0].id)).rejects.toThrow(/Conflict/);
    await aws("delete-run-cache", "--id", cache.id);
    expect((await aws("list-run-caches")).items).toEqual([]);
  });
});
