/** Ten kills; `npm run soak` has two hundred, with controllers and nodes that die and networks that break. */
import { it } from "vitest";
import { limitMs } from "../limit.mjs";
import { describeWith } from "../servers/requirement.ts";
import { slurmRequirement } from "../servers/slurm.ts";
import { surviveSlurmKills } from "./slurm-kills.ts";

describeWith([slurmRequirement], "kills while workflows run on Slurm", () => {
  it(
    "lose nothing, repeat nothing that was recorded and leave no job",
    () => surviveSlurmKills({ runner: 8, controller: 0, daemon: 2 }),
    10 * limitMs,
  );
});
