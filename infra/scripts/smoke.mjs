// `npm run smoke --prefix infra -- --stage dev [--keep]`: one real account, once, for less than 1 USD. Deploys the stage, stores
// rows in its bucket, calls the API ten times, asks Athena, compares, and destroys everything it made. Needs credentials
// of an administrator in the standard AWS chain, a region, and an account that `cdk bootstrap` has prepared.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    stage: { type: "string" },
    keep: { type: "boolean", default: false },
    repository: { type: "string", default: "example/memoir" },
    "oidc-provider": { type: "string", default: "" },
  },
});
if (values.stage !== "dev") {
  console.error("usage: npm run smoke --prefix infra -- --stage dev [--oidc-provider ARN] [--keep]");
  console.error("only dev: this command deletes what is in the stage");
  process.exit(2);
}
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const memoir = fileURLToPath(new URL("../../dist/memoir.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "memoir-smoke-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const environment = { ...process.env, MEMOIR_HOME: join(folder, "home") };
const region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
if (region === undefined) fail("AWS_REGION is not set");

let isDeployed = false;
let wasThere = true;
try {
  run("npm", ["run", "-s", "build", "--prefix", path(".")]);
  run("npm", [
    "run",
    "-s",
    "synth",
    "--prefix",
    path("."),
    "--",
    "--stage",
    "dev",
    "--repository",
    values.repository,
    "--oidc-provider",
    values["oidc-provider"],
  ]);
  // Somebody's stage is never destroyed by this command.
  wasThere =
    ran("aws", ["cloudformation", "describe-stacks", "--stack-name", "Memoir-dev-data"]).status === 0;
  if (wasThere) fail("the stage dev is deployed already; this command would destroy it at the end");
  isDeployed = true;
  cdk(["deploy", "--all", "--require-approval", "never", "--outputs-file", join(folder, "outputs.json")]);
  check(JSON.parse(readFileSync(join(folder, "outputs.json"), "utf8")));
  console.log("\nall calls answered as expected");
} finally {
  if (isDeployed && !wasThere && !values.keep) destroy();
}

function check(outputs) {
  const { BucketName, TableName, DatabaseName, WorkGroupName } = outputs["Memoir-dev-data"];
  const { ApiAddress } = outputs["Memoir-dev-api"];
  const library = join(folder, "library.csv");
  writeFileSync(library, `smiles\n${Array.from({ length: 50 }, (_, at) => "C".repeat(at + 1)).join("\n")}\n`);
  const cloud = `dynamodb://${TableName}?parquet=s3://${BucketName}&region=${region}`;
  const api = `${ApiAddress}?sign=${region}`;
  const athena = `athena://${DatabaseName}?workgroup=${WorkGroupName}&region=${region}`;
  const model = ["--model", "eos3b5e"];
  const output = (name) => join(folder, name);
  console.log("store 50 rows in the table and the bucket");
  call(["run", ...model, "-i", library, "-o", output("computed.csv"), "--cache-only", "--cloud", cloud]);
  for (let at = 1; at <= 8; at++) {
    console.log(`call ${at} of the API: look-ups`);
    call([
      "run",
      ...model,
      "-i",
      library,
      "-o",
      output(`api-${at}.csv`),
      "--cloud-cache-only",
      "--cloud",
      api,
    ]);
    same("computed.csv", `api-${at}.csv`);
  }
  console.log("call 9 of the API: a sample");
  call(["dump", ...model, "-n", "5", "-o", output("sample.csv"), "--cloud-cache-only", "--cloud", api]);
  console.log("call 10 of the API: all rows, by the queue and the worker");
  call(["dump", ...model, "-o", output("all.csv"), "--cloud-cache-only", "--cloud", api]);
  if (linesOf("all.csv").length !== linesOf("computed.csv").length)
    fail("the dump has another number of rows");
  console.log("a query of Athena");
  call(["run", ...model, "-i", library, "-o", output("athena.csv"), "--cloud-cache-only", "--cloud", athena]);
  same("computed.csv", "athena.csv");
}

/** The bucket must be empty before its stack can be deleted. */
function destroy() {
  console.log("\ndestroying the stage");
  const outputs = join(folder, "outputs.json");
  try {
    const { BucketName } = JSON.parse(readFileSync(outputs, "utf8"))["Memoir-dev-data"];
    ran("aws", ["s3", "rm", "--recursive", "--only-show-errors", `s3://${BucketName}`], "inherit");
  } catch {
    // It was not deployed as far as that.
  }
  cdk(["destroy", "--all", "--force"]);
}

function call(args) {
  run(process.execPath, [memoir, ...args]);
}

function cdk(args) {
  run("npx", ["--yes", "aws-cdk@2.1148.1", ...args, "--app", path("cdk.out/dev")]);
}

function linesOf(name) {
  return readFileSync(join(folder, name), "utf8").trim().split("\n");
}

function same(one, other) {
  if (linesOf(one).join("\n") !== linesOf(other).join("\n")) fail(`${other} is not ${one}`);
}

function run(program, args) {
  const { status, error } = ran(program, args, "inherit");
  if (status !== 0) fail(`${program} ${args.slice(0, 3).join(" ")} ended with ${status ?? error?.message}`);
}

function ran(program, args, output = "ignore") {
  return spawnSync(program, args, { stdio: ["ignore", output, output], env: environment });
}

function fail(why) {
  throw new Error(why);
}
