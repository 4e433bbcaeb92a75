/** Podman with separate storage, so that tests neither see nor change the user's images. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Requirement } from "./requirement.ts";
import { keepEngine, type TestEngine } from "./test-engine.ts";

export const podmanRequirement: Requirement = {
  name: "Podman",
  programs: ["podman", "runc", "catatonit"],
  debianPackages: ["podman", "runc", "catatonit"],
  needsRoot: true,
};

export async function startPodman(): Promise<TestEngine> {
  const { dir, stop } = await keepEngine("podman");
  const env = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: process.env["HOME"] ?? "/root",
    CONTAINERS_STORAGE_CONF: join(dir, "storage.conf"),
  };
  return {
    kind: "podman",
    dir,
    env,
    load: async (image) => {
      await promisify(execFile)("podman", ["load", "--quiet", "--input", image.archive], { env, cwd: dir });
    },
    stop,
  };
}
