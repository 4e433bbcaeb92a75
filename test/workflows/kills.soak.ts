import { it } from "vitest";
import { surviveKills } from "./kills.ts";

it("a hundred kills leave every result right, every entry whole and no process behind", () =>
  surviveKills(100, 10));
