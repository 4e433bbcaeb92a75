/** curl that signs requests for AWS. */
import { spawnSync } from "node:child_process";
import type { Requirement } from "./requirement.ts";

export const curlRequirement: Requirement = {
  name: "curl with --aws-sigv4",
  programs: ["curl"],
  debianPackages: ["curl"],
  check: () =>
    spawnSync("curl", ["--help", "all"], { encoding: "utf8" }).stdout.includes("--aws-sigv4")
      ? undefined
      : "this curl does not know --aws-sigv4",
};
