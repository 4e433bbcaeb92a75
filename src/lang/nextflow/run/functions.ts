/** Functions that every script has. */

import { optionsFrom } from "../channels/factories.ts";
import { filesOf } from "../channels/find-files.ts";
import { isPattern } from "../channels/glob.ts";
import { GroupKey } from "../channels/group-key.ts";
import { format } from "../stdlib/format.ts";
import type { Outside } from "../stdlib/outside.ts";
import { Closure } from "../values/closure.ts";
import { GroovyMap } from "../values/map.ts";
import { asInt } from "../values/number.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { ExitRequest, fail, illegal } from "../values/throwable.ts";

export type ScriptFunction = (given: readonly Value[], outside: Outside) => Value;

export const scriptFunctions: Readonly<Record<string, ScriptFunction>> = {
  branchCriteria: ([closure = null]) => closure,
  multiMapCriteria: ([closure = null]) => closure,
  env: ([name = null], outside) => outside.env(textOf(name)) ?? null,
  error: ([message = null]) => fail("WorkflowScriptErrorException", message === null ? "" : textOf(message)),
  exit: (given) => {
    const [first = null, second = null] = given;
    const code = typeof first === "number" ? first : 0;
    throw new ExitRequest(code, textOf(typeof first === "number" ? (second ?? "") : (first ?? "")));
  },
  file: (given, outside) => {
    const found = files(given, outside);
    const [what] = positional(given);
    const glob =
      !(what instanceof Path) && isPattern(textOf(what ?? "")) && optionsIn(given).at("glob") !== false;
    return glob || isList(what) ? found : (found[0] ?? null);
  },
  files: (given, outside) => files(given, outside),
  groupKey: ([key = null, size = null]) => new GroupKey(key, asInt(size, "the size of a group")),
  print: (given, outside) => printed(given.map(textOf).join(""), outside),
  printf: ([pattern = "", ...given], outside) => printed(format(textOf(pattern), given), outside),
  sprintf: ([pattern = "", ...given]) => format(textOf(pattern), given),
  println: (given, outside) => printed(`${given.map(textOf).join("")}\n`, outside),
  record: ([first = null]) =>
    first instanceof GroovyMap ? new GroovyMap(first.entries(), "Record") : new GroovyMap([], "Record"),
  sendMail: (_, outside) => {
    outside.log("warn", "mail is not sent");
    return null;
  },
  sleep: () => null,
  tuple: (given) => (given.length === 1 && isList(given[0]) ? [...given[0]] : [...given]),
};

function printed(text: string, outside: Outside): Value {
  outside.print(text);
  return null;
}

function optionsIn(given: readonly Value[]): GroovyMap {
  return given.find((each) => each instanceof GroovyMap) ?? new GroovyMap();
}

function positional(given: readonly Value[]): readonly Value[] {
  return given.filter((each) => !(each instanceof GroovyMap) && !(each instanceof Closure));
}

function files(given: readonly Value[], outside: Outside): Value[] {
  const [what = null] = positional(given);
  if (what === null || what === "") illegal("Argument of `file` function cannot be null or empty");
  const options = optionsFrom(optionsIn(given));
  return (isList(what) ? what : [what]).flatMap((each) => filesOf(each, options, outside));
}
