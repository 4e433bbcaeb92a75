/** Outputs whose patterns, names and commands are known, before the task runs. */
import type { CanonicalJson, OutputRule } from "../../../task/index.ts";
import { isPattern } from "../channels/glob.ts";
import { itemsOf } from "../eval/cast.ts";
import type { Expression } from "../syntax/ast.ts";
import { Closure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { asInt } from "../values/number.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail, illegal } from "../values/throwable.ts";
import type { OutputItem, OutputSpec, PathOutput } from "./output-spec.ts";

export type PlannedItem =
  | { readonly kind: "val"; readonly value: Expression }
  | PlannedPath
  | {
      readonly kind: "captured";
      readonly capture: "env" | "eval";
      readonly text: string;
      readonly file: string;
      readonly id: string;
    }
  | { readonly kind: "stdout"; readonly id: string };

export interface PlannedPath {
  readonly kind: "path";
  readonly id: string;
  readonly patterns: readonly string[];
  readonly glob: boolean;
  readonly type: "file" | "dir" | "any";
  readonly hidden: boolean;
  /** Whether patterns look into folders that are links. */
  readonly followLinks: boolean;
  readonly maxDepth: number | undefined;
  readonly includeInputs: boolean;
  readonly optional: boolean;
  readonly arity: Arity | undefined;
  readonly count: PathOutput["count"];
}

export interface Arity {
  readonly least: number;
  readonly most: number;
}

export interface PlannedOutput {
  readonly spec: OutputSpec;
  readonly items: readonly PlannedItem[];
}

export function planOutputs(
  specs: readonly OutputSpec[],
  evaluate: (node: Expression) => Value,
): readonly PlannedOutput[] {
  return specs.map((spec, output) => ({
    spec,
    items: spec.items.map((item, index) => planned(item, spec, `${output}.${index}`, evaluate)),
  }));
}

function planned(
  item: OutputItem,
  spec: OutputSpec,
  id: string,
  evaluate: (node: Expression) => Value,
): PlannedItem {
  switch (item.kind) {
    case "val":
      return item;
    case "stdout":
      return { kind: "stdout", id };
    case "env":
      return {
        kind: "captured",
        capture: "env",
        text: textOf(evaluate(item.name)),
        file: `.command.env.${id}`,
        id,
      };
    case "eval":
      return {
        kind: "captured",
        capture: "eval",
        text: textOf(evaluate(item.command)),
        file: `.command.eval.${id}`,
        id,
      };
    case "path":
      return plannedPath(item, spec, id, evaluate);
  }
}

function plannedPath(
  item: PathOutput,
  spec: OutputSpec,
  id: string,
  evaluate: (node: Expression) => Value,
): PlannedPath {
  const option = (name: string) => {
    const node = item.options.get(name);
    return node === undefined ? undefined : evaluate(node);
  };
  const patterns = patternsOf(evaluate(item.pattern));
  const type = option("type");
  const hidden = option("hidden");
  const depth = option("maxDepth");
  const arity = option("arity");
  const optional = isOptional(spec.optional, evaluate) || isOptional(item.options.get("optional"), evaluate);
  return {
    kind: "path",
    id,
    patterns,
    glob: truthOf(option("glob") ?? true),
    type: typeOf(type === undefined ? undefined : textOf(type), patterns),
    hidden:
      hidden === undefined
        ? patterns.some((each) => each.split("/").some((part) => part.startsWith(".")))
        : truthOf(hidden),
    followLinks: truthOf(option("followLinks") ?? true),
    maxDepth: depth === undefined ? undefined : asInt(depth, "the option maxDepth"),
    includeInputs: truthOf(option("includeInputs") ?? false),
    optional,
    arity:
      arity !== undefined
        ? parseArity(textOf(arity))
        : item.count === "one" && !optional
          ? { least: 1, most: 1 }
          : undefined,
    count: item.count,
  };
}

function isOptional(node: Expression | undefined, evaluate: (node: Expression) => Value): boolean {
  if (node === undefined) return false;
  const value = evaluate(node);
  return truthOf(value instanceof Closure ? value.call([]) : value);
}

function patternsOf(value: Value): readonly string[] {
  const found = (isList(value) ? itemsOf(value) : [value]).flatMap((each) => {
    // The name of a file is not a pattern.
    if (each instanceof Path) return [(each.staged ?? each.location).replace(/[\\*?[\]{}]/g, "\\$&")];
    return (
      textOf(each)
        .split(":")
        .map((text) => text.replace(/^\.\//, ""))
        // A pattern that ends in a slash matches nothing, a name that does is that of a folder.
        .map((text) => (isPattern(text) ? text : text.replace(/(?<=.)\/+$/, "")))
        .filter((text) => text !== "")
    );
  });
  for (const each of found)
    if (each.startsWith("/"))
      fail("IllegalArgumentException", `Process output pattern cannot be an absolute path: ${each}`);
  return found;
}

function typeOf(written: string | undefined, patterns: readonly string[]): PlannedPath["type"] {
  if (written === "file" || written === "dir" || written === "any") return written;
  return patterns.some((each) => each.includes("**")) ? "file" : "any";
}

export function parseArity(text: string): Arity {
  const found = /^(\d+)(?:\.\.(\d+|\*))?$/.exec(text.trim()) ?? illegal(`Not a valid arity: ${text}`);
  const least = Number(found[1]);
  const most =
    found[2] === undefined ? least : found[2] === "*" ? Number.POSITIVE_INFINITY : Number(found[2]);
  if (least === 0 && most === 1) illegal("Path arity 0..1 is not allowed");
  if (most < least) illegal(`Not a valid arity: ${text}`);
  return { least, most };
}

/** What enters the key: everything that decides what is kept of a task. */
export function outputRules(outputs: readonly PlannedOutput[]): readonly OutputRule[] {
  return outputs.flatMap(({ items }) => items.flatMap((item) => (item.kind === "val" ? [] : [ruleOf(item)])));
}

function ruleOf(item: Exclude<PlannedItem, { kind: "val" }>): OutputRule {
  switch (item.kind) {
    case "stdout":
      return { name: item.id, type: "string", from: { kind: "stdout" } };
    case "captured":
      return {
        name: item.id,
        type: "string",
        from: { kind: "expression", language: "nextflow", text: `${item.capture} ${item.text}` },
      };
    case "path": {
      const facts: CanonicalJson = {
        glob: item.glob,
        type: item.type,
        hidden: item.hidden,
        ...(!item.followLinks && { followLinks: false }),
        maxDepth: item.maxDepth ?? null,
        includeInputs: item.includeInputs,
        optional: item.optional,
        arity: item.arity === undefined ? null : `${item.arity.least}..${item.arity.most}`,
        patterns: [...item.patterns],
      };
      return {
        name: item.id,
        type: "array<file>",
        from: { kind: "expression", language: "nextflow", text: "path", facts },
      };
    }
  }
}

export function isGlobbed(item: PlannedPath, pattern: string): boolean {
  return item.glob && isPattern(pattern);
}
