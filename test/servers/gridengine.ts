/**
 * A Grid Engine cluster of one node, from Debian's packages. They cannot be installed next to the PBS commands of Slurm, so they
 * are unpacked into a folder, which lies over /usr in a mount namespace where the daemons and the commands run.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { limitMs } from "../limit.mjs";
import { freePort } from "./free-port.ts";
import type { Requirement } from "./requirement.ts";

const packages = ["gridengine-common", "gridengine-client", "gridengine-exec", "gridengine-master"];
const kept = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "memoir-tests", "gridengine");

export const gridEngineRequirement: Requirement = {
  name: "Grid Engine",
  programs: ["apt-get", "dpkg-deb", "unshare", "nsenter", "setpriv"],
  debianPackages: ["dpkg", "util-linux"],
  needsRoot: true,
  check: () => {
    try {
      unpacked();
      return undefined;
    } catch (error) {
      return `its packages cannot be downloaded (${String(error).split("\n")[0]})`;
    }
  },
};

/** The packages' files; they are downloaded once. */
function unpacked(): string {
  if (existsSync(kept)) return kept;
  const folder = `${kept}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("apt-get", ["download", ...packages], { cwd: folder, stdio: "pipe", timeout: limitMs });
    for (const name of readdirSync(folder).filter((each) => each.endsWith(".deb")))
      execFileSync("dpkg-deb", ["-x", name, "root"], { cwd: folder, stdio: "pipe" });
    renameSync(join(folder, "root"), kept);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(kept)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return kept;
}

export interface GridEngine {
  /** What makes `qsub` and the like reach it. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command of Grid Engine, and answers what it prints. */
  ask(program: string, ...words: readonly string[]): string;
  stop(): Promise<void>;
}

/** Takes the cluster's folder, the packages' files and two ports; runs until its standard input ends. */
const script = String.raw`set -e
folder=$1 files=$2
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/usr /mnt/usr-work /mnt/etc /mnt/etc-work
mount -t overlay overlay -o "lowerdir=$files/usr:/usr,upperdir=/mnt/usr,workdir=/mnt/usr-work" /usr
mount -t overlay overlay -o "lowerdir=/etc,upperdir=/mnt/etc,workdir=/mnt/etc-work" /etc
host=$(hostname)
echo "127.0.0.1 $host localhost" > /etc/hosts
grep -q '^sgeadmin:' /etc/passwd || echo 'sgeadmin:x:64000:64000::/nonexistent:/usr/sbin/nologin' >> /etc/passwd
grep -q '^sgeadmin:' /etc/group || echo 'sgeadmin:x:64000:' >> /etc/group
mkdir -p "$folder/root/default/common" "$folder/root/util" "$folder/root/lib" "$folder/spool/qmaster" "$folder/spool/execd" "$folder/db" "$folder/conf"
ln -s /usr/share/gridengine/util/arch "$folder/root/util/arch"
for name in bin utilbin; do ln -s /usr/lib/gridengine "$folder/root/$name"; done
ln -s /usr/lib/gridengine "$folder/root/lib/$(sh /usr/share/gridengine/util/arch)"
cat > "$folder/root/default/common/bootstrap" <<X
admin_user sgeadmin
default_domain none
ignore_fqdn true
spooling_method berkeleydb
spooling_lib libspoolb
spooling_params $folder/db
binary_path /usr/lib/gridengine
qmaster_spool_dir $folder/spool/qmaster
security_mode none
listener_threads 2
worker_threads 2
scheduler_threads 1
jvm_threads 0
X
echo "$host" > "$folder/root/default/common/act_qmaster"
echo memoir > "$folder/root/default/common/cluster_name"
chmod 755 "$folder"
chown -R 64000:64000 "$folder"
export SGE_ROOT="$folder/root" SGE_CELL=default SGE_QMASTER_PORT=$3 SGE_EXECD_PORT=$4 SGE_ND=1
cd "$folder"
setpriv --reuid 64000 --regid 64000 --clear-groups sh /usr/share/gridengine/scripts/init_cluster "$SGE_ROOT" default "$folder/db" root
/usr/lib/gridengine/sge_qmaster < /dev/null &
master=$!
tries=0
until qconf -sh > /dev/null 2>&1; do tries=$((tries + 1)); [ $tries -lt 300 ]; sleep 0.2; done
qconf -am sgeadmin
qconf -as "$host"
fields() { printf '%s\n' "$@" > conf/new; }
fields "hostname $host" "load_scaling NONE" "complex_values NONE" "user_lists NONE" "xuser_lists NONE" "projects NONE" "xprojects NONE" "usage_scaling NONE" "report_variables NONE"
qconf -Ae conf/new
fields "group_name @allhosts" "hostlist $host"
qconf -Ahgrp conf/new
fields "pe_name smp" "slots 999" "user_lists NONE" "xuser_lists NONE" "start_proc_args NONE" "stop_proc_args NONE" 'allocation_rule $pe_slots' "control_slaves FALSE" "job_is_first_task TRUE" "urgency_slots min" "accounting_summary FALSE" "qsort_args NONE"
qconf -Ap conf/new
qconf -sq | sed -e "s/^qname .*/qname main.q/; s/^hostlist .*/hostlist @allhosts/; s/^pe_list .*/pe_list smp/; s/^slots .*/slots 8/; s/^load_thresholds .*/load_thresholds NONE/" > conf/new
qconf -Aq conf/new
qconf -sconf | sed -e "s/^min_uid .*/min_uid 0/; s/^min_gid .*/min_gid 0/; s|^execd_spool_dir .*|execd_spool_dir $folder/spool/execd|" > conf/global
qconf -Mconf conf/global
qconf -ssconf | sed -e "s/^schedule_interval .*/schedule_interval 0:0:1/; s/^flush_submit_sec .*/flush_submit_sec 1/; s/^flush_finish_sec .*/flush_finish_sec 1/" > conf/new
qconf -Msconf conf/new
/usr/lib/gridengine/sge_execd < /dev/null &
execd=$!
echo up > "$folder/up"
# Until whoever has started this ends.
read -r line || true
qdel -u '*' > /dev/null 2>&1 || true
kill $execd $master 2> /dev/null || true
wait
`;

export async function startGridEngine(): Promise<GridEngine> {
  const files = unpacked();
  const folder = await mkdtemp(join(tmpdir(), "memoir-sge-"));
  const ports = [String(await freePort()), String(await freePort())] as const;
  const server = spawn(
    "unshare",
    ["--mount", "/bin/sh", "-c", script, "memoir-sge", folder, files, ...ports],
    {
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let said = "";
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  const ended = once(server, "exit");
  const stop = async () => {
    server.stdin.end();
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  };
  for (const end = Date.now() + limitMs; !existsSync(join(folder, "up")); await wait(50))
    if (Date.now() > end || server.exitCode !== null) {
      server.kill("SIGKILL");
      await stop();
      throw new Error(`Grid Engine did not start: ${said}`);
    }
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const own = {
    SGE_ROOT: join(folder, "root"),
    SGE_CELL: "default",
    SGE_QMASTER_PORT: ports[0],
    SGE_EXECD_PORT: ports[1],
  };
  for (const name of ["qsub", "qstat", "qdel", "qacct", "qconf"])
    await writeFile(
      join(bin, name),
      `#!/bin/sh\nexec nsenter --mount=/proc/${server.pid}/ns/mnt /usr/lib/gridengine/${name} "$@"\n`,
      { mode: 0o755 },
    );
  const env = { ...own, PATH: `${bin}:${process.env["PATH"] ?? "/usr/bin:/bin"}` };
  return {
    env,
    ask: (program, ...words) =>
      execFileSync(join(bin, program), words, { env: { ...process.env, ...env }, encoding: "utf8" }),
    stop,
  };
}
