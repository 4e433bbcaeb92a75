/** Shells whose completion scripts are tried. */
import type { Requirement } from "./requirement.ts";

export const zshRequirement: Requirement = { name: "zsh", programs: ["zsh"], debianPackages: ["zsh"] };

export const fishRequirement: Requirement = { name: "fish", programs: ["fish"], debianPackages: ["fish"] };
