// Runs one private container engine for tests: a Docker daemon, or a folder of Podman's storage. Everything is in DIR.
//   node engine-keeper.mjs docker|podman DIR WATCHED_PID
// Writes DIR/ready (or DIR/failed) by rename; starts the Docker daemon again when it is killed; ends everything and
// removes DIR when it gets SIGTERM or when the watched process has ended, so that a killed test run leaves nothing behind.
import { execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { limitMs } from "../limit.mjs";

const [kind, dir, watched] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const socketPath = join(dir, "docker.sock");
let daemon;
let ending = false;

process.on("SIGTERM", () => end());
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole group; the watched process decides.
setInterval(() => {
  try {
    process.kill(watched, 0);
  } catch {
    end();
  }
}, 100);

try {
  if (kind === "docker") await startDocker();
  else startPodman();
  publish("ready", "");
} catch (error) {
  publish("failed", String(error?.stack ?? error));
  await end();
}

function publish(name, text) {
  writeFileSync(join(dir, `${name}.new`), text);
  renameSync(join(dir, `${name}.new`), join(dir, name));
}

function startPodman() {
  writeFileSync(
    join(dir, "storage.conf"),
    `[storage]\ndriver = "overlay"\ngraphroot = "${dir}/graph"\nrunroot = "${dir}/run"\n`,
  );
}

async function startDocker() {
  launch();
  for (const until = Date.now() + limitMs; Date.now() < until; await wait(50)) {
    if ((await ask("GET", "/_ping").catch(() => undefined))?.status === 200) return;
    if (daemon.exitCode !== null)
      throw new Error(`dockerd ended: ${readFileSync(join(dir, "log"), "utf8").slice(-3000)}`);
  }
  throw new Error("dockerd: no answer within 250 s");
}

function launch() {
  // What a killed daemon leaves: its pid may look alive until the zombie is reaped.
  rmSync(join(dir, "pid"), { force: true });
  rmSync(join(dir, "exec/containerd"), { recursive: true, force: true });
  const log = openSync(join(dir, "log"), "a");
  daemon = spawn(
    "dockerd",
    [
      ...["--data-root", join(dir, "data"), "--exec-root", join(dir, "exec"), "-p", join(dir, "pid")],
      ...["-H", `unix://${socketPath}`, "--storage-driver=overlay2", "--live-restore"],
      ...["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"],
      ...["--ip-masq=false", "--userland-proxy=false"],
    ],
    { stdio: ["ignore", log, log], detached: true },
  );
  closeSync(log);
  daemon.on("exit", () => {
    if (!ending && existsSync(join(dir, "ready"))) launch();
  });
}

async function end() {
  if (ending) return;
  ending = true;
  if (kind === "docker") await endDocker();
  else endPodman();
  // Overlay and shm mounts of containers that were alive, deepest first.
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  for (const mount of mounts.filter((path) => path.startsWith(`${dir}/`)).reverse())
    run("umount", "-l", mount);
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}

async function endDocker() {
  const listed = await ask("GET", "/containers/json?all=1").catch(() => ({ text: "[]" }));
  for (const { Id } of JSON.parse(listed.text))
    await ask("DELETE", `/containers/${Id}?force=1&v=1`).catch(() => {});
  if (daemon === undefined || daemon.exitCode !== null) return;
  const gone = new Promise((done) => daemon.once("exit", done));
  daemon.kill("SIGTERM");
  await Promise.race([gone, wait(15_000)]);
  daemon.kill("SIGKILL");
}

function endPodman() {
  run("podman", "rm", "--all", "--force", "--time", "0");
}

function run(command, ...args) {
  try {
    const env = { ...process.env, CONTAINERS_STORAGE_CONF: join(dir, "storage.conf") };
    execFileSync(command, args, { stdio: "ignore", env, cwd: dir, timeout: limitMs / 4 });
  } catch {
    // Nothing there to end.
  }
}

function ask(method, path) {
  return new Promise((done, fail) => {
    const outgoing = request({ socketPath, method, path, timeout: limitMs / 4 }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => {
        text += chunk;
      });
      answer.on("end", () => done({ status: answer.statusCode, text }));
    });
    outgoing.on("error", fail);
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.end();
  });
}
