/** The accounting of a test cluster: Slurm's database daemon over MariaDB, everything in the cluster's folder. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import type { Requirement } from "./requirement.ts";

export const accountingRequirement: Requirement = {
  name: "Slurm's accounting",
  programs: ["slurmdbd", "sacct", "mariadbd", "mariadb-install-db", "mariadb", "unshare"],
  debianPackages: ["slurmdbd", "slurm-client", "mariadb-server-core", "mariadb-client-core", "util-linux"],
  needsRoot: true,
};

export interface Accounting {
  /** Lines of slurm.conf. */
  readonly config: readonly string[];
  /** Starts both daemons; resolves when the database daemon answers. */
  start(parts: {
    readonly launch: (name: string, program: string, ...args: readonly string[]) => void;
    readonly until: (what: string, holds: () => Promise<boolean>) => Promise<void>;
  }): Promise<void>;
}

const run = promisify(execFile);

/** @param dir the cluster's folder, with munge's socket in `munge/socket` */
export async function prepareAccounting(dir: string): Promise<Accounting> {
  const [port, databasePort] = [await freePort(), await freePort()];
  const home = join(dir, "database");
  const socket = join(home, "socket");
  const host = hostname().split(".")[0] ?? "localhost";
  const munge = join(dir, "munge/socket");
  return {
    config: [
      "AccountingStorageType=accounting_storage/slurmdbd",
      "AccountingStorageHost=127.0.0.1",
      `AccountingStoragePort=${port}`,
      `AccountingStoragePass=${munge}`,
    ],
    start: async ({ launch, until }) => {
      mkdirSync(home);
      const data = `--datadir=${join(home, "data")}`;
      const first = ["--no-defaults", "--user=root"];
      await run("mariadb-install-db", [
        ...[...first, data, "--auth-root-authentication-method=normal", "--skip-test-db"],
      ]);
      const where = [`--socket=${socket}`, "--bind-address=127.0.0.1", `--port=${databasePort}`];
      const files = [`--pid-file=${join(home, "pid")}`, "--innodb-buffer-pool-size=64M"];
      launch("mariadb", "mariadbd", ...first, data, ...where, ...files);
      const sql = (text: string) =>
        run("mariadb", ["--no-defaults", `--socket=${socket}`, "--execute", text]);
      await until("MariaDB answers", async () => sql("select 1").then(yes, no));
      await sql(
        "create database slurm; create user slurm@'127.0.0.1' identified by 'x'; create user slurm@localhost identified by 'x';" +
          " grant all on slurm.* to slurm@'127.0.0.1'; grant all on slurm.* to slurm@localhost;",
      );
      const conf = join(dir, "slurmdbd.conf");
      const lines = [
        "AuthType=auth/munge",
        `AuthInfo=socket=${munge}`,
        `DbdHost=${host}`,
        "DbdAddr=127.0.0.1",
        `DbdPort=${port}`,
        "SlurmUser=root",
        `LogFile=${join(dir, "log/slurmdbd.log")}`,
        `PidFile=${join(dir, "slurmdbd.pid")}`,
        "StorageType=accounting_storage/mysql",
        "StorageHost=127.0.0.1",
        `StoragePort=${databasePort}`,
        "StorageUser=slurm",
        "StoragePass=x",
        "StorageLoc=slurm",
      ];
      writeFileSync(conf, `${lines.join("\n")}\n`, { mode: 0o600 });
      // It reads this one file only, so it gets a private view of that folder.
      const privately =
        'mount -t tmpfs tmpfs /etc/slurm && install -m 600 "$0" /etc/slurm/slurmdbd.conf && exec slurmdbd -D';
      launch("slurmdbd", "unshare", "--mount", "/bin/sh", "-c", privately, conf);
      await until("slurmdbd answers", () => isListening(port));
    },
  };
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const yes = () => true;
const no = () => false;
