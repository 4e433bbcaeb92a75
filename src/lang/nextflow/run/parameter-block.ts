/** `params { name: Type = value }`: what was given is checked against the declarations, and has their types afterwards. */
import { cast } from "../eval/cast.ts";
import type { Item, TypedParameter } from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";
import { GroovyMap } from "../values/map.ts";
import { isNumber } from "../values/number.ts";
import { cleaned, Path, schemeOf } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { ScriptFailure } from "../values/throwable.ts";
import { isInstance, typeName } from "../values/type-name.ts";
import { ConfigProblem } from "./config-problem.ts";
import type { Module } from "./module.ts";
import type { Session } from "./session.ts";

export function applyParameterBlocks(main: Module, session: Session): void {
  const blocks = main.script.items.filter(
    (each): each is Item & { kind: "params" } => each.kind === "params",
  );
  const [first] = blocks;
  if (first === undefined) return;
  const { source } = main.script;
  const declared = blocks.flatMap(({ parameters }) => parameters);
  for (const name of session.given)
    if (!declared.some((each) => each.name.text === name) && !session.configured.has(name))
      throw new ConfigProblem(
        wrong.evaluation(
          { source, span: first.span },
          `Parameter \`${name}\` was specified on the command line or params file but is not declared in the script or config`,
        ),
      );
  for (const each of declared) {
    const { name, type, value } = each;
    if (!session.params.has(name.text)) {
      const initial =
        value !== undefined
          ? main.closure([{ kind: "expression", span: value.span, expression: value }]).call([])
          : type?.name === "Boolean"
            ? false
            : null;
      if (initial === null && type?.optional !== true)
        throw new ConfigProblem(
          wrong.missing(
            { source, span: name.span },
            `Parameter \`${name.text}\` is required but was not specified on the command line, params file, or config`,
          ),
        );
      session.params.put(name.text, initial);
    }
    const given = session.params.at(name.text) ?? null;
    if (type === undefined || given === null) continue;
    const typed = typedValue(given, type.name, session);
    if (typed === undefined || !fits(typed, each))
      throw new ConfigProblem(
        wrong.evaluation(
          { source, span: name.span },
          `Parameter \`${name.text}\` with type ${type.name} cannot be assigned to ${textOf(given)} [${typeName(given)}]`,
        ),
      );
    session.params.replace(name.text, typed);
  }
}

/** Texts of a command line become what is declared; undefined: they cannot. */
function typedValue(value: Value, type: string, session: Session): Value | undefined {
  if (type === "String" && (isNumber(value) || typeof value === "boolean")) return textOf(value);
  if (typeof value !== "string") return value;
  try {
    switch (type) {
      case "Boolean":
        return /^(?:true|false)$/i.test(value) ? value.toLowerCase() === "true" : value;
      case "Integer":
        return /^[+-]?\d+$/.test(value) ? cast(value, "Long") : value;
      case "Float":
        return cast(value, "Double");
      case "Duration":
      case "MemoryUnit":
        return cast(value, type);
      case "Path": {
        const { files } = session.outside;
        const absolute = value.startsWith("/") || schemeOf(value) !== undefined;
        return new Path(absolute ? value : cleaned(`${files.launchDir}/${value}`), files);
      }
      default:
        return value;
    }
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    return undefined;
  }
}

function fits(value: Value, { type }: TypedParameter): boolean {
  switch (type?.name) {
    case "Boolean":
      return typeof value === "boolean";
    case "Integer":
      return typeof value === "number" || typeof value === "bigint" || typeName(value) === "BigInteger";
    case "Float":
      return isNumber(value);
    case "String":
      return typeof value === "string";
    case "Path":
      return value instanceof Path;
    case "Map":
      return value instanceof GroovyMap;
    case "Duration":
    case "MemoryUnit":
      return isInstance(value, type.name);
    // Elements of collections and members of records are not looked at.
    default:
      return true;
  }
}
