/** `temporaryFailCodes`: what a tool itself calls temporary is tried again; nothing else is. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { runOnHost, Sandbox } from "../workflows/sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

/** A tool that ends with these codes, one run after the other, and then with 0. */
async function tool(codes: string, more: string): Promise<void> {
  await box.write("runs.txt", "");
  await box.write(
    "tool.sh",
    `echo x >> ${box.path("runs.txt")}
codes=(${codes} 0)
runs=$(wc -l < ${box.path("runs.txt")})
echo $runs > out.txt
exit \${codes[runs - 1]}
`,
  );
  await box.write(
    "t.cwl",
    `cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand: [bash, ${box.path("tool.sh")}]
inputs: []
outputs:
  out: {type: int, outputBinding: {glob: out.txt, loadContents: true, outputEval: "$(parseInt(self[0].contents))"}}
${more}
`,
  );
}

it("a tool that fails for a while is run again, twice at most", async () => {
  await tool("75 75 75", "temporaryFailCodes: [75]");
  const failed = await runOnHost(box, "t.cwl");
  expect(failed.failures[0]?.failure).toMatchObject({ kind: "exit-code", exitCode: 75, attempts: 3 });
  await tool("75 75", "temporaryFailCodes: [75]");
  const { state, outputs, calls } = await runOnHost(box, "t.cwl");
  expect({ state, outputs, computed: calls.computed }).toEqual({
    state: "succeeded",
    outputs: { out: 3 },
    computed: 1,
  });
});

it("any other failure is final", async () => {
  await tool("75 2", "temporaryFailCodes: [75]");
  expect((await runOnHost(box, "t.cwl")).failures[0]?.failure).toMatchObject({ exitCode: 2, attempts: 2 });
  await tool("75", "permanentFailCodes: [75]");
  expect((await runOnHost(box, "t.cwl")).failures[0]?.failure).toMatchObject({ exitCode: 75, attempts: 1 });
});
