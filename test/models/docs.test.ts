/** The example in docs/models.md is a real model: its files are made by the commands on the page. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freshAsk } from "../../src/kernel/index.ts";
import { createRunner, findModel } from "../../src/models/index.ts";
import { removeFolder } from "../remove-folder.ts";
import { describeWith } from "../servers/requirement.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "models.md"), "utf8");
const python = { name: "Python 3", programs: ["bash", "python3"], debianPackages: ["bash", "python3"] };

describeWith([python], "docs/models.md", () => {
  test("its minimal model can be created, served and run as the page says", async () => {
    const commands = /### A minimal model.*?```sh\n(.*?)```/s.exec(page)?.[1] ?? "";
    const lines = commands.split("\n");
    const firstUse = lines.findIndex((line) => line.startsWith("memoir "));
    expect(firstUse).toBeGreaterThan(0);
    const cwd = mkdtempSync(join(tmpdir(), "memoir-docs-"));
    try {
      execFileSync("bash", ["-eu", "-c", lines.slice(0, firstUse).join("\n")], { cwd });
      const model = await findModel({ name: "./my-model", home: cwd, cwd }, freshAsk());
      const runner = createRunner(model, { env: { PATH: process.env["PATH"] ?? "" } });
      await runner.open(freshAsk());
      expect(await runner.predict(model.exampleInputs, freshAsk())).toEqual([
        { kind: "computed", values: [3, 2 / 3] },
        { kind: "computed", values: [8, 0.75] },
      ]);
      await runner.close();
    } finally {
      removeFolder(cwd);
    }
  });

  test("its table of built-in models is complete", async () => {
    for (const [, id, slug] of page.matchAll(/^\| `([a-z0-9-]+)` \| `([a-z-]+)` \| /gm)) {
      const model = await findModel({ name: slug ?? "", home: "/nonexistent", cwd: "/" }, freshAsk());
      expect(model.id).toBe(id);
    }
  });
});
