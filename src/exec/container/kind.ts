/** What the registry of executors knows of containers before a run needs one. */
import type { ExecutorKind } from "../core/index.ts";
import type { EngineName } from "./lazy-containers.ts";

export const containerKind: ExecutorKind = {
  name: "container",
  summary: "in containers of Docker, Podman or Apptainer",
  options: [
    {
      name: "engine",
      value: "engine",
      choices: ["docker", "podman", "apptainer", "singularity"],
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
    {
      kind: "program",
      name: "apptainer",
      versionFlag: "--version",
      enables: "tasks in containers, without a daemon and without root (--engine apptainer)",
    },
  ],
  create: async ({ engine }, world) => {
    const { LazyContainers } = await import("./lazy-containers.ts");
    const lazy = new LazyContainers(engine as EngineName | undefined, world);
    return { executor: lazy, images: lazy };
  },
};
