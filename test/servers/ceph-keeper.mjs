// Runs one throw-away Ceph object gateway (monitor + in-memory OSD + RGW, loopback only) for tests.
//   node ceph-keeper.mjs DIR WATCHED_PID
// Writes DIR/ready.json (or DIR/failed.txt) by rename, and ends everything and removes DIR when it gets SIGTERM, when a
// file DIR/../end appears or when the watched process has ended. It is a separate process so that a killed test run leaves nothing behind.
import { execFile, spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { limitMs } from "../limit.mjs";

const [dir, watched] = [process.argv[2], Number(process.argv[3])];
const run = promisify(execFile);
const children = [];
let ending = false;

process.on("SIGTERM", () => end(0));
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole group; the watched process decides.
setInterval(() => {
  if (existsSync(join(dir, "..", "end"))) return end(0);
  try {
    process.kill(watched, 0);
  } catch {
    end(0);
  }
}, 100);

try {
  await start();
} catch (error) {
  publish("failed.txt", String(error?.stack ?? error) + String(error?.stderr ?? ""));
  await end(1);
}

async function start() {
  for (const folder of ["mon", "osd0", "rgw", "run", "log"])
    mkdirSync(join(dir, folder), { recursive: true });
  const [v2, v1, http] = await freePorts(3);
  const conf = join(dir, "ceph.conf");
  const fsid = randomUUID();
  writeFileSync(conf, config({ v2, v1, http, fsid }));
  const keyring = join(dir, "keyring");
  const auth = (args) => run("ceph-authtool", [keyring, ...args]);
  await auth(["--create-keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"]);
  await auth([
    "--gen-key",
    "-n",
    "client.admin",
    "--cap",
    "mon",
    "allow *",
    "--cap",
    "osd",
    "allow *",
    "--cap",
    "mgr",
    "allow *",
  ]);
  await auth(["--gen-key", "-n", "client.rgw", "--cap", "mon", "allow rw", "--cap", "osd", "allow rwx"]);
  const map = join(dir, "monmap");
  await run("monmaptool", [
    "--create",
    "--fsid",
    fsid,
    "--addv",
    "a",
    `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`,
    map,
  ]);
  await run("ceph-mon", ["-c", conf, "--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring]);
  daemon("ceph-mon", ["-c", conf, "-f", "-i", "a"]);

  const ceph = (...args) => run("ceph", ["-c", conf, "--connect-timeout", "200", ...args]);
  const secret = (await run("ceph-authtool", ["--gen-print-key"])).stdout.trim();
  const secrets = join(dir, "osd.json");
  writeFileSync(secrets, JSON.stringify({ cephx_secret: secret }));
  const osdUuid = randomUUID();
  const id = (await ceph("osd", "new", osdUuid, "-i", secrets)).stdout.trim();
  const osdKeyring = join(dir, "osd0", "keyring");
  await run("ceph-authtool", ["--create-keyring", osdKeyring, "-n", `osd.${id}`, "--add-key", secret]);
  await run("ceph-osd", ["-c", conf, "-i", id, "--mkfs", "--osd-uuid", osdUuid, "--keyring", osdKeyring]);
  daemon("ceph-osd", ["-c", conf, "-f", "-i", id, "--keyring", osdKeyring]);
  await until("the OSD is up", async () => (await ceph("osd", "stat")).stdout.includes("1 up"));
  daemon("radosgw", ["-c", conf, "-f", "-n", "client.rgw", "--keyring", keyring]);
  const endpoint = `http://127.0.0.1:${http}`;
  await until("the gateway answers", () =>
    fetch(endpoint).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  const accessKeyId = "MEMOIRTEST";
  const secretAccessKey = randomUUID();
  await run("radosgw-admin", [
    ...[
      "-c",
      conf,
      "user",
      "create",
      "--uid",
      "memoir",
      "--display-name",
      "memoir",
      "--max-buckets",
      "10000",
    ],
    ...["--access-key", accessKeyId, "--secret-key", secretAccessKey],
  ]);
  publish("ready.json", JSON.stringify({ endpoint, accessKeyId, secretAccessKey, region: "us-east-1" }));
}

function daemon(program, args) {
  const log = openSync(join(dir, "log", `${program}.out`), "w");
  // The parent-death signal ends the daemon even when this process is killed without a chance to act.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", program, ...args], {
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.on("exit", (code, signal) => {
    if (!ending) publish("failed.txt", `${program} ended with ${code ?? signal}`);
  });
  children.push(child);
}

async function until(what, check) {
  for (const end = Date.now() + limitMs; Date.now() < end; await wait(100)) {
    if (await check()) return;
    const dead = children.find((child) => child.exitCode !== null || child.signalCode !== null);
    if (dead) throw new Error(`${dead.spawnargs.join(" ")} ended before ${what}`);
  }
  throw new Error(`waited 250 s in vain until ${what}`);
}

function publish(name, text) {
  try {
    writeFileSync(join(dir, `${name}.tmp`), text);
    renameSync(join(dir, `${name}.tmp`), join(dir, name));
  } catch {
    // The folder was removed: the run has ended.
  }
}

async function end(code) {
  if (ending) return;
  ending = true;
  const ends = children.map(
    (child) =>
      new Promise((done) =>
        child.exitCode !== null || child.signalCode !== null ? done() : child.on("exit", done),
      ),
  );
  for (const child of children) child.kill("SIGKILL"); // In-memory data: nothing to flush.
  await Promise.all(ends);
  if (code === 0 || existsSync(join(dir, "..", "end"))) rmSync(dir, { recursive: true, force: true });
  process.exit(code);
}

/** Below the ports that the kernel hands out: no connection of a test takes one before its server does. */
async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = randomInt(12_000, 32_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port) {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", () => done(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => done(true)));
  });
}

function config({ v2, v1, http, fsid }) {
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${dir}/keyring
run dir = ${dir}/run
admin socket = ${dir}/run/$name.asok
pid file = ${dir}/run/$name.pid
log file = ${dir}/log/$name.log
log to stderr = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data = ${dir}/mon
mon cluster log file = ${dir}/log/cluster.log
mon max pg per osd = 2000
mon data avail warn = 1
mon data avail crit = 0
mon osd initial require min compat client = luminous
auth allow insecure global id reclaim = false
[osd]
osd data = ${dir}/osd0
osd objectstore = memstore
memstore device bytes = 8589934592
osd class default list = *
osd class load list = *
[client.rgw]
rgw data = ${dir}/rgw
rgw frontends = beast endpoint=127.0.0.1:${http} tcp_nodelay=1
rgw enable usage log = false
rgw thread pool size = 64
rgw dns name = localhost
`;
}
