/** `groovy.text.SimpleTemplateEngine`: texts with `$x`, `${…}`, `<%= … %>` and `<% … %>`. */
import { contentOf } from "../stdlib/content.ts";
import type { Statement } from "../syntax/ast.ts";
import { parseScript } from "../syntax/script.ts";
import type { Closure } from "../values/closure.ts";
import { GroovyMap } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";

export class TemplateEngine extends Unique {
  readonly type = "SimpleTemplateEngine";
  readonly #compile: (statements: readonly Statement[]) => Closure;

  constructor(compile: (statements: readonly Statement[]) => Closure) {
    super();
    this.#compile = compile;
  }

  override invoke(name: string, [source = null]: readonly Value[]): Value | undefined {
    if (name !== "createTemplate") return undefined;
    const text = source instanceof Path ? contentOf(source) : textOf(source);
    const { script, diagnostics } = parseScript({ name: "template", text: scriptOf(text) });
    const [problem] = diagnostics;
    if (problem !== undefined)
      fail("TemplateExecutionException", `the template cannot be read: ${problem.message}`);
    return new Template(this.#compile(script.items as readonly Statement[]));
  }
}

const out = "template_out";

/** The template as statements that add to a list of texts. */
function scriptOf(text: string): string {
  let script = "";
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf("<%", at);
    const plain = text.slice(at, start < 0 ? undefined : start);
    if (plain !== "") script += `${out} << """${plain.replaceAll('"', '\\"')}"""\n`;
    if (start < 0) break;
    const end = text.indexOf("%>", start);
    const code = text.slice(start + 2, end < 0 ? undefined : end);
    script += code.startsWith("=") ? `${out} << ("" + (${code.slice(1)}))\n` : `${code.trim()}\n`;
    at = end < 0 ? text.length : end + 2;
  }
  return script;
}

class Template extends Unique {
  readonly type = "Template";
  readonly #closure: Closure;

  constructor(closure: Closure) {
    super();
    this.#closure = closure;
  }

  override invoke(name: string, [binding = null]: readonly Value[]): Value | undefined {
    if (name !== "make") return undefined;
    const names = binding instanceof GroovyMap ? binding : new GroovyMap();
    const parts: Value[] = [];
    const own = new Map<string, Value>([[out, parts]]);
    this.#closure
      .bound(
        {
          lookup: (each) => own.get(each) ?? names.at(each),
          assign: (each, value) => {
            own.set(each, value);
            return true;
          },
          method: () => undefined,
        },
        "delegate first",
      )
      .call([]);
    return parts.map(textOf).join("");
  }
}
