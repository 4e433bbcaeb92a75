import type { Requirement } from "./requirement.ts";

export const bubblewrapRequirement: Requirement = {
  name: "bubblewrap",
  programs: ["bwrap", "setsid"],
  debianPackages: ["bubblewrap"],
};
