import { describe, expect, test } from "vitest";
import { needsOfDockerfile, needsOfRecipe } from "./needs.ts";

describe("what a model needs", () => {
  test("is read from install.yml: Python, pip, conda and lines for the shell", async () => {
    const recipe = [
      'python: "3.12"',
      "commands:",
      '    - ["pip", "rdkit", "2023.9.6"]',
      '    - ["pip", "torch", "2.3.0", "--index-url", "https://example.org/whl"]',
      '    - ["conda", "openbabel", "3.1.1", "conda-forge"]',
      "    - apt-get install -y  libx",
    ].join("\n");
    expect(await needsOfRecipe(recipe)).toEqual([
      "python 3.12",
      "pip install rdkit==2023.9.6",
      "pip install torch==2.3.0 --index-url https://example.org/whl",
      "conda install -c conda-forge openbabel=3.1.1",
      "apt-get install -y libx",
    ]);
  });

  test("is nothing where the file says nothing that can be read", async () => {
    for (const text of ["", "- a", "commands: 5", "{", "commands: [[], [x], 7]"])
      expect((await needsOfRecipe(text)).join()).toMatch(/^x?$/);
  });

  test("is read from the RUN lines of a Dockerfile, continued lines joined", () => {
    const file =
      "FROM a\nMAINTAINER b\nRUN pip install numpy==1.26.4\nrun  apt-get update \\\n  && true\nCOPY . .\n";
    expect(needsOfDockerfile(file)).toEqual(["pip install numpy==1.26.4", "apt-get update && true"]);
  });
});
