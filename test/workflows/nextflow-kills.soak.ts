import { it } from "vitest";
import { surviveNextflowKills } from "./nextflow-kills.ts";

it("a hundred kills of a Nextflow pipeline lose no recorded task and change nothing that is published", () =>
  surviveNextflowKills(100, 8));
