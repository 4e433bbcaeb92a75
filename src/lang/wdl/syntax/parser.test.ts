import { describe, expect, test } from "vitest";
import { renderDiagnostic } from "../../../kernel/index.ts";
import type { Expression, StringPart } from "./ast.ts";
import { parseDocument, parseExpressionText, parseTypeText } from "./parser.ts";
import { printExpression, printTypeNode } from "./printer.ts";
import type { WdlVersion } from "./version.ts";

function expression(text: string, version: WdlVersion = "1.2"): Expression {
  const parsed = parseExpressionText({ name: "test", text }, version);
  expect(parsed.diagnostics.map(renderDiagnostic)).toEqual([]);
  return parsed.expression;
}

function document(text: string) {
  const parsed = parseDocument({ name: "test", text });
  expect(parsed.diagnostics.map(renderDiagnostic)).toEqual([]);
  return parsed.tree;
}

/** Texts as they are, placeholders as `~{…}` with their expression. */
function flat(parts: readonly StringPart[]): string {
  return parts
    .map((part) => (part.kind === "text" ? part.text : `~{${printExpression(part.expression)}}`))
    .join("");
}

function text(source: string, version: WdlVersion = "1.2"): string {
  const node = expression(source, version);
  return node.kind === "string" ? flat(node.parts) : `not a string: ${node.kind}`;
}

function command(body: string, version = "1.2"): string {
  const { tasks } = document(`version ${version}\ntask t {\n  command ${body}\n}\n`);
  return flat(tasks[0]?.command?.parts ?? []);
}

describe("expressions", () => {
  test.each([
    ["a || b && c == d < e + f * g ** -h", "a || b && c == d < e + f * g ** -h"],
    ["((a || b) && c) == d", "((a || b) && c) == d"],
    ["a - (b - c) - d", "a - (b - c) - d"],
    ["2 ** 3 ** 2", "2 ** 3 ** 2"],
    ["-a[0].b(c)", undefined],
    ["if a then b else if c then d else e", "if a then b else if c then d else e"],
    ["(if a then b else c) + 1", "(if a then b else c) + 1"],
    ["[1, 2,]", "[1, 2]"],
    ["{'a': 1, \"b\": 2}", '{"a": 1, "b": 2}'],
    ["(1, (2, 3))", "(1, (2, 3))"],
    ["object { a: 1, b: [x] }", "object {a: 1, b: [x]}"],
    ["Person { name: 'x' }", 'Person {name: "x"}'],
    ["f(x, g(y))[1].left", "f(x, g(y))[1].left"],
    ["!(a)", "!a"],
    ["0x1F + 017", "31 + 15"],
    ["1. + .5 + 1e3", "1.0 + 0.5 + 1000.0"],
    ["hints { inputs: input { a.b: hints { x: 1 } } }", "hints {inputs: input {a.b: hints {x: 1}}}"],
  ])("%s reads as it binds", (source, printed) => {
    if (printed === undefined) {
      // A function is a name, so only a name can be applied.
      expect(parseExpressionText({ name: "t", text: source }, "1.2").diagnostics).toHaveLength(1);
    } else expect(printExpression(expression(source))).toBe(printed);
  });

  test("integers keep 64 bits", () => {
    expect(expression("9007199254740993")).toMatchObject({ kind: "int", value: 9007199254740993n });
  });

  test("spans cover what was written", () => {
    const node = expression("a + foo(b)");
    expect(node.span).toEqual({ start: 0, end: 10 });
    expect(node).toMatchObject({
      right: { span: { start: 4, end: 10 } },
      operatorSpan: { start: 2, end: 3 },
    });
  });
});

describe("strings", () => {
  test("escapes", () => {
    expect(text(String.raw`"\n\t\\\"\'\~{\${\x41\101é\U0001F600"`)).toBe("\n\t\\\"'~{${AAé😀");
  });
  test("both placeholders since 1.0, one before", () => {
    expect(text('"~{a} ${b}"', "1.0")).toBe("~{a} ~{b}");
    const node = expression('"~{a} ${b}"', "draft-2");
    expect(node).toMatchObject({ parts: [{ kind: "text", text: "~{a} " }, { kind: "placeholder" }] });
  });
  test("quotes nest inside placeholders", () => {
    expect(text(`"x ~{f("y ~{'z'}")} w"`)).toBe('x ~{f("y ~{"z"}")} w');
  });
  test("a sigil without a brace is text", () => {
    expect(text('"~a $b ~~ $$"')).toBe("~a $b ~~ $$");
  });
});

describe("multi-line strings", () => {
  test.each([
    ["<<<hello  world>>>", "hello  world"],
    ["<<<   hello  world   >>>", "hello  world"],
    ["<<<   \n    hello  world>>>", "hello  world"],
    ["<<<\n    hello  world\n  >>>", "hello  world"],
    ["<<<\n    hello  \\\n        world\n>>>", "hello  world"],
    ["<<<\nhello \\\\\n  world\n>>>", "hello \\\n  world"],
    ["<<<\n\n  a\n  \n    b\n  \n>>>", "\na\n\n  b\n"],
    ["<<<\n  'single' \"double\" ~{x} ${y}\n>>>", "'single' \"double\" ~{x} ~{y}"],
    ["<<<\r\n  a\r\n  b\r\n>>>", "a\nb"],
    ["<<<a \\>>> b>>>", "a >>> b"],
  ])("%j", (source, read) => {
    expect(text(source)).toBe(read);
  });
});

describe("commands", () => {
  test("common whitespace goes before placeholders are looked at", () => {
    expect(command("<<<\n    a\n      ~{x}\n\n    b\n  >>>")).toBe("a\n  ~{x}\n\nb");
  });
  test("a placeholder at the start of a line counts as text", () => {
    expect(command("<<<\n    ~{x}\n      b\n  >>>")).toBe("~{x}\n  b");
  });
  test("backslashes and line continuations stay", () => {
    expect(command("<<<\n    sed 's/\\n/\\\\t/' \\\n      x\n  >>>")).toBe("sed 's/\\n/\\\\t/' \\\n  x");
  });
  test("a heredoc leaves ${…} to the shell, braces do not", () => {
    expect(command("<<< echo ${HOME} ~{x} >>>")).toBe("echo ${HOME} ~{x}");
    expect(command("{ echo ${x} ~{y} $HOME }")).toBe("echo ~{x} ~{y} $HOME");
  });
  test("what would end the command can be escaped", () => {
    expect(command("<<< cat <<EOF \\>>> x >>>")).toBe("cat <<EOF >>> x");
    expect(command("{ awk '{print \\} }")).toBe("awk '{print }");
  });
  test("what would open a placeholder can be escaped", () => {
    expect(command("<<< echo \\~{x} >>>")).toBe("echo ~{x}");
    expect(command("<<< echo \\\\~{x} >>>")).toBe("echo \\\\~{x}");
  });
  test("tabs are one character each", () => {
    const { tree } = parseDocument({
      name: "t",
      text: "version 1.0\ntask t {\n\tcommand <<<\n\t\ta\n\t\t\tb\n\t>>>\n}\n",
    });
    expect(flat(tree.tasks[0]?.command?.parts ?? [])).toBe("a\n\tb");
  });
  test("placeholder options are kept next to the expression", () => {
    const { tasks } = document(
      'version 1.0\ntask t { command { ~{sep=", " xs} ~{true="a" false=\'b\' y} ~{default=3 z} } }',
    );
    const options = tasks[0]?.command?.parts.flatMap((part) =>
      part.kind === "placeholder" ? [part.options] : [],
    );
    expect(options?.map((each) => each.map((option) => option.kind))).toEqual([
      ["sep"],
      ["true", "false"],
      ["default"],
    ]);
  });
  test("sep as a function is not an option", () => {
    expect(command('<<< ~{sep(" ", xs)} >>>')).toBe('~{sep(" ", xs)}');
  });
});

describe("types", () => {
  test.each(["Array[File]+?", "Map[String, Array[Pair[Int, Float?]]]", "Directory?", "Sample", "Object"])(
    "%s",
    (source) => {
      const { type, diagnostics } = parseTypeText({ name: "t", text: source }, "1.2");
      expect(diagnostics).toEqual([]);
      expect(printTypeNode(type)).toBe(source);
    },
  );
  test("Directory is a user's name before 1.2", () => {
    expect(parseTypeText({ name: "t", text: "Directory" }, "1.1").type.kind).toBe("named");
  });
});

describe("documents", () => {
  test("the version line decides, comments may stand before it", () => {
    expect(document("# hello\n\nversion 1.1 # this one\n").version).toBe("1.1");
    expect(document("version draft-3\n").version).toBe("1.0");
    expect(document("version 1.2.1\n").version).toBe("1.2");
    expect(document("task t { command {} }").version).toBe("draft-2");
  });
  test("draft-2 inputs are the declarations without a value", () => {
    const { tasks } = document("task t {\n  Int x\n  Int? y\n  Int z = 3\n  command {}\n}");
    expect(tasks[0]?.inputs.map((each) => each.name.text)).toEqual(["x", "y"]);
    expect(tasks[0]?.declarations.map((each) => each.name.text)).toEqual(["z"]);
  });
  test("draft-2 outputs may be calls", () => {
    const { workflows } = document(
      "workflow w {\n  call a\n  output {\n    a.x\n    a.*\n    File f = a.y\n  }\n}",
    );
    expect(workflows[0]?.outputSelectors).toMatchObject([
      { path: [{ text: "a" }, { text: "x" }], wildcard: false },
      { path: [{ text: "a" }], wildcard: true },
    ]);
    expect(workflows[0]?.outputs).toHaveLength(1);
  });
  test("calls", () => {
    const { workflows } = document(
      "version 1.2\nworkflow w {\n  call a\n  call ns.b as c after a { x = 1, y, }\n  call d { input: z = 2 }\n  call e {}\n}",
    );
    expect(workflows[0]?.body).toMatchObject([
      { kind: "call", callee: [{ text: "a" }], inputs: [] },
      {
        callee: [{ text: "ns" }, { text: "b" }],
        alias: { text: "c" },
        after: [{ text: "a" }],
        inputs: [{ shorthand: false }, { shorthand: true, expression: { kind: "name", name: "y" } }],
      },
      { inputs: [{ name: { text: "z" } }] },
      { inputs: [] },
    ]);
  });
  test("env declarations, and env as a name", () => {
    const { tasks } = document(
      "version 1.2\ntask t {\n  input {\n    env String a\n    Int env = 1\n  }\n  command <<< >>>\n}",
    );
    expect(tasks[0]?.inputs.map((each) => [each.name.text, each.env])).toEqual([
      ["a", true],
      ["env", false],
    ]);
  });
  test("imports", () => {
    const { imports } = document('version 1.0\nimport "a/b.wdl" as ns alias X as Y alias Z as W\n');
    expect(imports[0]).toMatchObject({
      uri: "a/b.wdl",
      namespace: { text: "ns" },
      aliases: [{ from: { text: "X" }, to: { text: "Y" } }, {}],
    });
  });
  test("metadata is plain data", () => {
    const { tasks } = document(
      'version 1.0\ntask t {\n  command {}\n  meta {\n    a: "~{x}"\n    b: [1, -2.5, true, null]\n    c: {d: {}}\n  }\n}',
    );
    expect(tasks[0]?.meta?.entries.map((each) => each.value)).toMatchObject([
      { kind: "string", value: "~{x}" },
      { kind: "array", items: [{ value: 1n }, { value: -2.5 }, { value: true }, { kind: "null" }] },
      { kind: "object", entries: [{ name: { text: "d" } }] },
    ]);
  });
  test("a byte order mark and carriage returns are accepted", () => {
    expect(document("\ufeffversion 1.0\r\nworkflow w {\r\n  Int x = 1\r\n}\r\n").workflows).toHaveLength(1);
  });
});

describe("separators of other languages", () => {
  const inputs = (text: string) => {
    const source = { name: "x.wdl", text: `version 1.1\ntask t {\n  input { ${text} }\n  command {}\n}` };
    const { tree, diagnostics } = parseDocument(source);
    const names = tree.tasks[0]?.inputs.map((each) => each.name.text);
    return { names, messages: diagnostics.map(({ message, help }) => `${message}; ${help}`) };
  };
  test.each([
    ["String name; File f", "semicolon"],
    ["String name;\n File f;;", "semicolon"],
    ["String name = 'x', File f", "comma"],
  ])("%j: one message, and no declaration is lost", (text, what) => {
    expect(inputs(text)).toEqual({
      names: ["name", "f"],
      messages: [`declarations are separated by line breaks; remove the ${what}`],
    });
  });
  test("after sections, calls and imports as well", () => {
    const text =
      'version 1.1\nimport "a.wdl" as a;\nworkflow w {\n  call a.t as u { input: x = 1 };\n  output { Int x = u.x; };\n};\n';
    const { tree, diagnostics } = parseDocument({ name: "x.wdl", text });
    expect(diagnostics.map((each) => each.code)).toEqual(Array(3).fill("wdl-separator"));
    expect(tree.workflows[0]?.outputs).toHaveLength(1);
  });
});
