/** `npm run smoke` as far as it goes without an account: what it would call, and that it never destroys a stage of others. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureBuilt, memoirProgram } from "../../test/cli/memoir.ts";

const script = join(import.meta.dirname, "../scripts/smoke.mjs");
const folder = mkdtempSync(join(tmpdir(), "memoir-smoke-test-"));
const called = join(folder, "called");
const { AWS_REGION: _region, AWS_DEFAULT_REGION: _other, ...environment } = process.env;
beforeAll(() => ensureBuilt());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Programs of these names first in PATH: they note that they were called. */
function plant(name: string, lines: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> "${called}"\n${lines}\n`);
  chmodSync(join(folder, name), 0o755);
}

function smoke(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = { ...environment, ...more, PATH: [folder, process.env["PATH"]].join(delimiter) };
  return spawnSync(process.execPath, [script, ...args], { cwd: folder, env, encoding: "utf8" });
}

const notThere = `case "$1" in cloudformation) echo "$* does not exist" >&2; exit 254;; esac`;

const commandsIn = (text: string) =>
  text.split("\n").flatMap((line) => line.match(/^ {2}\$ (.*)$/)?.[1] ?? []);

it("a dry run calls nothing, and prints ten calls of the API, a query of Athena, the destruction and the price", () => {
  for (const name of ["aws", "npx", "npm"]) plant(name, "exit 9");
  const { status, stdout, stderr } = smoke(["--stage", "dev", "--dry-run"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(existsSync(called)).toBe(false);
  const commands = commandsIn(stdout);
  expect(commands.filter((command) => command.includes("https://ID.execute-api"))).toHaveLength(10);
  expect(commands.filter((command) => command.includes("athena://"))).toHaveLength(1);
  expect(commands.at(-1)).toContain("destroy --all");
  const total = Number(/^ {2}([\d.]+) {2}in all$/m.exec(stdout)?.[1]);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThan(1);
});

it("its commands compute, store and find every row, with a folder in place of the cloud", () => {
  const here = join(folder, "work");
  const inputs = Array.from({ length: 50 }, (_, at) => `C${"C".repeat(at)}`);
  const commands = commandsIn(smoke(["--stage", "dev", "--dry-run"]).stdout).filter((line) =>
    line.startsWith("memoir "),
  );
  // One of each kind: storing, a look-up, the sample, all rows.
  const kinds = [commands[0], commands[1], ...commands.slice(-3, -1)];
  const wordsOf = (command = "") =>
    command
      .split(" ")
      .slice(1)
      .map((word) => word.replaceAll("'", ""))
      .map((word) => (/^(dynamodb|https|athena):/.test(word) ? join(here, "cloud") : word))
      .map((word) => word.replace(/^FOLDER/, here));
  mkdirSync(here);
  writeFileSync(join(here, "library.csv"), `smiles\n${inputs.join("\n")}\n`);
  for (const command of kinds) {
    const env = { ...environment, MEMOIR_HOME: join(here, "home") };
    const ran = spawnSync(process.execPath, [memoirProgram, ...wordsOf(command)], { env, encoding: "utf8" });
    expect({ command, status: ran.status, said: ran.status === 0 ? "" : ran.stderr }).toMatchObject({
      status: 0,
    });
  }
  const linesOf = (name: string) => readFileSync(join(here, name), "utf8").trim().split("\n");
  const computed = linesOf("computed.csv");
  expect(computed.slice(1).every((line) => /,[\d.]+$/.test(line))).toBe(true);
  expect(linesOf("api-1.csv")).toEqual(computed);
  expect(linesOf("all.csv").toSorted()).toEqual(computed.toSorted());
  expect(linesOf("sample.csv")).toHaveLength(6);
});

it("a stage that is there, or that nobody can say is not there, is neither deployed over nor destroyed", () => {
  const region = { AWS_REGION: "us-east-1" };
  for (const [lines, words] of [
    ["exit 0", "deployed already"],
    ["echo 'Unable to locate credentials' >&2; exit 253", "Unable to locate credentials"],
    [
      `case "$*" in *-trust) exit 0;; esac; echo "$* does not exist" >&2; exit 254`,
      "Memoir-dev-trust is deployed",
    ],
  ] as const) {
    rmSync(called, { force: true });
    plant("aws", lines);
    for (const name of ["npx", "npm"]) plant(name, "exit 0");
    const { status, stderr } = smoke(["--stage", "dev"], region);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(words) });
    expect(readFileSync(called, "utf8")).not.toMatch(/^np[mx] /m);
  }
});

it.each(["AWS_REGION", "AWS_DEFAULT_REGION"])("every program gets the region of %s by both names", (name) => {
  const regions = join(folder, "regions");
  const note = `echo "$AWS_REGION $AWS_DEFAULT_REGION" >> "${regions}"`;
  rmSync(regions, { force: true });
  plant("aws", `${note}; ${notThere}`);
  plant("npm", "exit 0");
  plant("npx", `${note}; exit 7`);
  smoke(["--stage", "dev"], { [name]: "eu-north-1" });
  const lines = readFileSync(regions, "utf8").trim().split("\n");
  expect(lines.length).toBeGreaterThan(3);
  expect(new Set(lines)).toEqual(new Set(["eu-north-1 eu-north-1"]));
});

it("a stage whose deployment failed is destroyed, and the failure is reported", () => {
  rmSync(called, { force: true });
  plant("aws", `echo "$* does not exist" >&2; exit 254`);
  plant("npm", "exit 0");
  plant("npx", `case "$*" in *deploy*) exit 7;; esac`);
  const { status, stderr } = smoke(["--stage", "dev"], { AWS_REGION: "us-east-1" });
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("ended with 7") });
  expect(readFileSync(called, "utf8")).toMatch(/^npx .*destroy --all/m);
});

const calls = () => (existsSync(called) ? readFileSync(called, "utf8") : "");

/** Begun, and not waited for. `close` answers how it ended. */
function started(more: Readonly<Record<string, string>> = {}) {
  rmSync(called, { force: true });
  plant("aws", notThere);
  plant("npm", "exit 0");
  const path = [folder, process.env["PATH"]].join(delimiter);
  const env = { ...environment, ...more, AWS_REGION: "us-east-1", PATH: path };
  const child = spawn(process.execPath, [script, "--stage", "dev"], { cwd: folder, env, detached: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  // Comes when nothing that it started is left: all have its output.
  const close = once(child, "close").then(([code]) => ({ code, said }));
  return { pid: Number(child.pid), close };
}

it.each([
  ["SIGTERM", "the smoke process alone", 143, (pid: number) => pid],
  ["SIGINT", "all that a terminal runs", 130, (pid: number) => -pid],
  ["SIGHUP", "the smoke process alone", 129, (pid: number) => pid],
] as const)(
  "%s to %s while it deploys: the deployment ends, and is destroyed",
  async (signal, _, code, whom) => {
    plant("npx", `case "$*" in *deploy*) echo "$$" > "${folder}/deploying"; sleep 3600;; esac`);
    rmSync(join(folder, "deploying"), { force: true });
    const { pid, close } = started();
    await expect.poll(() => existsSync(join(folder, "deploying"))).toBe(true);
    process.kill(whom(pid), signal);
    const ended = await close;
    expect(ended).toMatchObject({ code, said: expect.stringContaining(`stopped by ${signal}`) });
    expect(calls()).toMatch(/^npx .*destroy --all --force/m);
  },
);

it("a signal during a call of the stage: its bucket is emptied, and what destroys is not stopped by one more signal", async () => {
  const asked = createServer(() => {});
  asked.listen(0, "127.0.0.1");
  const connected = once(asked, "connection");
  await once(asked, "listening");
  const outputs = JSON.stringify({
    "Memoir-dev-data": { BucketName: "b-1", TableName: "table", DatabaseName: "d", WorkGroupName: "w" },
    "Memoir-dev-api": { ApiAddress: "https://127.0.0.1:1" },
  });
  const [destroying, go] = [join(folder, "destroying"), join(folder, "go")];
  plant(
    "npx",
    `case "$*" in
*deploy*) while [ $# -gt 0 ]; do [ "$1" = --outputs-file ] && echo '${outputs}' > "$2"; shift; done;;
*destroy*) touch "${destroying}"; while [ ! -e "${go}" ]; do sleep 0.1; done; echo "npx destroyed" >> "${called}";;
esac
exit 0`,
  );
  const { pid, close } = started({
    ...{ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_EC2_METADATA_DISABLED: "true" },
    ...Object.fromEntries(
      ["S3", "DYNAMODB"].map((name) => [
        `AWS_ENDPOINT_URL_${name}`,
        `http://127.0.0.1:${(asked.address() as AddressInfo).port}`,
      ]),
    ),
  });
  // The server never answers: the call that stores the rows waits.
  await connected;
  process.kill(pid, "SIGTERM");
  await expect.poll(() => existsSync(destroying)).toBe(true);
  process.kill(-pid, "SIGINT");
  process.kill(pid, "SIGTERM");
  writeFileSync(go, "");
  expect((await close).code).toBe(143);
  asked.close();
  expect(calls()).toMatch(
    /^aws s3 rm --recursive --only-show-errors s3:\/\/b-1\nnpx .*destroy --all.*\nnpx destroyed$/m,
  );
});

it("a signal before it deploys ends it, and there is nothing to destroy", async () => {
  plant("npx", "exit 0");
  const { pid, close } = started();
  plant("npm", `touch "${folder}/building"; sleep 3600`);
  await expect.poll(() => existsSync(join(folder, "building"))).toBe(true);
  process.kill(pid, "SIGTERM");
  expect((await close).code).toBe(143);
  expect(calls()).not.toMatch(/^npx /m);
});

it("a bucket that gets a last result while the stage is destroyed is emptied again", () => {
  rmSync(called, { force: true });
  plant("aws", notThere);
  plant("npm", "exit 0");
  plant("npx", `case "$*" in *deploy*) exit 7;; esac; [ "$(grep -c destroy "${called}")" = 2 ]`);
  const { status } = smoke(["--stage", "dev"], { AWS_REGION: "us-east-1" });
  expect(status).toBe(1);
  expect(calls().match(/^npx .*destroy/gm)).toHaveLength(2);
});

it("only the stage dev may be given", () => {
  expect(smoke(["--stage", "prod", "--dry-run"]).status).toBe(2);
});
