/** The evaluator: references directly, the rest by an engine that is started when it is first needed. */
import { AppError, type Ask, defined } from "../../../kernel/index.ts";
import type { Expr, ExprPart } from "../model/expression.ts";
import { parseValue, plainJson, textInside } from "../values/text.ts";
import type { CwlRecord } from "../values/value.ts";
import type { EvalContext, EvalFault, Evaluated, Evaluator } from "./evaluator.ts";
import { defaultJsLimits, type JsAnswer, type JsEngine, type JsLimits } from "./js-engine.ts";
import { followReference } from "./reference.ts";

export interface EvaluatorOptions {
  /** `vm` (default): Node's own, fast. `quickjs`: stricter, for untrusted documents. */
  readonly engine?: "vm" | "quickjs";
  readonly limits?: Partial<JsLimits>;
}

export function createEvaluator(options: EvaluatorOptions = {}): Evaluator {
  const limits = { ...defaultJsLimits, ...options.limits };
  // Records are immutable, and those of a call are asked about again and again.
  const texts = new WeakMap<CwlRecord, string>();
  const jsonOf = (record: CwlRecord) => {
    const known = texts.get(record) ?? plainJson(record);
    texts.set(record, known);
    return known;
  };
  let engine: Promise<JsEngine> | undefined;
  const started = () => {
    engine ??= options.engine === "quickjs" ? startQuickJs(limits) : startVm(limits);
    return engine;
  };
  const run: RunCode = async (code, context, expressionLib, ask) => {
    const { inputs, self, runtime } = context;
    const job = {
      ...code,
      expressionLib,
      inputs: jsonOf(inputs),
      self: plainJson(self),
      runtime: jsonOf(runtime),
    };
    return (await started()).run(job, ask);
  };
  return {
    evaluate: (expr, context, ask) => evaluate(expr, context, run, ask),
    async close() {
      const running = engine;
      engine = Promise.resolve(closedEngine);
      await (await running)?.close();
    },
  };
}

type RunCode = (
  code: { readonly form: "expression" | "body"; readonly code: string },
  context: EvalContext,
  expressionLib: readonly string[],
  ask: Ask,
) => Promise<JsAnswer>;

const closedEngine: JsEngine = {
  run: async () => ({ kind: "fault", code: "closed", message: "the engine was closed" }),
  close: async () => undefined,
};

async function startVm(limits: JsLimits): Promise<JsEngine> {
  const [{ createProcessEngine }, { prelude, vmProgram }] = await Promise.all([
    import("./process-engine.ts"),
    import("./sandbox-source.ts"),
  ]);
  return createProcessEngine({ source: vmProgram, data: { prelude }, limits, reads: "nothing" });
}

async function startQuickJs(limits: JsLimits): Promise<JsEngine> {
  const [{ createProcessEngine }, { prelude, quickJsProgram }] = await Promise.all([
    import("./process-engine.ts"),
    import("./sandbox-source.ts"),
  ]);
  let quickJs: string;
  try {
    quickJs = import.meta.resolve("quickjs-emscripten");
  } catch (cause) {
    throw new AppError("CWL_ENGINE_MISSING", "starting the expression engine quickjs: it is not installed", {
      cause,
    });
  }
  const data = { prelude, quickJs, heapBytes: limits.heapMiB * 1024 * 1024, timeMs: limits.timeMs };
  // The engine stops itself in time; the limit of its process is for the case that it cannot.
  return createProcessEngine({
    source: quickJsProgram,
    data,
    limits: { ...limits, timeMs: limits.timeMs * 2 },
    reads: "modules",
  });
}

async function evaluate(expr: Expr, context: EvalContext, run: RunCode, ask: Ask): Promise<Evaluated> {
  if (expr.sole && context.exactText !== true) {
    const part = expr.parts.find((each) => each.kind !== "literal");
    if (part !== undefined) return evaluatePart(part, expr, context, run, ask);
  }
  const [only] = expr.parts;
  if (expr.parts.length === 1 && only !== undefined && only.kind !== "literal")
    return evaluatePart(only, expr, context, run, ask);
  const answers = await Promise.all(expr.parts.map((part) => evaluatePart(part, expr, context, run, ask)));
  let text = "";
  let impure: string | undefined;
  for (const answer of answers) {
    if (answer.kind === "fault") return answer;
    text += textInside(answer.value);
    impure ??= answer.impure;
  }
  return { kind: "value", value: text, ...defined({ impure }) };
}

async function evaluatePart(
  part: ExprPart,
  expr: Expr,
  context: EvalContext,
  run: RunCode,
  ask: Ask,
): Promise<Evaluated> {
  if (part.kind === "literal") return { kind: "value", value: part.text };
  let code: { readonly form: "expression" | "body"; readonly code: string };
  if (part.kind === "ref") {
    const found = followReference(part, context);
    if (found.kind === "value") return found;
    if (context.javascript === undefined)
      return fault(expr, "reference", `evaluating $(${part.text}): ${found.message}`);
    code = { form: "expression", code: part.text };
  } else {
    code = part;
    if (context.javascript === undefined)
      return fault(
        expr,
        "javascript-off",
        `evaluating ${shown(part)}: it is not a parameter reference, and InlineJavascriptRequirement is missing`,
      );
  }
  const { expressionLib } = context.javascript;
  const answer = await run({ form: code.form, code: code.code }, context, expressionLib, ask);
  if (answer.kind === "fault")
    return fault(expr, answer.code, `evaluating ${shown(code)}: ${answer.message}`);
  const value = parseValue(answer.json);
  return { kind: "value", value, ...defined({ impure: answer.impure }) };
}

function shown(code: { readonly form: "expression" | "body"; readonly code: string }): string {
  const text = code.code.replace(/\s+/g, " ").trim();
  const short = text.length > 60 ? `${text.slice(0, 60)} …` : text;
  return code.form === "expression" ? `$(${short})` : `\${ ${short} }`;
}

function fault(expr: Expr, code: EvalFault["code"], message: string): Evaluated {
  return { kind: "fault", fault: { code, message, expr } };
}
