/** `memoir run eos3b5e -i in.csv`: a model where a workflow belongs. Answered by name before its flags are read. */
import { stat } from "node:fs/promises";
import { AppError, systemErrorCode } from "../kernel/index.ts";
import type { Context } from "./command.ts";

/** @throws CLI_USAGE when the first argument of `run` names a model or looks like its id, and nothing here has this name. */
export async function refuseModelAsWorkflow(
  words: readonly string[],
  { app, ask }: Pick<Context, "app" | "ask">,
): Promise<void> {
  // A word after a flag may be its value.
  const word = words.find((each, i) => !each.startsWith("-") && words[i - 1]?.startsWith("-") !== true);
  if (word === undefined || !/^[a-z0-9-]+$/i.test(word) || (await isThere(word))) return;
  const { isErsiliaId } = await import("../models/index.ts");
  const { models } = await (await app()).catalog({}, ask);
  const isHere = models.some(({ identifier, slug }) => word === identifier || word === slug);
  if (!isHere && !isErsiliaId(word)) return;
  const fetching = isHere ? "" : `; \`memoir fetch ${word}\` installs it first`;
  throw new AppError(
    "CLI_USAGE",
    `memoir run ${word}: expected a workflow, and ${word} is ${isHere ? "a model" : "the id of a model"}: use \`memoir run --model ${word} -i input.csv -o output.csv\`, or \`memoir serve ${word}\` and then \`memoir run -i input.csv -o output.csv\`${fetching}`,
  );
}

/** In doubt it is: opening it says what is wrong with it. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== "ENOENT";
  }
}
