import { spawnSync } from "node:child_process";
import type { Requirement } from "./requirement.ts";

/** Namespaces that this user may make. Asked for without Memoir, so that a guard that fails wrongly fails its tests. */
export const guardRequirement: Requirement = {
  name: "namespaces",
  programs: ["bash", "unshare", "mount", "setpriv"],
  debianPackages: ["util-linux", "mount", "bash"],
  check: () => {
    const own = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
    const words = [...own, "--mount", "--pid", "--fork", "--mount-proc", "true"];
    const { status, stderr } = spawnSync("unshare", words, { encoding: "utf8" });
    return status === 0 ? undefined : stderr.trim();
  },
};
