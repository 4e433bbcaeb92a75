/**
 * Clients that cannot switch their host prefix off, or should not have to: the server is their HTTP proxy, and any name
 * is its own. Requests come with absolute-form targets and are signed for hosts such as `workflows-omics.anything`.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { debianAws, debianAwsRequirement } from "../servers/debian-aws.ts";
import { describeWith } from "../servers/requirement.ts";
import { awsEnvironment, boto3, runAws } from "./aws-programs.ts";
import { openServer, type TestServer } from "./harness.ts";
import { zipOf } from "./zip.ts";

const key = { accessKeyId: "AKIDPROXY", secretAccessKey: "proxy/secret+x=", account: "444444444444" };
const roleArn = "arn:aws:iam::444444444444:role/memoir";
const endpoint = "http://omics.anything.example";

const wdl = `version 1.1
task greet {
  input {
    String name
  }
  command <<< echo "hello ~{name}" >>>
  output {
    String said = read_string(stdout())
  }
}
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
  expect(server.requests.every(({ status }) => status < 500)).toBe(true);
}

const run = (program: string, words: readonly string[]) =>
  runAws(program, words, {
    env: awsEnvironment(server, key, { HTTP_PROXY: server.url }),
    cwd: server.folder,
  });

const script = `
import boto3, json, sys, time
endpoint, place, zip_path, role = sys.argv[1:5]
omics = boto3.client("omics", endpoint_url=endpoint)
cache = omics.create_run_cache(cacheS3Location=place + "/cache", cacheBehavior="CACHE_ALWAYS")
workflow = omics.create_workflow(definitionZip=open(zip_path, "rb").read())
hits = []
for n in range(2):
    run = omics.start_run(workflowId=workflow["id"], roleArn=role, outputUri=place + "/out", cacheId=cache["id"], parameters={"name": "p"})
    while omics.get_run(id=run["id"])["status"] not in ("COMPLETED", "FAILED", "CANCELLED"):
        time.sleep(0.1)
    hits += [task["cacheHit"] for task in omics.list_run_tasks(id=run["id"])["items"]]
omics.tag_resource(resourceArn=cache["arn"], tags={"team": "a b/c"})
print(json.dumps([hits, omics.list_tags_for_resource(resourceArn=cache["arn"])["tags"]]))
`;

describeWith([boto3], "boto3 through HTTP_PROXY", () => {
  beforeAll(open);
  afterAll(close);

  it("runs, reuses and tags with its host prefixes left on", async () => {
    const words = ["-c", script, endpoint, `file://${server.folder}`, zip, roleArn];
    expect(JSON.parse(await run("python3", words))).toEqual([[false, true], { team: "a b/c" }]);
  });
});

/** A round without caches, which every version of the command line knows. */
async function round(): Promise<void> {
  const aws = async (...words: readonly string[]) => {
    const out = await run(debianAws, ["omics", ...words, "--endpoint-url", endpoint, "--output", "json"]);
    return out.trim() === "" ? {} : JSON.parse(out);
  };
  const place = `file://${server.folder}`;
  const workflow = await aws("create-workflow", "--name", "hello", "--definition-zip", `fileb://${zip}`);
  await aws("wait", "workflow-active", "--id", workflow.id);
  const settings = { workflowId: workflow.id, roleArn, outputUri: `${place}/out`, parameters: { name: "o" } };
  const { id } = await aws("start-run", "--cli-input-json", JSON.stringify(settings));
  await expect
    .poll(async () => (await aws("get-run", "--id", id)).status, { interval: 200 })
    .toBe("COMPLETED");
  expect(await aws("list-run-tasks", "--id", id, "--query", "items[].status")).toEqual(["COMPLETED"]);
  await aws("tag-resource", "--resource-arn", workflow.arn, "--tags", "team=x y");
  expect((await aws("list-tags-for-resource", "--resource-arn", workflow.arn)).tags).toEqual({ team: "x y" });
  await expect(aws("cancel-run", "--id", id)).rejects.toThrow(/ConflictException/);
  await aws("delete-run", "--id", id);
  await expect(aws("get-run", "--id", id)).rejects.toThrow(/ResourceNotFoundException/);
}

describeWith([debianAwsRequirement], "the distribution's old aws command line through HTTP_PROXY", () => {
  beforeAll(open);
  afterAll(close);
  it("makes a whole round although it cannot switch its host prefixes off", round);
});
