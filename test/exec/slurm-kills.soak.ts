/**
 * MEMOIR_SOAK_KILLS=daemon:12-30,node:10 resumes a soak that was interrupted, or repeats one of its kills; MEMOIR_SOAK_SEED
 * kills at other moments.
 */
import { it } from "vitest";
import { limitMs } from "../limit.mjs";
import { describeWith } from "../servers/requirement.ts";
import { namespacesRequirement, slurmRequirement } from "../servers/slurm.ts";
import { parseKills, surviveSlurmKills } from "./slurm-kills.ts";

const kills = parseKills(
  process.env["MEMOIR_SOAK_KILLS"] ?? "runner:120,controller:30,daemon:30,node:10,network:10",
);
const seed = process.env["MEMOIR_SOAK_SEED"];

describeWith([slurmRequirement, namespacesRequirement], "two hundred kills on Slurm", () => {
  for (const each of kills)
    it(
      `of the ${each.kind} lose nothing, repeat nothing that was recorded and leave no job`,
      () =>
        surviveSlurmKills([each], {
          ...(seed === undefined ? {} : { seed: Number(seed) }),
          giveUpNodes: true,
          progress: (words) => process.stdout.write(`${new Date().toISOString()} ${words}\n`),
        }),
      200 * limitMs,
    );
});
