/** The entry of this language in the registry of front ends. */
import { defined } from "../../kernel/index.ts";
import type { FrontEndKind } from "../core/index.ts";
import { acceptsName, suggestsName } from "./accepts.ts";

export const nextflowKind: FrontEndKind = {
  language: "nextflow",
  name: "Nextflow",
  accepts: acceptsName,
  suggests: suggestsName,
  can: { filesInJson: "path", tasksWithoutImage: "host", configuration: true, onServer: true },
  create: async ({ environment, expressions, secrets, software, standardInput }) =>
    (await import("./front-end.ts")).createNextflowFrontEnd(
      defined({ environment, secrets, software, standardInput, limitMs: expressions?.timeMs }),
    ),
};
