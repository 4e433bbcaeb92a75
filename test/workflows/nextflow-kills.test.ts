/** A sample; a hundred kills: `npm run soak`. */
import { it } from "vitest";
import { limitMs } from "../limit.mjs";
import { surviveNextflowKills } from "./nextflow-kills.ts";

it(
  "ten kills of a Nextflow pipeline lose no recorded task and change nothing that is published",
  () => surviveNextflowKills(10, 2),
  4 * limitMs,
);
