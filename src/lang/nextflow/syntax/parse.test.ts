import { describe, expect, test } from "vitest";
import { renderDiagnostic } from "../../../kernel/index.ts";
import { parseConfig } from "./config.ts";
import { parseScript } from "./script.ts";

function problems(text: string): string {
  return parseScript({ name: "main.nf", text }).diagnostics.map(renderDiagnostic).join("\n");
}

function items(text: string) {
  const { script, diagnostics } = parseScript({ name: "main.nf", text });
  expect(diagnostics.map(renderDiagnostic)).toEqual([]);
  return script.items;
}

/** The expression of a script of one statement, as its kind and what matters. */
function expressionOf(text: string) {
  const [item] = items(text);
  if (item?.kind !== "expression") throw new Error(`a ${item?.kind}`);
  return item.expression;
}

describe("expressions", () => {
  test("a slash divides after an operand and starts a string elsewhere", () => {
    expect(expressionOf("a / b")).toMatchObject({ kind: "binary", operator: "/" });
    expect(expressionOf("x = /a\\d\\/b/")).toMatchObject({ value: { kind: "string", value: "a\\d/b" } });
    expect(expressionOf("f(/a b/)")).toMatchObject({ arguments: [{ value: { value: "a b" } }] });
  });
  test("operators bind as in Groovy", () => {
    expect(expressionOf("a + b * c")).toMatchObject({ operator: "+", right: { operator: "*" } });
    expect(expressionOf("-a ** 2")).toMatchObject({ kind: "unary", value: { operator: "**" } });
    expect(expressionOf("a ?: b ? c : d")).toMatchObject({ kind: "elvis" });
    expect(expressionOf("a =~ b && c")).toMatchObject({ kind: "and", left: { operator: "=~" } });
    expect(expressionOf("x in y == z")).toMatchObject({ operator: "==", left: { operator: "in" } });
    expect(expressionOf("x << y << z")).toMatchObject({ operator: "<<", left: { operator: "<<" } });
    expect(expressionOf("a >> b")).toMatchObject({ operator: ">>" });
  });
  test("a line that starts with an operator continues the one before, except for plus and minus", () => {
    expect(items("a\n  && b\n  | c")).toHaveLength(1);
    expect(items("a\n-b")).toHaveLength(2);
    expect(items("(a\n-b)")).toHaveLength(1);
    expect(items("ch\n  .map { it }\n  // note\n  .view()")).toHaveLength(1);
  });
  test("strings hold expressions and paths", () => {
    expect(expressionOf('"a $b.c ${d + "x${e}"} \\$f"')).toMatchObject({
      kind: "gstring",
      parts: ["a ", { kind: "property", name: "c" }, " ", { operator: "+" }, " $f"],
    });
    expect(expressionOf("'''a\\\nb'''")).toMatchObject({ value: "ab" });
  });
  test("maps, lists and closures are distinguished", () => {
    expect(expressionOf("x = [:]")).toMatchObject({ value: { kind: "map", entries: [] } });
    expect(expressionOf("x = [a: 1, (b): 2, 'c': 3]")).toMatchObject({
      value: { entries: [{ key: { value: "a" } }, { key: { kind: "name" } }, { key: { value: "c" } }] },
    });
    expect(expressionOf("x = [a ? 1 : 2, *y]")).toMatchObject({
      value: { items: [{ kind: "ternary" }, { kind: "spread" }] },
    });
    expect(expressionOf("x = { a, b = 1 -> a }")).toMatchObject({ value: { parameters: [{}, {}] } });
    expect(expressionOf("x = { a + 1 }")).toMatchObject({ value: { parameters: undefined } });
    expect(expressionOf("x.view(it -> it.text)")).toMatchObject({
      arguments: [{ value: { kind: "closure", parameters: [{}] } }],
    });
  });
  test("words at the start of a statement take arguments without parentheses", () => {
    expect(expressionOf("publishDir path: 'x', mode: 'copy'")).toMatchObject({
      kind: "call",
      command: true,
      arguments: [{ name: { text: "path" } }, { name: { text: "mode" } }],
    });
    expect(expressionOf("println [1, 2]")).toMatchObject({ kind: "call" });
    expect(expressionOf("x[1]")).toMatchObject({ kind: "index" });
    expect(expressionOf("x [1] = 2")).toMatchObject({ kind: "assign", target: { kind: "index" } });
    expect(expressionOf('path ("x"), emit: y')).toMatchObject({
      arguments: [{}, { name: { text: "emit" } }],
    });
  });
});

describe("declarations", () => {
  test("a process has its sections in any order, with or without script:", () => {
    const [process] = items(`process A {
      tag "x"
      input: val x
      output:
      path("a"), emit: a
      when: x
      script:
      def y = 1
      """echo $y"""
      stub: 'touch a'
    }`);
    expect(process).toMatchObject({
      kind: "process",
      directives: [{}],
      inputs: [{}],
      outputs: [{}],
      when: { kind: "name" },
      script: { kind: "script", statements: [{}, {}] },
      stub: [{}],
    });
    expect(items("process B {\n output: stdout\n 'echo'\n}")[0]).toMatchObject({
      outputs: [{}],
      script: { statements: [{}] },
    });
    expect(items("process C {\n output:\n env FOO\n /FOO=1/\n}")[0]).toMatchObject({ outputs: [{}] });
  });
  test("a workflow takes, emits and publishes", () => {
    expect(
      items("workflow W {\n take: a\n b: Channel<Path>\n main: A(a)\n emit: x = A.out.y\n z\n}")[0],
    ).toMatchObject({
      takes: [{ text: "a" }, { text: "b" }],
      main: [{}],
      emits: [{ name: { text: "x" } }, { name: { text: "z" } }],
    });
  });
  test("includes, parameters, outputs, functions and what older scripts have", () => {
    expect(
      items(`import groovy.json.JsonSlurper
      nextflow.enable.dsl = 2
      params.x = 1
      params { y: Integer = 3; z: Path? }
      include { A; B as C } from './m'
      def f(a, b = 2) { for (int i = 0; i < 3; i++) { println i } }
      String g(List<String> a) { return a[0] }
      if (params.x) { println 'x' }
      workflow { A() }
      output { o { path 'x' } }`).map(({ kind }) => kind),
    ).toEqual([
      "expression",
      "expression",
      "params",
      "include",
      "function",
      "function",
      "if",
      "workflow",
      "output",
    ]);
  });
});

describe("configuration", () => {
  test("settings, blocks, selectors and includes", () => {
    const { file, diagnostics } = parseConfig({
      name: "nextflow.config",
      text: `params { a = 1\n b { c = 'x' } }
      process.cpus = 2
      process { withName: '.*:X' { ext.args = { "\${params.a}" } }\n withLabel:big { memory = 8.GB } }
      profiles { 'all-reads' { params.a = 2 }\n test { includeConfig 'conf/test.config' } }
      includeConfig params.x ? "y" : "/dev/null"
      plugins { id 'nf-schema@2.1.0' }
      def check_max(x) { try { return x } catch (all) { println "e" } }`,
    });
    expect(diagnostics.map(renderDiagnostic)).toEqual([]);
    expect(file.items.map(({ kind }) => kind)).toEqual([
      "block",
      "assign",
      "block",
      "block",
      "include",
      "block",
      "statement",
    ]);
  });
});

describe("what is wrong is shown where it is", () => {
  test("with the line and a caret", () => {
    expect(problems("x = 1\ny = (2 +\n[z) = 3")).toBe(
      'main.nf:3:3: error: expected "," or "]", found ")" [nextflow-syntax]\n  3 | [z) = 3\n    |   ^',
    );
  });
  test.each([
    ["x = 'abc", "the string is not closed"],
    ["/* x", "the comment is not closed"],
    ["x = '\\q'", "unknown escape \\q"],
    ["x = [a: 1, 2]", "an item without a key"],
    ["f() = 1", "an assignment to this cannot be here"],
    ["x = 12px", "expected an expression"],
    ["(".repeat(100_000), "nested too deeply"],
    ['"${'.repeat(200), "nested too deeply"],
  ])("%j", (text, words) => {
    expect(problems(text)).toContain(words);
  });
  test("one bad statement does not hide the next", () => {
    expect(problems("workflow {\n  a = )\n  b = 1\n  c = ]\n}").match(/error/g)).toHaveLength(2);
  });
});
