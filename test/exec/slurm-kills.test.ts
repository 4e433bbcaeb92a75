/** Ten kills; `npm run soak` has two hundred, with controllers and nodes that die and networks that break. */
import { expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { describeWith } from "../servers/requirement.ts";
import { slurmRequirement } from "../servers/slurm.ts";
import { parseKills, surviveSlurmKills } from "./slurm-kills.ts";

it("kills of a soak are chosen by kind and number", () => {
  expect(parseKills("runner:120, daemon:12-30")).toEqual([
    { kind: "runner", from: 0, to: 120 },
    { kind: "daemon", from: 12, to: 30 },
  ]);
  expect(() => parseKills("server:3")).toThrow(/KIND one of runner/);
});

describeWith([slurmRequirement], "kills while workflows run on Slurm", () => {
  it(
    "lose nothing, repeat nothing that was recorded and leave no job",
    () =>
      surviveSlurmKills([
        { kind: "runner", to: 8 },
        { kind: "daemon", to: 2 },
      ]),
    10 * limitMs,
  );
});
