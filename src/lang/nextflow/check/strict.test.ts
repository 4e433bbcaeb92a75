import { describe, expect, test } from "vitest";
import { runPipeline } from "../run/testing/run-text.ts";

async function trouble(main: string, config = ""): Promise<string> {
  const files = { "main.nf": main, "nextflow.config": config };
  const end = await runPipeline({ files, engineVersion: "26.04" });
  expect(end.lines.length === 0 || end.trouble === "").toBe(true);
  return end.trouble;
}

describe("the strict syntax", () => {
  test.each([
    ["import groovy.json.JsonSlurper\nworkflow { }", "an import"],
    ["class A { }\nworkflow { }", "a class"],
    ["println 1\nworkflow { }", "a statement next to declarations"],
    ["workflow { while (false) { } }", "a while loop"],
    ["workflow { for (int i = 0; i < 2; i++) { } }", "a for loop"],
    ["def f(x) { switch (x) { case 1: return 2 } }\nworkflow { f(1) }", "a switch"],
    ["workflow { def a = [1]\n def b = [0, *a] }", "a list that is spread with *"],
    ["workflow { def a = 1\n a++ }", "++ or --"],
    ["workflow { def a = 1\n println(a = 2) }", "an assignment within an expression"],
    ["workflow { def a = 1, b = 2 }", "more than one variable in a declaration"],
    ["workflow { try { } finally { } }", "finally"],
  ])("has not %j", async (main, what) => {
    expect(await trouble(main)).toContain(
      `${what} in the strict syntax of Nextflow 26.04.6 is not supported`,
    );
  });
  test("has no statements in configuration files", async () => {
    expect(await trouble("workflow { println 1 }", "def x = 1\nparams.y = x")).toContain(
      "a statement of a configuration file in the strict syntax",
    );
  });
  test("has everything else", async () => {
    const main = `nextflow.enable.dsl = 2
      params.x = 1
      enum Color { RED, GREEN }
      def f(a, b = 2) { a += b; try { return a } catch (Exception e) { return e.message } }
      process P { input: val x
        output: stdout
        script:
        y = x + 1
        "echo $y" }
      workflow { P(f(params.x))
        (a, b) = [1, 2]
        P.out.map { it.trim() }.view() }`;
    expect(await trouble(main)).toBe("");
  });
  test("a script of statements alone is one", async () => {
    expect(await trouble("println 1\nx = [1, 2]\nx.each { println it }")).toBe("");
  });
});
