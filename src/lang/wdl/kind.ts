/** What the registry of front ends knows of WDL before a document needs it. */
import type { FrontEndKind } from "../core/index.ts";
import { acceptsName } from "./accepts.ts";

export const wdlKind: FrontEndKind = {
  language: "wdl",
  name: "WDL",
  accepts: acceptsName,
  can: { filesInJson: "path", tasksWithoutImage: "default-image", onServer: true },
  create: async () => (await import("./front-end.ts")).createWdlFrontEnd(),
};
