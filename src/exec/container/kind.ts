/** What the registry of executors knows of containers before a run needs one. */
import type { ExecutorKind } from "../core/index.ts";

export const containerKind: ExecutorKind = {
  name: "container",
  summary: "in Docker or Podman containers",
  options: [
    {
      name: "engine",
      value: "engine",
      choices: ["docker", "podman"],
      description: "container engine",
      default: "the first that answers",
    },
  ],
  checks: [
    {
      kind: "program",
      name: "podman",
      versionFlag: "--version",
      enables: "tasks in containers, without a daemon",
    },
    { kind: "program", name: "docker", versionFlag: "--version", enables: "tasks in containers" },
  ],
  create: async ({ engine }, world) => {
    const { LazyContainers } = await import("./lazy-containers.ts");
    const lazy = new LazyContainers(engine as "docker" | "podman" | undefined, world);
    return { executor: lazy, images: lazy };
  },
};
