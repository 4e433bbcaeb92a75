/**
 * AWS's own tools for HealthOmics against this server: the run analyzer and rerun of awslabs/aws-healthomics-tools, and
 * the tools of its MCP server (awslabs/mcp). They are run from checkouts that the environment names; packages that are
 * not installed have stand-ins in `python-stubs`.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith, type Requirement } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { awsEnvironment, boto3, runAws } from "./aws-programs.ts";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import { type Body, ended, get, post, start, tasksOf, workflow } from "./plain-client.ts";
import { zipOf } from "./zip.ts";

const toolsFolder = process.env["MEMOIR_TEST_AWS_TOOLS"] ?? "";
const mcpFolder = process.env["MEMOIR_TEST_AWS_MCP"] ?? "";
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const stubs = here("./python-stubs");

function checkout(variable: string, repository: string, file: string): Requirement {
  return {
    name: `a checkout of ${repository}`,
    programs: [],
    debianPackages: [],
    otherwise: `git clone https://github.com/${repository} and name the folder in ${variable}`,
    check: () => {
      const folder = process.env[variable] ?? "";
      if (folder === "") return `${variable} is not set`;
      return existsSync(join(folder, file)) ? undefined : `there is no ${file} in ${folder}`;
    },
  };
}

const tools = checkout("MEMOIR_TEST_AWS_TOOLS", "awslabs/aws-healthomics-tools", "omics/cli/run_analyzer");
const mcpPackage = "src/aws-healthomics-mcp-server";
const mcp = checkout("MEMOIR_TEST_AWS_MCP", "awslabs/mcp", mcpPackage);

const key = { accessKeyId: "AKIDTOOLS", secretAccessKey: "tools/secret+x=", account: "000000000000" };

const wdl = `version 1.0
workflow w {
  input {
    Int count = 3
  }
  scatter (i in range(count)) {
    call align { input: i = i }
  }
  call join { input: parts = align.o }
  output {
    File o = join.o
  }
}
task align {
  input {
    Int i
  }
  command <<< echo ~{i} > o >>>
  output {
    File o = "o"
  }
  runtime {
    docker: "a"
    cpu: 1
    memory: "1 GiB"
  }
}
task join {
  input {
    Array[File] parts
  }
  command <<< cat ~{sep=" " parts} > o >>>
  output {
    File o = "o"
  }
  runtime {
    docker: "a"
  }
}
`;

function environment(server: TestServer, more: Readonly<Record<string, string>> = {}) {
  return awsEnvironment(server, key, {
    ...{ AWS_ENDPOINT_URL_OMICS: server.url, AWS_DISABLE_HOST_PREFIX_INJECTION: "true" },
    ...{ AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: server.url, AWS_ENDPOINT_URL_STS: server.url },
    ...{ AWS_ENDPOINT_URL_PRICING: server.url, HEALTHOMICS_ENDPOINT_URL: server.url },
    AWS_REGION: "us-east-1",
    ...more,
  });
}

/** Outside tests `expect` polls nothing. */
async function endOf(server: TestServer, run: unknown): Promise<void> {
  for (;;) {
    const { status } = await get(server, `/run/${run}`);
    if (/^(COMPLETED|FAILED|CANCELLED)$/.test(String(status))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Lines of comma-separated values as records. */
function table(text: string): readonly Readonly<Record<string, string>>[] {
  const [head = "", ...lines] = text.trim().split("\n");
  const names = head.split(",");
  return lines.map((line) =>
    Object.fromEntries(line.split(",").map((value, at) => [names[at] ?? "", value])),
  );
}

describeWith([boto3, tools], "the run analyzer and rerun", () => {
  let server: TestServer;
  let cold: string;
  let warm: string;
  beforeAll(async () => {
    server = await openServer();
    const cache = await post(server, "/runCache", {
      cacheS3Location: `file://${server.folder}/cache`,
      ...{ cacheBehavior: "CACHE_ALWAYS", requestId: uniqueId() },
    });
    const id = await workflow(server, { "main.wdl": wdl });
    for (const name of ["cold", "warm"]) {
      const { id: run } = await start(server, id, { cacheId: cache["id"], name });
      await endOf(server, run);
      if (name === "cold") cold = String(run);
      else warm = String(run);
    }
  });
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  const command = (module: string, ...words: readonly string[]) =>
    runAws("python3", [here("./aws-command.py"), toolsFolder, stubs, module, ...words], {
      env: environment(server),
      cwd: server.folder,
    });
  const analyzer = (...words: readonly string[]) => command("omics.cli.run_analyzer.__main__", ...words);

  it("shows the statistics of a run, computed or reused, with prices", async () => {
    for (const [name, run] of Object.entries({ cold, warm })) {
      const rows = table(await analyzer(run));
      expect(rows.map(({ type, name }) => [type, name]).sort()).toEqual([
        ["run", name],
        ["task", "align-0-1"],
        ["task", "align-1-1"],
        ["task", "align-2-1"],
        ["task", "join"],
      ]);
    }
  });

  it("groups the shards of runs", async () => {
    const rows = table(await analyzer("--batch", cold, warm));
    expect(rows.map(({ name, count }) => [name, count]).sort()).toEqual([
      ["align", "6"],
      ["join", "2"],
    ]);
  });

  it("lists runs by time, shows their records and their timeline", async () => {
    expect(await analyzer("--time", "1day")).toContain(cold);
    const shown = JSON.parse(await analyzer(cold, "--show")) as readonly unknown[];
    expect(shown).toHaveLength(5);
    const events = table(await analyzer("--timeline", cold));
    expect(events).toHaveLength(5);
  });

  it("rerun starts a run again from its manifest", async () => {
    await command("omics.cli.rerun.__main__", cold);
    const { items } = (await server.raw({ method: "GET", path: "/run" })).body as { items: readonly Body[] };
    const newest = items.at(-1)?.["id"];
    expect([cold, warm]).not.toContain(newest);
    expect((await ended(server, newest))["status"]).toBe("COMPLETED");
    expect((await tasksOf(server, newest)).every(({ cacheHit }) => cacheHit === true)).toBe(true);
  });
});

interface ToolAnswer {
  readonly answer: unknown;
  readonly errors: readonly string[];
}

describeWith([boto3, mcp, s3Requirement], "AWS's MCP server", () => {
  it("makes a cache, a group and a workflow, runs it twice, and analyses the runs", async () => {
    const address = await sharedS3();
    const bucket = await makeBucket(address, "mcp");
    const s3 = s3Environment(address);
    // The server runs in this process, and the AWS chain reads the process's own environment.
    Object.assign(process.env, s3);
    const server = await openServer();
    try {
      const definition = zipOf({ "main.wdl": wdl }).toString("base64");
      const role = "arn:aws:iam::000000000000:role/r";
      const run = (name: string) => ({
        tool: "workflow_execution.start_run",
        with: {
          ...{ workflow_id: "$3.id", role_arn: role, name, output_uri: `s3://${bucket}/out` },
          ...{ parameters: { count: 2 }, cache_id: "$0.id", run_group_id: "$1.id" },
        },
      });
      const registryMap = {
        registryMappings: [{ upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" }],
        imageMappings: [],
      };
      const answers = await call(server, s3, [
        {
          tool: "run_cache.create_run_cache",
          with: { cache_behavior: "CACHE_ALWAYS", cache_s3_location: `s3://${bucket}/cache`, name: "c" },
        },
        { tool: "run_group.create_run_group", with: { name: "g", max_runs: 2 } },
        { tool: "run_cache.get_run_cache", with: { cache_id: "$0.id" } },
        {
          tool: "workflow_management.create_workflow",
          with: { name: "w", definition_zip_base64: definition, container_registry_map: registryMap },
        },
        { tool: "workflow_management.get_workflow", with: { workflow_id: "$3.id" } },
        run("cold"),
        { tool: "wait", with: { run: "$5.id" } },
        run("warm"),
        { tool: "wait", with: { run: "$7.id" } },
        { tool: "workflow_execution.get_run", with: { run_id: "$7.id" } },
        { tool: "workflow_execution.list_runs", with: { max_results: 10 } },
        { tool: "workflow_execution.list_run_tasks", with: { run_id: "$5.id", max_results: 10 } },
        { tool: "workflow_execution.get_run_task", with: { run_id: "$5.id", task_id: "$11.tasks.0.taskId" } },
        {
          tool: "run_analysis.analyze_run_performance",
          with: { run_ids: ["$5.id", "$7.id"], headroom: 0.2, detailed: true },
        },
        { tool: "run_timeline.generate_run_timeline", with: { run_id: "$5.id", time_unit: "sec" } },
        { tool: "troubleshooting.diagnose_run_failure", with: { run_id: "$5.id" } },
      ]);
      const last = (at: number) => answers[at]?.answer as Readonly<Record<string, unknown>>;
      for (const [at, { answer, errors }] of answers.entries())
        if (at < answers.length - 1)
          expect([errors, JSON.stringify(answer).includes('"error":')], String(at)).toEqual([[], false]);
      expect([last(6), last(8)]).toEqual([{ status: "COMPLETED" }, { status: "COMPLETED" }]);
      const names = (last(11)["tasks"] as readonly Body[]).map(({ name }) => name).sort();
      expect(names).toEqual(["align-0-1", "align-1-1", "join"]);
      expect(String(answers[13]?.answer)).toMatch(/align/);
    } finally {
      await server.close();
      for (const name of Object.keys(s3)) delete process.env[name];
    }
    expect(server.bugs).toEqual([]);
  });
});

function call(
  server: TestServer,
  s3: Readonly<Record<string, string>>,
  calls: readonly unknown[],
): Promise<readonly ToolAnswer[]> {
  return new Promise((resolve, reject) => {
    const child = spawn("python3", [here("./aws-mcp.py"), join(mcpFolder, mcpPackage), stubs], {
      env: environment(server, s3),
      cwd: server.folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(out.trim().split("\n").at(-1) ?? "[]") as readonly ToolAnswer[]);
      else reject(new Error(`the MCP tools ended with ${code}:\n${err}`));
    });
    child.stdin.end(JSON.stringify(calls));
  });
}
