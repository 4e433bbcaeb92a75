/** Evaluates the text of a script in tests: its last value as text. */

import { callStatic, classNames } from "../../stdlib/statics.ts";
import type { Statement } from "../../syntax/ast.ts";
import { parseScript } from "../../syntax/script.ts";
import { textOf } from "../../values/text.ts";
import type { Value } from "../../values/thing.ts";
import { Throwable } from "../../values/throwable.ts";
import { ClassValue } from "../class-value.ts";
import { prototypeOf, ScriptClosure } from "../script-closure.ts";
import { compilers } from "../statement.ts";
import { Limits, type Unit } from "../unit.ts";

/** The text has syntax errors. */
export class Unread extends Error {
  override readonly name = "Unread";
}

export function evaluate(text: string): Value {
  const { script, diagnostics } = parseScript({ name: "test.nf", text });
  if (diagnostics.length > 0) throw new Unread(diagnostics.map(({ message }) => message).join("\n"));
  const variables = new Map<string, Value>();
  const unit: Unit = {
    source: script.source,
    limits: new Limits(),
    compilers,
    globals: {
      lookup: (name) =>
        variables.get(name) ??
        (classNames.has(name)
          ? new ClassValue(name, (method, given) => callStatic(name, method, given))
          : undefined),
      assign: (name, value) => {
        variables.set(name, value);
        return true;
      },
      method: () => undefined,
      create: (type, given) => new Throwable(type, String(given[0])),
      convert: () => undefined,
    },
  };
  const prototype = prototypeOf(
    unit,
    undefined,
    { parameters: [], body: script.items as readonly Statement[] },
    "",
  );
  return new ScriptClosure(prototype, undefined).call([]);
}

export function shown(text: string): string {
  try {
    return textOf(evaluate(text));
  } catch (error) {
    return `! ${error instanceof Error ? error.message : String(error)}`;
  }
}
