/** What the registry of executors knows of host tasks before a run needs one. */
import type { ExecutorKind } from "../core/index.ts";

export const hostKind: ExecutorKind = {
  name: "host",
  summary: "as local processes",
  options: [
    {
      name: "isolate",
      description: "with --executor host: hide undeclared files and the network from tasks",
    },
    {
      name: "no-guard",
      description:
        "with --executor host: run tasks outside Memoir's namespaces, for programs that need setuid; inputs are copied",
    },
  ],
  checks: [
    {
      kind: "probe",
      name: "host guard",
      enables:
        "host tasks whose inputs are mounted read-only and that do not see other processes and their environment",
      // Nothing needs it: tasks get copies of their inputs where it does not work.
      probe: async ({ env }) => {
        const { tryGuard } = await import("./guard.ts");
        const why = await tryGuard(env);
        if (why === undefined) return { state: "ok", detail: "namespaces of util-linux" };
        return { state: "absent", detail: `does not work: ${why}` };
      },
    },
    {
      kind: "program",
      name: "bwrap",
      versionFlag: "--version",
      enables: "isolated tasks on this machine (--isolate)",
    },
  ],
  create: async (options, { env, say }) => {
    const { createHostExecutor } = await import("./host-executor.ts");
    const guard = options["no-guard"] === true ? "off" : "auto";
    return { executor: createHostExecutor({ isolate: options["isolate"] === true, env, guard, say }) };
  },
};
