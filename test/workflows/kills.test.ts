/** A sample; a hundred kills: `npm run soak`. */
import { it } from "vitest";
import { limitMs } from "../limit.mjs";
import { surviveKills } from "./kills.ts";

it(
  "ten kills leave every result right, every entry whole and no process behind",
  () => surviveKills(10, 3),
  4 * limitMs,
);
