/** The aws command line of Debian: an old version 2, which knows workflows and runs but no caches. */
import { existsSync } from "node:fs";
import type { Requirement } from "./requirement.ts";

export const debianAws = "/usr/bin/aws";

export const debianAwsRequirement: Requirement = {
  name: "aws command line of the distribution",
  programs: [],
  debianPackages: ["awscli"],
  check: () => (existsSync(debianAws) ? undefined : `${debianAws} not found`),
};
