/** Which Nextflow a pipeline is run with, from the command line. */
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onHost, Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

const config = "params { count = 1\n loud = false\n name = 'x' }\n";
const types =
  "workflow { println([nextflow.version, params.count + 1, params.loud ? 'loud' : 'low', params.name]) }";
const words = ["--count", "2", "--loud", "false", "--name", "7"];

describe("the version of Nextflow", () => {
  it("is 25.10 by default, and NXF_VER chooses another", async () => {
    await box.write("main.nf", types);
    await box.write("nextflow.config", config);
    const run = (version: string) =>
      box.with({ NXF_VER: version }).run("nextflow", "run", "main.nf", "-ansi-log", "false", ...words);
    const usual = await run("");
    expect(usual.out).toContain("N E X T F L O W  ~  version 25.10.4\n");
    expect(usual.out).toContain("[25.10.4, 3, low, 7]");
    // The strict parser takes the types of the defaults.
    const strict = await run("26.04.2");
    expect(strict.out).toContain("N E X T F L O W  ~  version 26.04.2\n");
    expect(strict.out).toContain("[26.04.2, 3, low, 7]");
    expect(readFileSync(box.path(".nextflow.log"), "utf8")).toContain("~  version 26.04.2\n");
    const shown = await box.with({ NXF_VER: "23.10.1" }).run("nextflow", "-version");
    expect(shown.out).toContain("version 23.10.1 build");
    const wrong = await run("newest");
    expect([wrong.code, wrong.out]).toEqual([
      1,
      expect.stringContaining("newest is not a version of Nextflow"),
    ]);
  });

  it("is that of the manifest where the default does not meet it", async () => {
    await box.write("main.nf", types);
    await box.write("nextflow.config", `${config}manifest.nextflowVersion = '!>=26.04'`);
    const command = await box.run("nextflow", "run", "main.nf", ...words);
    expect(command.out).toContain("version 26.04.0\n");
    expect(command.out).toContain("[26.04.0, 3, low, 7]");
    const memoir = await box.run("run", "main.nf", ...words, ...onHost);
    expect([memoir.code, memoir.err + memoir.out]).toEqual([
      0,
      expect.stringContaining("[26.04.0, 3, low, 7]"),
    ]);
    const refused = await box.with({ NXF_VER: "25.10.3" }).run("nextflow", "run", "main.nf");
    expect([refused.code, refused.out]).toEqual([
      1,
      expect.stringContaining("Nextflow version 25.10.3 does not match workflow required version: >=26.04"),
    ]);
  });

  it("takes classes from the folders of -lib in place of those of the project", async () => {
    for (const folder of ["lib", "other/acme"]) await mkdir(box.path(folder), { recursive: true });
    await box.write("main.nf", "println Tool.name()");
    await box.write("lib/Tool.groovy", "class Tool { static name() { 'of the project' } }");
    await box.write("other/acme/Tool.groovy", "class Tool { static name() { 'of another folder' } }");
    expect((await box.run("nextflow", "-q", "run", "main.nf")).out).toContain("of the project");
    expect((await box.run("nextflow", "-q", "run", "main.nf", "-lib", "other")).out).toContain(
      "of another folder",
    );
    const missing = await box.run("nextflow", "-q", "run", "main.nf", "-lib", "nowhere");
    expect([missing.code, missing.out]).toEqual([1, expect.stringContaining("-lib nowhere")]);
  });

  it("decides whether ignored failures fail the run", async () => {
    await box.write("main.nf", "process P { errorStrategy 'ignore'\n script: 'exit 3' }\nworkflow { P() }");
    await box.write("nextflow.config", "workflow.failOnIgnore = true");
    const code = async (version: string) =>
      (await box.with({ NXF_VER: version }).run("nextflow", "run", "main.nf")).code;
    expect([await code("23.10"), await code("24.10")]).toEqual([0, 1]);
  });
});
