/** The flag that names one of the two caches. */
import { AppError } from "../kernel/index.ts";
import type { Given } from "./command.ts";

export const tierChoices = ["local", "cloud"] as const;

/** @throws CLI_USAGE when the flag is missing. */
export function requiredTier(given: Given, flag: string, command: string): (typeof tierChoices)[number] {
  const got = given.text(flag);
  if (got === "local" || got === "cloud") return got;
  throw new AppError("CLI_USAGE", `memoir ${command}: --${flag} local or --${flag} cloud is missing`);
}
