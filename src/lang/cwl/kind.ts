/** What the registry of front ends knows of CWL before a document needs it. */
import type { FrontEndKind } from "../core/index.ts";
import { acceptsName } from "./accepts.ts";

export const cwlKind: FrontEndKind = {
  language: "cwl",
  name: "CWL",
  accepts: acceptsName,
  // A tool without DockerRequirement is written for the machine that it runs on.
  can: { filesInJson: "object", tasksWithoutImage: "host", onServer: true },
  create: async ({ expressions = {} }) => {
    const { engine = "vm", ...limits } = expressions;
    return (await import("./front-end.ts")).createCwlFrontEnd({ expressions: { engine, limits } });
  },
};
