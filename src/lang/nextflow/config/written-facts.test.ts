import { resolve } from "node:path";
import { expect, it } from "vitest";
import type { SourceText } from "../../../kernel/index.ts";
import { writtenFacts } from "./written-facts.ts";

const files: Readonly<Record<string, string>> = {
  "nextflow.config": `
manifest { nextflowVersion = '>=23.10' }
profiles {
  standard { manifest.nextflowVersion = '!>=24.04' }
  later { includeConfig 'later.config' }
  test.manifest.nextflowVersion = '24.10.3'
}
manifest.name = 'x'
`,
  "later.config": "manifest { nextflowVersion = '>=26.04' }\nnextflow.preview.topic = true",
  "plain.config": "manifest.nextflowVersion = '25.10'",
};

function read(path: string): SourceText | undefined {
  const text = files[path.slice(resolve(".").length + 1)];
  return text === undefined ? undefined : { name: path, text };
}

const factsOf = (names: readonly string[], profiles?: readonly string[]) =>
  writtenFacts(
    names.map((name) => resolve(name)),
    read,
    profiles,
  );

it.each([
  ["that of the file where the chosen profile has none", ["docker"], ">=23.10"],
  ["that of `standard` where no profile is chosen", [], "!>=24.04"],
  ["that of a chosen profile", ["test"], "24.10.3"],
  ["that of a file that the profile includes", ["later"], ">=26.04"],
])("the required version is %s", (_, profiles, version) => {
  expect(factsOf(["nextflow.config"], profiles).nextflowVersion).toBe(version);
});

it("a later file does not take a chosen profile's version away", () => {
  const both = ["nextflow.config", "plain.config"];
  expect(factsOf(both, ["docker"]).nextflowVersion).toBe("25.10");
  expect(factsOf(both, ["test"]).nextflowVersion).toBe("24.10.3");
});

it("a switch that only a profile sets counts where the profile is chosen", () => {
  expect([...factsOf(["nextflow.config"], ["later"]).switches]).toEqual(["nextflow.preview.topic"]);
  expect([...factsOf(["nextflow.config"], ["test"]).switches]).toEqual([]);
});
