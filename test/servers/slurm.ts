/** A real Slurm cluster for tests: one controller and three nodes on the loopback interface, everything in one folder. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { limitMs } from "../limit.mjs";
import { removeFolder } from "../remove-folder.ts";
import { freePort } from "./free-port.ts";
import { findProgram, type Requirement } from "./requirement.ts";
import { prepareAccounting } from "./slurm-accounting.ts";
import { createNetworks, type Networks } from "./slurm-networks.ts";

export const slurmRequirement: Requirement = {
  name: "Slurm",
  programs: ["slurmctld", "slurmd", "sbatch", "munged", "setpriv"],
  debianPackages: ["slurmctld", "slurmd", "slurm-client", "munge", "util-linux"],
  needsRoot: true,
};

/** Slurm's commands that look like those of PBS. */
export const pbsCommandsRequirement: Requirement = {
  name: "Slurm's commands of PBS",
  programs: ["qsub", "qstat", "qdel"],
  debianPackages: ["slurm-wlm-torque"],
};

export interface SlurmOptions {
  /** Further lines of slurm.conf. */
  readonly config?: readonly string[];
  /** After how long without an answer a node counts as failed. Default: longer than a busy machine makes one wait. */
  readonly nodeTimeoutSeconds?: number;
  /** Every node and the controller have a separate network, joined by a bridge, so that a node can be cut off. */
  readonly hasNetworks?: true;
  /** Jobs are recorded with what they used. */
  readonly hasAccounting?: true;
}

/** What networks of a cluster need in addition. */
export const namespacesRequirement: Requirement = {
  name: "network namespaces",
  programs: ["ip", "nsenter", "unshare", "hostname"],
  debianPackages: ["iproute2", "util-linux", "hostname"],
  needsRoot: true,
};

export interface SlurmCluster {
  readonly dir: string;
  /** What makes Slurm's commands find this cluster. */
  readonly env: Readonly<Record<string, string>>;
  readonly nodes: readonly string[];
  /** Runs one of Slurm's commands; its standard output. */
  ask(program: string, ...args: readonly string[]): Promise<string>;
  /** SIGKILL for the controller. */
  killController(): Promise<void>;
  startController(): void;
  /** SIGKILL for a node's daemon; `death`: for its jobs as well, as when the machine loses power. */
  killNode(node: string, what: "daemon" | "death"): Promise<void>;
  startNode(node: string): void;
  /** Where it has networks: nothing passes between this node and all others any more, or again. */
  cutOff(node: string): Promise<void>;
  joinAgain(node: string): Promise<void>;
  /** Until a command's output fits. */
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
  stop(): Promise<void>;
}

const nodeNames = ["n1", "n2", "n3"];

/** A port that another server takes meanwhile ends a daemon at once: the whole cluster is then started again elsewhere. */
export async function startSlurm(options: SlurmOptions = {}): Promise<SlurmCluster> {
  for (let tries = 1; ; tries++)
    try {
      return await startOnce(options);
    } catch (error) {
      if (tries === 3) throw error;
    }
}

async function startOnce(options: SlurmOptions): Promise<SlurmCluster> {
  const { nodeTimeoutSeconds = 600, hasNetworks, hasAccounting } = options;
  const dir = mkdtempSync(join(tmpdir(), "memoir-slurm-"));
  for (const name of ["state", "munge", "log"]) mkdirSync(join(dir, name), { mode: 0o755 });
  // Munge trusts its socket only where everybody may come to it.
  execFileSync("chmod", ["755", dir]);
  const key = join(dir, "munge/key");
  writeFileSync(key, randomBytes(1024), { mode: 0o400 });
  const ports = await distinctPorts(1 + nodeNames.length);
  const conf = join(dir, "slurm.conf");
  const accounting = hasAccounting === true ? await prepareAccounting(dir) : undefined;
  const config = [...(options.config ?? []), ...(accounting?.config ?? [])];
  const networks = hasNetworks === true ? await createNetworks(join(dir, "bin"), nodeNames) : undefined;
  writeFileSync(conf, configuration({ dir, ports, config, nodeTimeoutSeconds, networks }));
  writeFileSync(join(dir, "cgroup.conf"), "CgroupAutomount=no\nConstrainCores=no\nConstrainRAMSpace=no\n");
  const env = {
    PATH: `${networks === undefined ? "" : `${networks.programs}:`}${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`,
    HOME: process.env["HOME"] ?? "/root",
    SLURM_CONF: conf,
  };
  const daemons = new Map<string, ChildProcess>();
  const launch = (name: string, program: string, ...args: readonly string[]) => {
    const log = openSync(join(dir, "log", `${name}.out`), "a");
    // Ends with the tests, however these end.
    const inside = networks?.inside(name) ?? [];
    const words = ["--pdeathsig", "KILL", ...inside, findProgram(program) ?? program, ...args];
    daemons.set(name, spawn("setpriv", words, { env, cwd: dir, stdio: ["ignore", log, log] }));
    closeSync(log);
  };
  const kill = async (name: string) => {
    const daemon = daemons.get(name);
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const gone = once(daemon, "exit");
    daemon.kill("SIGKILL");
    await gone;
  };
  const munge = ["key-file", "socket", "pid-file", "log-file", "seed-file"].map(
    (name) => `--${name}=${join(dir, "munge", name.replace(/-file$/, ""))}`,
  );
  const ask = async (program: string, ...args: readonly string[]) =>
    (await promisify(execFile)(program, args, { env, cwd: dir })).stdout;
  const until: SlurmCluster["until"] = async (what, holds) => {
    for (const end = Date.now() + limitMs; Date.now() < end; await wait(50)) if (await holds()) return;
    throw new Error(`Slurm: within ${limitMs / 1000} s it did not come about that ${what}; see ${dir}/log`);
  };
  const startController = () => launch("controller", "slurmctld", "-D", "-f", conf);
  const startNode = (node: string) => launch(node, "slurmd", "-D", "-N", node, "-f", conf);
  let isStopped = false;
  /** A step that is just being launched may hold the port of the slurmd that was killed: it ends, then, and is started again. */
  const startNodeAgain = (node: string) => {
    if (isStopped) return;
    startNode(node);
    daemons.get(node)?.once("exit", (code) => {
      if (code !== null && code !== 0) setTimeout(startNodeAgain, 100, node);
    });
  };
  const stop = async () => {
    isStopped = true;
    for (const name of [...daemons.keys()].reverse()) await kill(name);
    killAll(stepsOf(dir));
    await networks?.remove();
    removeFolder(dir);
  };
  const allRun = () => {
    for (const [name, { exitCode, signalCode }] of daemons)
      if (exitCode !== null || signalCode !== null)
        throw new Error(`Slurm: ${name} ended: ${readFileSync(join(dir, "log", `${name}.out`), "utf8")}`);
  };
  const states = () => ask("sinfo", "--noheader", "--format=%T").catch(() => "");
  try {
    launch("munge", "munged", "--foreground", "--force", ...munge);
    await until("munge answers", async () => {
      allRun();
      return readdirSync(join(dir, "munge")).includes("socket");
    });
    await accounting?.start({ launch, until });
    startController();
    for (const node of nodeNames) startNode(node);
    await until("its nodes are idle", async () => {
      allRun();
      return (await states()).trim() === "idle";
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    dir,
    env,
    nodes: nodeNames,
    ask,
    until,
    killController: () => kill("controller"),
    startController,
    killNode: async (node, what) => {
      await kill(node);
      if (what === "death") killAll(stepsOf(dir, node));
    },
    startNode: startNodeAgain,
    cutOff: async (node) => networks?.setLink(node, "down"),
    joinAgain: async (node) => networks?.setLink(node, "up"),
    stop,
  };
}

async function distinctPorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function configuration(order: {
  readonly dir: string;
  readonly ports: readonly number[];
  readonly config: readonly string[];
  readonly nodeTimeoutSeconds: number;
  readonly networks: Networks | undefined;
}): string {
  const { dir, ports, config, nodeTimeoutSeconds, networks } = order;
  const [controller, ...nodes] = ports;
  const host = hostname().split(".")[0] ?? "localhost";
  const placed = (name: string, fallback: string) => networks?.addressOf(name) ?? fallback;
  return `${[
    "ClusterName=memoir",
    networks === undefined
      ? `SlurmctldHost=${host}(127.0.0.1)`
      : `SlurmctldHost=controller(${placed("controller", "")})`,
    `SlurmctldPort=${controller}`,
    "SlurmUser=root",
    "SlurmdUser=root",
    "AuthType=auth/munge",
    `AuthInfo=socket=${dir}/munge/socket`,
    "CredType=cred/munge",
    `StateSaveLocation=${dir}/state`,
    `SlurmdSpoolDir=${dir}/spool.%n`,
    `SlurmctldPidFile=${dir}/slurmctld.pid`,
    `SlurmdPidFile=${dir}/slurmd.%n.pid`,
    `SlurmctldLogFile=${dir}/log/slurmctld.log`,
    `SlurmdLogFile=${dir}/log/slurmd.%n.log`,
    "ProctrackType=proctrack/linuxproc",
    "TaskPlugin=task/none",
    ...(networks === undefined ? gathering : ["JobAcctGatherType=jobacct_gather/none"]),
    ...(config.some((line) => line.startsWith("AccountingStorageType="))
      ? []
      : ["AccountingStorageType=accounting_storage/none"]),
    "SwitchType=switch/none",
    "MpiDefault=none",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_Core_Memory",
    "SchedulerType=sched/backfill",
    "SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=10000,batch_sched_delay=0",
    // A node has more processors than the machine: tests wait more than they compute.
    "SlurmdParameters=config_overrides",
    "ReturnToService=2",
    `SlurmdTimeout=${nodeTimeoutSeconds}`,
    "KillWait=2",
    "MinJobAge=3600",
    "MaxArraySize=1001",
    "CommunicationParameters=NoAddrCache",
    "DefMemPerCPU=256",
    ...config,
    ...nodes.map(
      (port, i) =>
        `NodeName=${nodeNames[i]} NodeHostname=${networks === undefined ? host : nodeNames[i]} NodeAddr=${placed(nodeNames[i] ?? "", "127.0.0.1")} Port=${port} CPUs=4 RealMemory=4000 State=UNKNOWN`,
    ),
    `PartitionName=main Nodes=${nodeNames.join(",")} Default=YES MaxTime=INFINITE State=UP`,
  ].join("\n")}\n`;
}

const gathering = [
  "JobAcctGatherType=jobacct_gather/linux",
  "JobAcctGatherFrequency=task=1",
  "JobAcctGatherParams=OverMemoryKill",
];

/** Pids of the processes that run the jobs of a cluster's node, and of those jobs. */
function stepsOf(dir: string, node?: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const variables = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
        const isOfNode =
          node === undefined || variables.includes(`SLURMD_NODENAME=${node}`) || isStepOf(pid, node);
        return pid !== process.pid && variables.includes(`SLURM_CONF=${dir}/slurm.conf`) && isOfNode;
      } catch {
        return false; // ended meanwhile
      }
    });
}

function isStepOf(pid: number, node: string): boolean {
  const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
  return (
    words.startsWith("slurmstepd") && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`spool.${node}`)
  );
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // ended meanwhile
    }
}
