import { afterAll, describe, expect, it } from "vitest";
import { limitMs } from "../../../../test/limit.mjs";
import { freshAsk } from "../../../kernel/index.ts";
import { scanExpression } from "../load/scan-expression.ts";
import type { CwlVersion } from "../model/version.ts";
import { type CwlValue, cwlRecord } from "../values/value.ts";
import { createEvaluator } from "./create-evaluator.ts";
import type { EvalContext, Evaluator } from "./evaluator.ts";

const place = { source: { name: "test.cwl", text: "" }, span: { start: 0, end: 0 } };

function expr(text: string, version: CwlVersion = "v1.2") {
  const scanned = scanExpression(text, version, place);
  if (scanned.kind === "open") throw new Error(`does not end: ${text}`);
  return scanned.expr;
}

const context: EvalContext = {
  inputs: cwlRecord([
    ["n", 3],
    ["big", 9007199254740993n],
    ["small", 1e-9],
    ["names", ["a", "b"]],
    ["none", null],
    ["length", "own"],
    ["file", { class: "File", basename: "x.txt", held: { kind: "file", location: "/x", basename: "x.txt" } }],
  ]),
  self: "me",
  runtime: { cores: 2 },
  javascript: { expressionLib: [] },
};

async function run(
  evaluator: Evaluator,
  text: string,
  extra: Partial<EvalContext> = {},
  version: CwlVersion = "v1.2",
) {
  return evaluator.evaluate(expr(text, version), { ...context, ...extra }, freshAsk());
}

async function value(
  evaluator: Evaluator,
  text: string,
  extra: Partial<EvalContext> = {},
): Promise<CwlValue> {
  const answer = await run(evaluator, text, extra);
  if (answer.kind === "fault") throw new Error(`${answer.fault.code}: ${answer.fault.message}`);
  return answer.value;
}

async function faultCode(evaluator: Evaluator, text: string, extra: Partial<EvalContext> = {}) {
  const answer = await run(evaluator, text, extra);
  return answer.kind === "fault" ? answer.fault.code : `value ${JSON.stringify(answer.value)}`;
}

const off = { javascript: undefined };

describe("parameter references", () => {
  const evaluator = createEvaluator();
  afterAll(() => evaluator.close());

  it.each([
    ["$(inputs.n)", 3],
    [" $(inputs.n)\n", 3],
    ["$(inputs.big)", 9007199254740993n],
    ["$(inputs.names[1])", "b"],
    ["$(inputs['names'].length)", 2],
    ['$(inputs["n"])', 3],
    ["$(inputs.none)", null],
    ["$(null)", null],
    ["$(inputs.length)", "own"],
    ["$(self)-$(runtime.cores)", "me-2"],
    ["$(inputs.big)!", "9007199254740993!"],
    ["$(inputs.small)!", "0.000000001!"],
    ["$(inputs.names)!", '["a", "b"]!'],
    ["plain \\ text", "plain \\ text"],
    ["\\$(inputs.n) \\\\ $(inputs.n)", "$(inputs.n) \\ 3"],
  ])("%s is evaluated without JavaScript", async (text, expected) => {
    expect(await value(evaluator, text, off)).toEqual(expected);
  });

  it.each([
    "$(inputs.missing)",
    "$(null.x)",
    "$(inputs.n.length)",
    "$(inputs.names[2])",
    "$(other)",
    "$(inputs.file.held)",
  ])("%s leads nowhere", async (text) => {
    expect(await faultCode(evaluator, text, off)).toBe("reference");
  });

  it("JavaScript is refused where it is not asked for", async () => {
    expect(await faultCode(evaluator, "$(1 + 1)", off)).toBe("javascript-off");
    expect(await faultCode(evaluator, "${ return 1 }", off)).toBe("javascript-off");
  });

  it("in v1.0 a backslash protects whatever follows", async () => {
    const answer = await run(evaluator, "\\n\\$(inputs.n)$(inputs.n)", off, "v1.0");
    expect(answer).toEqual({ kind: "value", value: "n$(inputs.n)3" });
  });

  it("white space around a sole expression counts where the text is exact", async () => {
    expect(await value(evaluator, "$(inputs.n)\n", { ...off, exactText: true })).toBe("3\n");
  });
});

describe.each(["vm", "quickjs"] as const)("JavaScript by %s", (engine) => {
  const heapMiB = 48;
  const evaluator = createEvaluator({ engine, limits: { timeMs: limitMs, heapMiB } });
  /** For what never ends by itself. On a busy machine a short limit may end something else, too. */
  const hasty = createEvaluator({ engine, limits: { timeMs: 500, heapMiB } });
  /** For what uses up memory, which may take any time. */
  const bombed = createEvaluator({ engine, limits: { timeMs: 3_000, heapMiB } });
  afterAll(() => Promise.all([evaluator.close(), hasty.close(), bombed.close()]));

  it.each([
    ["$(1 + inputs.n)", 4],
    ["${ return inputs.names.map(function (each) { return each + '}'; }); }", ["a}", "b}"]],
    ["$(inputs.names.join(\")\"))-$('x')", "a)b-x"],
    ["$(inputs.n /* it's } ) */ + 1)", 4],
    ["$('a/b'.replace(/[/')]/g, \"-\"))", "a-b"],
    ["${ // isn't it\n return inputs.n / 3; }", 1],
    ["$(`${inputs.n})`)", "3)"],
    ["$({a: [1, {b: null}]})", { a: [1, { b: null }] }],
    ["$(undefined)", null],
    ["$(inputs.missing)", null],
    ["$(new Date('2020-01-02T00:00:00Z').toISOString())", "2020-01-02T00:00:00.000Z"],
    ["$(new Date(2020, 0, 2, 3).toISOString())", "2020-01-02T03:00:00.000Z"],
    ["$(new Date('2020-01-02T03:04').getHours())", 3],
    ["$(new Date('2020-01-02T03:04:00+01:00').getHours())", 2],
    ["$(new Date('2020-01-02').getTimezoneOffset())", 0],
    ["$(new Date(0) + '')", "Thu, 01 Jan 1970 00:00:00 GMT"],
    ["$(new Date(0) instanceof Date)", true],
    ["$(['b', 'a', 'c'].sort(function (x, y) { return x.localeCompare(y); }).join(''))", "abc"],
    ["$(new Function('a', 'b', 'return a + b')(1, inputs.n))", 4],
    ["$((function () {}) instanceof Function)", true],
    ["$(typeof inputs.file.held)", "undefined"],
    ["$(JSON.stringify(inputs.names))", '["a","b"]'],
  ])("%s is evaluated", async (text, expected) => {
    expect(await value(evaluator, text)).toEqual(expected);
  });

  it("a library sees what its expressions see, also while it is loaded", async () => {
    const late = { javascript: { expressionLib: ["function twice() { return inputs.n * 2; }"] } };
    const early = { javascript: { expressionLib: ["var doubled = inputs.n * 2;"] } };
    for (const n of [1, 2]) {
      expect(await value(evaluator, "$(twice())", { ...late, inputs: { n } })).toBe(n * 2);
      expect(await value(evaluator, "$(doubled)", { ...early, inputs: { n } })).toBe(n * 2);
    }
  });

  it("a file that an expression makes cannot claim to be held by the engine", async () => {
    const made = "$({class: 'File', location: 'file:///x', held: {sha256: 'forged'}})";
    expect(await value(evaluator, made)).toEqual({ class: "File", location: "file:///x" });
    expect(await value(evaluator, "$({held: 1})")).toEqual({ held: 1 });
  });

  it("a library is there in its expressions, and only there", async () => {
    const library = {
      javascript: { expressionLib: ["var base = 10;", "function plus(x) { return base + x; }"] },
    };
    expect(await value(evaluator, "$(plus(inputs.n))", library)).toBe(13);
    expect(await faultCode(evaluator, "$(plus(inputs.n))")).toBe("exception");
  });

  it("nothing that an expression leaves behind is seen by another", async () => {
    await value(evaluator, "${ globalThis.left = 1; inputs.n = 7; return 0; }");
    expect(await value(evaluator, "$(typeof left + inputs.n)")).toBe("undefined3");
    await run(evaluator, "${ Array.prototype.map = function () { return 'x'; }; return 0; }");
    expect(await value(evaluator, "$([1].map(function (x) { return x; }))")).toEqual([1]);
  });

  it.each([
    ["$(new Date().getTime())", "the clock"],
    ["$(Date.now())", "the clock"],
    ["$(Math.random())", "a random number"],
  ])("%s is marked as something that may differ next time", async (text, reason) => {
    expect(await run(evaluator, text)).toMatchObject({ kind: "value", impure: reason });
  });

  it.each([
    ["$(1 +)", "syntax"],
    ["${ throw new Error('no') }", "exception"],
    ["${ throw null }", "exception"],
    ["${ undeclared = 1; return 1; }", "exception"],
    ["$((function f() { return f() + 1; })())", "exception"],
    ["${ var a = {}; a.a = a; return a; }", "exception"],
  ])("%s is a fault: %s", async (text, code) => {
    expect(await faultCode(evaluator, text)).toBe(code);
    expect(await value(evaluator, "$(1 + 1)")).toBe(2);
  });

  it.each(["${ for (;;) {} }", "$(/(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'))"])(
    "%s is a fault: time",
    async (text) => {
      expect(await faultCode(hasty, text)).toBe("time");
      await expect.poll(() => value(hasty, "$(1 + 1)")).toBe(2);
    },
  );

  it("endless libraries and large ones are faults, too", async () => {
    const lib = (text: string) => ({ javascript: { expressionLib: [text] } });
    expect(await faultCode(hasty, "$(1 + 1)", lib("for (;;) {}"))).toBe("time");
    expect(await faultCode(hasty, "$(f())", lib("function f() { for (;;) {} }"))).toBe("time");
    await expect.poll(() => value(hasty, "$(1 + 1)")).toBe(2);
    const bomb = "var all = []; for (;;) all.push(new Array(1000).fill(all.length));";
    expect(["memory", "time"]).toContain(await faultCode(bombed, "$(1 + 1)", lib(bomb)));
    await expect.poll(() => value(bombed, "$(1 + 1)")).toBe(2);
  });

  it("libraries that hold much memory each do not add up", async () => {
    for (let n = 0; n < 10; n++) {
      const held = `var all = []; for (var i = 0; i < 1000; i++) all.push(new Array(1000).fill(${n})); `;
      const library = { javascript: { expressionLib: [`${held} var count = all.length;`] } };
      expect(await value(evaluator, `$(count + ${n} + 0)`, library)).toBe(1000 + n);
    }
  });

  it("what a promise leaves running does not harm the next expression", async () => {
    const endless =
      "${ Promise.resolve().then(function f() { return Promise.resolve().then(f); }); return 1; }";
    await expect.poll(() => value(hasty, endless)).toBe(1);
    await expect.poll(() => value(hasty, "$(1 + 1)")).toBe(2);
    expect(await value(evaluator, "${ Promise.reject(new Error('lost')); return 1; }")).toBe(1);
    expect(await value(evaluator, "$(1 + 1)")).toBe(2);
  });

  it("a memory bomb ends in a fault, and others asked at the same time are answered", async () => {
    const [before, bomb, after] = await Promise.all([
      value(bombed, "$(1 + 1)"),
      faultCode(bombed, "${ var all = []; for (;;) all.push(new Array(1000).fill(all.length)); }"),
      value(bombed, "$(2 + 2)"),
    ]);
    expect([before, after]).toEqual([2, 4]);
    expect(["memory", "time"]).toContain(bomb);
  });

  it.each([
    "$(this.constructor.constructor('return process')().pid)",
    "$(inputs.constructor.constructor('return process')().pid)",
    "$(globalThis.constructor.constructor('return process')().pid)",
    "$((function () {}).constructor('return process')().pid)",
    "$(Object.getPrototypeOf(async function () {}).constructor('return process')().pid)",
    "$(eval('process').pid)",
    "$(process.pid)",
    "$(require('fs').readdirSync('/'))",
    "${ import('fs').catch(function (e) { return e.constructor.constructor('return process')(); }); return process.pid; }",
    "${ try { (function f() { f(); })(); } catch (e) { return e.constructor.constructor('return process')().pid; } }",
    "${ Error.prepareStackTrace = function (e, sites) { return sites; }; return new Error().stack[0].getThis().process.pid; }",
    "${ return new Proxy({}, { get: function (t, n, r) { return r.constructor.constructor('return process')().pid; } }).x; }",
    "${ return WebAssembly.Memory.name + new SharedArrayBuffer(8); }",
    "$(new Function('return process.pid')())",
    "$(new Function('', '}), process.pid, (function () {')())",
    "${ return new Function('return import(\"fs\")')() && process.pid; }",
    "${ try { new Function('(')(); } catch (e) { return e.constructor.constructor('return process')().pid; } }",
    "${ try { (function f() { new Function('return 1')(f()); })(); } catch (e) { return e.constructor.constructor('return process')().pid; } }",
    "$(Function.prototype.constructor('return process')().pid)",
    "$(arguments.callee.caller.constructor('return process')().pid)",
  ])("%s does not get out", async (text) => {
    expect(await faultCode(evaluator, text)).toMatch(/^(exception|syntax)$/);
  });
});

it("one thousand expressions asked at once are all answered in order", async () => {
  const evaluator = createEvaluator();
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, n) => value(evaluator, "$(inputs.n * 2)", { inputs: { n } })),
  );
  expect(answers).toEqual(Array.from({ length: 1000 }, (_, n) => n * 2));
  await evaluator.close();
});

it("an ask that ends ends its evaluations, and no others", async () => {
  const evaluator = createEvaluator();
  const controller = new AbortController();
  const slow = evaluator.evaluate(expr("${ for (var i = 0; i < 3e8; i++) {} return 1; }"), context, {
    signal: controller.signal,
  });
  const other = value(evaluator, "$(inputs.n + 1)");
  controller.abort();
  await expect(slow).rejects.toMatchObject({ code: "RUN_INTERRUPTED" });
  expect(await other).toBe(4);
  await evaluator.close();
});

it("evaluations under way when the evaluator is closed answer a fault", async () => {
  const evaluator = createEvaluator();
  const pending = faultCode(evaluator, "${ for (;;) {} }");
  await value(evaluator, "$(inputs.n)");
  await new Promise((resolve) => setImmediate(resolve));
  await evaluator.close();
  expect(await pending).toBe("closed");
});
