import { it } from "vitest";
import { limitMs } from "../limit.mjs";
import { describeWith } from "../servers/requirement.ts";
import { namespacesRequirement, slurmRequirement } from "../servers/slurm.ts";
import { surviveSlurmKills } from "./slurm-kills.ts";

describeWith([slurmRequirement, namespacesRequirement], "two hundred kills on Slurm", () => {
  it(
    "lose nothing, repeat nothing that was recorded and leave no job",
    () => surviveSlurmKills({ runner: 120, controller: 30, daemon: 30, node: 10, network: 10 }),
    200 * limitMs,
  );
});
