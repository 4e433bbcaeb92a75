import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ScriptedExecutor, ScriptedWorld } from "../../exec/core/index.ts";
import type { FrontEndAbilities } from "../../lang/core/index.ts";
import { readEnvironment } from "../environment.ts";
import { createExecutor, type ExecutorOrder, executors } from "./executors.ts";
import { frontEnds } from "./front-ends.ts";

const environment = readEnvironment({ env: { PATH: "" }, cwd: "/", parentPid: 1 });
const images: FrontEndAbilities = { filesInJson: "path", tasksWithoutImage: "default-image" };
const machine: FrontEndAbilities = { filesInJson: "object", tasksWithoutImage: "host" };

async function chosen(order: ExecutorOrder, can = images, extensions = {}): Promise<string> {
  const where = { ...environment, extensions };
  return createExecutor(order, { can }, where, () => {}).then(
    ({ executor }) => executor.name,
    (error) => `${error.code}: ${error.message}`,
  );
}

describe("the registry of executors", () => {
  it("has a page for each, which describes each of its options", () => {
    expect(executors.length).toBeGreaterThan(2);
    for (const { name, options } of executors) {
      const page = join(import.meta.dirname, "../../../docs/executors", `${name}.md`);
      expect(existsSync(page), page).toBe(true);
      const text = readFileSync(page, "utf8");
      for (const option of options) expect(text, page).toContain(`\`--${option.name}`);
    }
  });

  it("lets the language decide where the user leaves it open", async () => {
    expect(await chosen({ name: "auto", options: {} })).toBe("container");
    expect(await chosen({ name: "auto", options: {} }, machine)).toBe("host and containers");
    expect(await chosen({ name: "auto", options: { engine: "podman" } })).toBe("podman");
  });

  it("refuses an option that the chosen executor does not have, and says whose it is", async () => {
    expect(await chosen({ name: "host", options: { engine: "podman" } })).toBe(
      "CLI_USAGE: choosing the executor: --engine is not an option of --executor host: it is an option of container and mixed",
    );
    expect(await chosen({ name: "auto", options: { isolate: true } })).toContain(
      "--isolate is not an option of --executor container: it is an option of host",
    );
    expect(await chosen({ name: "container", options: { engine: "docke" } })).toContain(
      "expected docker or podman",
    );
  });

  it("leaves an option to those that `auto` may choose and that have it", async () => {
    expect(await chosen({ name: "auto", options: { "no-guard": true } })).toBe("container");
    expect(await chosen({ name: "container", options: { "no-guard": true } })).toContain("CLI_USAGE");
  });

  it("knows an executor that a program brings, with its own options", async () => {
    const mine = {
      name: "cluster",
      summary: "on the cluster",
      options: [{ name: "queue", value: "name", description: "queue of the jobs" }],
      checks: [],
      create: async () => ({ executor: new ScriptedExecutor({ world: new ScriptedWorld() }) }),
    };
    const given = { executors: [mine] };
    expect(await chosen({ name: "cluster", options: { queue: "long" } }, images, given)).toBe("scripted");
    expect(await chosen({ name: "clusters", options: {} }, images, given)).toContain("did you mean cluster?");
  });
});

describe("the registry of front ends", () => {
  it("names each language once, and no two take the same document", () => {
    const languages = frontEnds.map(({ language }) => language);
    expect(new Set(languages).size).toBe(languages.length);
    for (const name of ["main.wdl", "main.cwl", "main.nf"])
      expect(frontEnds.filter(({ accepts }) => accepts(name))).toHaveLength(1);
  });
});
