/** The parser of Prometheus's client library for Python. */
import { spawnSync } from "node:child_process";
import type { Requirement } from "./requirement.ts";

export const prometheusRequirement: Requirement = {
  name: "Prometheus client library for Python",
  programs: [],
  debianPackages: ["python3-prometheus-client"],
  check: () =>
    spawnSync("/usr/bin/python3", ["-c", "import prometheus_client.parser"]).status === 0
      ? undefined
      : "python3 cannot import prometheus_client",
};
