/** A network for each node of a cluster and one for its controller, on one machine: namespaces joined by a bridge. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "./requirement.ts";

export interface Networks {
  /** A folder with Slurm's commands as the controller's machine has them. */
  readonly programs: string;
  addressOf(name: string): string;
  /** Words that run a program on the machine of this name, under its host name. */
  inside(name: string): readonly string[];
  setLink(name: string, state: "up" | "down"): Promise<void>;
  remove(): Promise<void>;
}

const hub = "controller";
const commands = ["sbatch", "squeue", "scancel", "scontrol", "sinfo"];

export async function createNetworks(programs: string, nodes: readonly string[]): Promise<Networks> {
  const prefix = `memoir${randomBytes(4).toString("hex")}`;
  const spaceOf = (name: string) => `${prefix}-${name}`;
  const ip = (...words: readonly string[]) => promisify(execFile)(findProgram("ip") ?? "ip", [...words]);
  const within = (name: string, ...words: readonly string[]) => ip("-n", spaceOf(name), ...words);
  const made: string[] = [];
  const make = async (name: string) => {
    await ip("netns", "add", spaceOf(name));
    made.push(name);
    await within(name, "link", "set", "lo", "up");
  };
  const remove = async () => {
    for (const name of made) await ip("netns", "del", spaceOf(name)).catch(() => {});
  };
  try {
    await make(hub);
    await within(hub, "link", "add", "br0", "type", "bridge");
    await within(hub, "link", "set", "br0", "up");
    await within(hub, "addr", "add", "10.77.0.1/24", "dev", "br0");
    for (const [i, node] of nodes.entries()) {
      await make(node);
      await within(
        node,
        "link",
        "add",
        "eth0",
        "type",
        "veth",
        "peer",
        "name",
        `v-${node}`,
        "netns",
        spaceOf(hub),
      );
      await within(hub, "link", "set", `v-${node}`, "master", "br0", "up");
      await within(node, "addr", "add", `10.77.0.1${i + 1}/24`, "dev", "eth0");
      await within(node, "link", "set", "eth0", "up");
    }
  } catch (error) {
    await remove();
    throw error;
  }
  mkdirSync(programs, { recursive: true });
  const enter = `${findProgram("nsenter")} --net=/run/netns/${spaceOf(hub)}`;
  for (const command of commands)
    writeFileSync(join(programs, command), `#!/bin/sh\nexec ${enter} ${findProgram(command)} "$@"\n`, {
      mode: 0o755,
    });
  return {
    programs,
    addressOf: (name) => (name === hub ? "10.77.0.1" : `10.77.0.1${nodes.indexOf(name) + 1}`),
    inside: (name) => {
      const space = [hub, ...nodes].includes(name) ? name : hub;
      return [
        ...[findProgram("nsenter") ?? "nsenter", `--net=/run/netns/${spaceOf(space)}`],
        ...[findProgram("unshare") ?? "unshare", "--uts"],
        ...["/bin/sh", "-c", 'hostname "$0" && exec "$@"', space],
      ];
    },
    setLink: async (name, state) => {
      await within(hub, "link", "set", `v-${name}`, state);
    },
    remove,
  };
}
