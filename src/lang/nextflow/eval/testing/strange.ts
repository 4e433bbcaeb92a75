/** Code of all kinds for tests that look for what no script may do: end in an error of Memoir's own, or never end. */
import fc from "fast-check";
import { closureMethods } from "../../stdlib/closure.ts";
import { listMethods } from "../../stdlib/list.ts";
import { mapMethods } from "../../stdlib/map.ts";
import { matcherMethods } from "../../stdlib/matcher.ts";
import { numberMethods } from "../../stdlib/number.ts";
import { objectMethods } from "../../stdlib/object.ts";
import { textMethods } from "../../stdlib/text.ts";
import { textOf } from "../../values/text.ts";
import { ScriptFailure } from "../../values/throwable.ts";
import { timeLimit } from "../time-limit.ts";
import { evaluate, Unread } from "./evaluate-text.ts";

/** Values where operators and methods have their corners. */
export const values: readonly string[] = [
  ..."null true false 0 1 -1 2147483647 -2147483648 99999999999L (1G<<70) 1.5 -0.0d (0.0d/0.0d) (1.0d/0.0d)".split(
    " ",
  ),
  ..."1e300 'a' '' '1.5' '%s%d' ('x'*50) [] [1,2,3] [[1,2],[3]] [null] ['b','a'] [1,'a',null,[]] [a:1] [:]".split(
    " ",
  ),
  ..."[a:[b:2]] (1..3) (3..1) ('a'..'c') (1..<1) ~/a+/ {it} ('ab'=~/(b)/) ('ab'=~/z/) 1.GB 2.h Math Integer".split(
    " ",
  ),
  "'a,b c'",
  "'\\u0000'",
  "{ a, b -> a }",
  "{ -> 1 }",
  "{ throw new Exception('x') }",
  "([1, 2] as Set)",
  "new Exception('m')",
];
const operators = "+ - * / % ** == != < <=> .. ..< in =~ ==~ << >> >>> & | ^ ?: && || += -= *= <<= ?=".split(
  " ",
);
const types =
  "int Integer long double Float BigDecimal BigInteger String Boolean List Set Map MemoryUnit Duration Object char Foo".split(
    " ",
  );
const methods = [
  ...new Set(
    [
      listMethods,
      mapMethods,
      textMethods,
      numberMethods,
      objectMethods,
      closureMethods,
      matcherMethods,
    ].flatMap((each) => Object.keys(each)),
  ),
].filter((each) => each !== "sleep");
const classes = "Math Integer Long Double String Boolean Collections Arrays Character BigDecimal".split(" ");
const statics = "valueOf parseInt max min abs floor round pow sqrt format join toString asList nCopies".split(
  " ",
);

const value = fc.constantFrom(...values);
const given = fc.array(value, { maxLength: 3 }).map((all) => all.join(", "));

const code: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(value, fc.constantFrom(...operators), value)
    .map(([a, how, b]) => `def a = (${a}); return a ${how} (${b})`),
  fc.tuple(value, value, value).map(([a, b, c]) => `def a = (${a}); a[${b}] = ${c}; return a[${b}, ${c}]`),
  fc.tuple(value, value).map(([a, b]) => `def a = (${a}); return a[${b}]`),
  fc.tuple(value, fc.constantFrom(...types)).map(([a, type]) => `return (${a}) as ${type}`),
  fc.tuple(value, value).map(([a, b]) => `switch (${a}) { case ${b}: return 1; default: return "\${${b}}" }`),
  value.map((a) => `def (x, y) = (${a}); def a = (${a}); a++; [*a, -a, !a, x, y]`),
  fc.tuple(value, given).map(([a, all]) => `def f = (${a}); f(${all})`),
  fc
    .tuple(value, fc.constantFrom(...methods), given)
    .map(([a, name, all]) => `def a = (${a}); a.${name}(${all})`),
  fc
    .tuple(value, fc.constantFrom(...methods))
    .map(([a, name]) => `def a = (${a}); a*.${name}() + a?.${name}`),
  fc
    .tuple(fc.constantFrom(...classes), fc.constantFrom(...statics), given)
    .map(([a, name, all]) => `${a}.${name}(${all})`),
);
/** What one statement leaves is used by the next. */
export const program = fc.oneof(
  code,
  fc
    .tuple(code, fc.constantFrom(...methods), given)
    .map(([first, name, all]) => `def g = { ${first} }; g().${name}(${all})`),
);

const hangMs = 20_000;
const limit = timeLimit(hangMs);

/** What a script may not do; undefined: it ended in a value, or in a failure of the script. */
export function strangeEnd(work: () => unknown): string | undefined {
  try {
    limit(work);
    return undefined;
  } catch (error) {
    if (!(error instanceof ScriptFailure)) return error instanceof Error ? error.stack : String(error);
    return error.message.includes("did not get further") ? "it does not end" : undefined;
  }
}

export function strangeProgram(text: string): string | undefined {
  // Code that is not read is a diagnostic, not a run.
  return strangeEnd(() => {
    try {
      textOf(evaluate(text));
    } catch (error) {
      if (!(error instanceof Unread)) throw error;
    }
  });
}
