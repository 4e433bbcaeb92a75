// `npm run smoke --prefix infra -- --stage dev [--dry-run] [--keep]`: one real account, once, for less than 1 USD. Deploys
// the stage, stores rows in its bucket, calls the API ten times, asks Athena, compares, and destroys everything it made.
// Needs credentials of an administrator in the standard AWS chain, a region, the program `aws`, and an account that
// `cdk bootstrap` has prepared. With --dry-run it prints what it would call and what that costs, and needs none of these.
// SIGINT, SIGTERM and SIGHUP end what it does, whoever gets them, and then it destroys what it made.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
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
/** The program `aws` 1 reads the second name only. */
const regions = region === undefined ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region };
const environment = { ...process.env, ...regions, MEMOIR_HOME: join(folder, "home") };
process.on("exit", () => {
  if (!isDryRun) rmSync(folder, { recursive: true, force: true });
});
const state = { running: undefined, stoppedBy: undefined, isDestroying: false };
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(signal));
// A terminal that was closed.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

try {
  await main();
} catch (error) {
  console.error(`memoir smoke: ${error.message}`);
  process.exitCode = state.stoppedBy === undefined ? 1 : 128 + constants.signals[state.stoppedBy];
}

async function main() {
  if (region === undefined) fail("AWS_REGION is not set");
  if (!isDryRun && !existsSync(memoir)) fail(`${memoir} is missing: run npm ci in the folder above`);
  // Somebody's stage is never destroyed by this command.
  for (const stack of stacks) await refuseIfThere(stack);
  await run("npm", ["run", "-s", "build", "--prefix", path(".")]);
  const named = ["--stage", "dev", "--repository", values.repository];
  const provider = ["--oidc-provider", values["oidc-provider"]];
  await run("npm", ["run", "-s", "synth", "--prefix", path("."), "--", ...named, ...provider]);
  let failure;
  try {
    const outputs = ["--outputs-file", join(folder, "outputs.json")];
    await cdk(["deploy", "--all", "--require-approval", "never", ...outputs]);
    await check(outputsOf());
    if (!isDryRun) console.log("\nall calls answered as expected");
  } catch (error) {
    failure = error;
    console.error(`\nfailed: ${error.message}`);
  }
  if (values.keep) console.log("\nkept: the stage costs its storage and its alarms until it is destroyed");
  else await destroy();
  if (failure !== undefined) throw failure;
  if (isDryRun) printCosts();
}

/** The program that runs ends too, with everything that it started. What destroys is not stopped. */
function stop(signal) {
  if (state.isDestroying) {
    console.error("\nthe stage is being destroyed; wait for its end");
    return;
  }
  state.stoppedBy ??= signal;
  if (state.running === undefined) return;
  try {
    process.kill(-state.running.pid, signal);
  } catch (error) {
    // It has just ended by itself.
    if (error.code !== "ESRCH") throw error;
  }
}

/** Only the answer that there is no such stack says so: not missing rights, a wrong region or a network that is down. */
async function refuseIfThere(stack) {
  const args = ["cloudformation", "describe-stacks", "--stack-name", stack];
  const { status, stderr, error } = await ran("aws", args, "pipe");
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

async function check(outputs) {
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
  await call(["run", ...model, "-i", library, "-o", computed, "--cache-only", "--cloud", cloud]);
  for (let at = 1; at <= lookUps; at++) {
    console.log(`call ${at} of the API: look-ups`);
    await call(lookUp(api, `api-${at}.csv`));
    same("computed.csv", `api-${at}.csv`);
  }
  console.log(`call ${lookUps + 1} of the API: a sample`);
  await call(dump("sample.csv", ["-n", "5"]));
  console.log(`call ${lookUps + 2} of the API: all rows, by the queue and the worker`);
  await call(dump("all.csv"));
  if (!isDryRun && linesOf("all.csv").length !== linesOf("computed.csv").length)
    fail("the dump has another number of rows");
  console.log("a query of Athena");
  await call(lookUp(athena, "athena.csv"));
  same("computed.csv", "athena.csv");
}

/**
 * The bucket must be empty before its stack can be deleted. Twice, because a function or a query may still write a
 * result into a bucket that has just been emptied.
 */
async function destroy() {
  state.isDestroying = true;
  console.log("\ndestroying the stage");
  try {
    await destroyOnce();
  } catch (error) {
    console.error(`\nonce more: ${error.message}`);
    await destroyOnce();
  }
}

async function destroyOnce() {
  let bucket;
  try {
    bucket = outputsOf()["Memoir-dev-data"].BucketName;
  } catch {
    // It was not deployed as far as that: nothing is in the bucket.
  }
  if (bucket !== undefined)
    await ran("aws", ["s3", "rm", "--recursive", "--only-show-errors", `s3://${bucket}`], "inherit");
  await cdk(["destroy", "--all", "--force"]);
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

async function call(args) {
  await run(process.execPath, [memoir, ...args]);
}

async function cdk(args) {
  await run("npx", ["--yes", "aws-cdk@2.1148.1", ...args, "--app", path("cdk.out/dev")]);
}

function linesOf(name) {
  return readFileSync(join(folder, name), "utf8").trim().split("\n");
}

function same(one, other) {
  if (isDryRun) console.log(`  compare ${one} with ${other}`);
  else if (linesOf(one).join("\n") !== linesOf(other).join("\n")) fail(`${other} is not ${one}`);
}

async function run(program, args) {
  const { status, signal, error } = await ran(program, args, "inherit");
  if (status !== 0)
    fail(`${program} ${args.slice(0, 3).join(" ")} ended with ${status ?? signal ?? error?.message}`);
}

/** In a group of its processes, so that a signal reaches all of them, and Ctrl-C none that destroys. */
async function ran(program, args, output) {
  if (isDryRun) {
    const isMemoir = program === process.execPath;
    const words = isMemoir ? ["memoir", ...args.slice(1)] : [program, ...args];
    console.log(`  $ ${words.map(quoted).join(" ")}`);
    return { status: 0 };
  }
  if (state.stoppedBy !== undefined && !state.isDestroying) fail(`stopped by ${state.stoppedBy}`);
  const stdio = ["ignore", output, output];
  const child = spawn(program, args, { stdio, env: environment, detached: true });
  state.running = child;
  let stderr = "";
  child.stdout?.resume();
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const ended = await new Promise((done) => {
    child.on("error", (error) => done({ status: null, error }));
    child.on("close", (status, signal) => done({ status, signal }));
  });
  state.running = undefined;
  if (state.stoppedBy !== undefined && !state.isDestroying) fail(`stopped by ${state.stoppedBy}`);
  return { ...ended, stderr };
}

function quoted(word) {
  return /^[\w./:@=,-]+$/.test(word) ? word : `'${word}'`;
}

function fail(why) {
  throw new Error(why);
}
