// `npm run smoke --prefix infra -- --stage dev [--dry-run] [--keep]`: one real account, once, for less than 1 USD. Deploys
// the stage, stores rows in its bucket, calls the API ten times, asks Athena, compares, and destroys everything it made.
// Needs credentials of an administrator in the standard AWS chain, a region, the program `aws`, and an account that
// `cdk bootstrap` has prepared. With --dry-run it prints what it would call and what that costs, and needs none of these.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    stage: { type: "string" },
    keep: { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
    repository: { type: "string", default: "example/memoir" },
    "oidc-provider": { type: "string", default: "" },
  },
});
if (values.stage !== "dev") {
  console.error(
    "usage: npm run smoke --prefix infra -- --stage dev [--dry-run] [--oidc-provider ARN] [--keep]",
  );
  console.error("only dev: this command deletes what is in the stage");
  process.exit(2);
}
const isDryRun = values["dry-run"];
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const memoir = fileURLToPath(new URL("../../dist/memoir.js", import.meta.url));
const stacks = ["data", "api", "trust"].map((name) => `Memoir-dev-${name}`);
const rows = 50;
const lookUps = 8;
const region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? (isDryRun ? "REGION" : undefined);
const folder = isDryRun ? "FOLDER" : mkdtempSync(join(tmpdir(), "memoir-smoke-"));
const environment = { ...process.env, MEMOIR_HOME: join(folder, "home") };
process.on("exit", () => {
  if (!isDryRun) rmSync(folder, { recursive: true, force: true });
});
// The program that runs hears of it too and ends; then what was made is destroyed.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});

try {
  main();
} catch (error) {
  console.error(`memoir smoke: ${error.message}`);
  process.exitCode = 1;
}

function main() {
  if (region === undefined) fail("AWS_REGION is not set");
  if (!isDryRun && !existsSync(memoir)) fail(`${memoir} is missing: run npm ci in the folder above`);
  // Somebody's stage is never destroyed by this command.
  for (const stack of stacks) refuseIfThere(stack);
  run("npm", ["run", "-s", "build", "--prefix", path(".")]);
  const named = ["--stage", "dev", "--repository", values.repository];
  const provider = ["--oidc-provider", values["oidc-provider"]];
  run("npm", ["run", "-s", "synth", "--prefix", path("."), "--", ...named, ...provider]);
  let failure;
  try {
    cdk(["deploy", "--all", "--require-approval", "never", "--outputs-file", join(folder, "outputs.json")]);
    check(outputsOf());
    if (!isDryRun) console.log("\nall calls answered as expected");
  } catch (error) {
    failure = error;
    console.error(`\nfailed: ${error.message}`);
  }
  if (values.keep) console.log("\nkept: the stage costs its storage and its alarms until it is destroyed");
  else destroy();
  if (failure !== undefined) throw failure;
  if (isDryRun) printCosts();
}

/** Only the answer that there is no such stack says so: not missing rights, a wrong region or a network that is down. */
function refuseIfThere(stack) {
  const args = ["cloudformation", "describe-stacks", "--stack-name", stack];
  const { status, stderr, error } = ran("aws", args, "pipe");
  if (isDryRun) return;
  if (status === 0) fail(`${stack} is deployed already; this command would destroy it at the end`);
  const words = String(stderr ?? error?.message ?? "").trim();
  if (!words.includes("does not exist"))
    fail(
      `whether ${stack} is deployed already cannot be found out, so nothing was done: ${words || error?.message}`,
    );
}

function outputsOf() {
  if (!isDryRun) return JSON.parse(readFileSync(join(folder, "outputs.json"), "utf8"));
  const data = {
    BucketName: "BUCKET",
    TableName: "TABLE",
    DatabaseName: "DATABASE",
    WorkGroupName: "Memoir-dev-data",
  };
  return {
    "Memoir-dev-data": data,
    "Memoir-dev-api": { ApiAddress: `https://ID.execute-api.${region}.amazonaws.com` },
  };
}

function check(outputs) {
  const { BucketName, TableName, DatabaseName, WorkGroupName } = outputs["Memoir-dev-data"];
  const { ApiAddress } = outputs["Memoir-dev-api"];
  const library = join(folder, "library.csv");
  const inputs = Array.from({ length: rows }, (_, at) => "C".repeat(at + 1));
  if (!isDryRun) writeFileSync(library, `smiles\n${inputs.join("\n")}\n`);
  const cloud = `dynamodb://${TableName}?parquet=s3://${BucketName}&region=${region}`;
  const api = `${ApiAddress}?sign=${region}`;
  const athena = `athena://${DatabaseName}?workgroup=${WorkGroupName}&region=${region}`;
  const model = ["--model", "eos3b5e"];
  const lookUp = (at, name) => [
    ...["run", ...model, "-i", library, "-o", join(folder, name)],
    ...["--cloud-cache-only", "--cloud", at],
  ];
  const dump = (name, more = []) => [
    ...["dump", ...model, ...more, "-o", join(folder, name)],
    ...["--cloud-cache-only", "--cloud", api],
  ];
  console.log(`store ${rows} rows in the table and the bucket`);
  const computed = join(folder, "computed.csv");
  call(["run", ...model, "-i", library, "-o", computed, "--cache-only", "--cloud", cloud]);
  for (let at = 1; at <= lookUps; at++) {
    console.log(`call ${at} of the API: look-ups`);
    call(lookUp(api, `api-${at}.csv`));
    same("computed.csv", `api-${at}.csv`);
  }
  console.log(`call ${lookUps + 1} of the API: a sample`);
  call(dump("sample.csv", ["-n", "5"]));
  console.log(`call ${lookUps + 2} of the API: all rows, by the queue and the worker`);
  call(dump("all.csv"));
  if (!isDryRun && linesOf("all.csv").length !== linesOf("computed.csv").length)
    fail("the dump has another number of rows");
  console.log("a query of Athena");
  call(lookUp(athena, "athena.csv"));
  same("computed.csv", "athena.csv");
}

/** The bucket must be empty before its stack can be deleted. */
function destroy() {
  console.log("\ndestroying the stage");
  let bucket;
  try {
    bucket = outputsOf()["Memoir-dev-data"].BucketName;
  } catch {
    // It was not deployed as far as that: nothing is in the bucket.
  }
  if (bucket !== undefined)
    ran("aws", ["s3", "rm", "--recursive", "--only-show-errors", `s3://${bucket}`], "inherit");
  cdk(["destroy", "--all", "--force"]);
}

/** Prices of us-east-1 in USD, each rounded up. */
function printCosts() {
  const costs = [
    [`DynamoDB: ${rows} rows written, ${lookUps * rows} read`, 0.001],
    ["S3: about 200 requests, some kilobytes", 0.002],
    [`API and functions: about ${lookUps + 20} requests`, 0.001],
    ["Athena: at most 10 queries, 10 MB each", 0.001],
    ["CloudWatch: five alarms and logs for less than an hour", 0.01],
  ];
  const total = costs.reduce((sum, [, usd]) => sum + usd, 0);
  console.log("\nwhat this costs at most, in USD:");
  for (const [what, usd] of costs) console.log(`  ${usd.toFixed(3)}  ${what}`);
  console.log(`  ${total.toFixed(3)}  in all\n\nnothing was called, deployed or written`);
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
  if (isDryRun) console.log(`  compare ${one} with ${other}`);
  else if (linesOf(one).join("\n") !== linesOf(other).join("\n")) fail(`${other} is not ${one}`);
}

function run(program, args) {
  const { status, error } = ran(program, args, "inherit");
  if (status !== 0) fail(`${program} ${args.slice(0, 3).join(" ")} ended with ${status ?? error?.message}`);
}

function ran(program, args, output) {
  if (!isDryRun) return spawnSync(program, args, { stdio: ["ignore", output, output], env: environment });
  const isMemoir = program === process.execPath;
  const words = isMemoir ? ["memoir", ...args.slice(1)] : [program, ...args];
  console.log(`  $ ${words.map(quoted).join(" ")}`);
  return { status: 0 };
}

function quoted(word) {
  return /^[\w./:@=,-]+$/.test(word) ? word : `'${word}'`;
}

function fail(why) {
  throw new Error(why);
}
