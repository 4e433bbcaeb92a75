/** `dump(tag: …, pretty: …)`: shows items where the run asks for it, by tag; passes them on. */
import { writeJson } from "../../stdlib/json.ts";
import { GroovyMap } from "../../values/map.ts";
import { Path } from "../../values/path.ts";
import { inspected, textOf } from "../../values/text.ts";
import { isList, type Value } from "../../values/thing.ts";
import { closureOf, flagOption, type Operator, optionsOf } from "../operator.ts";
import { through } from "../through.ts";

export const dump: Operator = (source, given) => {
  const options = optionsOf(given, "dump", ["tag", "pretty"]);
  const tag = options.at("tag") ?? null;
  const shown = isShown(source.network.dumped, textOf(tag ?? ""));
  const before = tag === null ? "[DUMP] " : `[DUMP: ${textOf(tag)}] `;
  const pretty = flagOption(options, "pretty");
  const closure = closureOf(given);
  const text = (value: Value) => {
    if (closure !== undefined) return textOf(closure.call([value]));
    const nests = isList(value) || value instanceof GroovyMap || value instanceof Path;
    return pretty && nests ? writeJson(value, "pretty") : inspected(value);
  };
  return through(source, "same", (out) => ({
    next: (value, rank) => {
      if (shown) source.network.outside.log("info", before + text(value));
      out.emit(value, rank);
    },
    end: () => out.close(),
  }));
};

/** A channel without a tag is shown where all are. */
function isShown(patterns: readonly string[] | undefined, tag = ""): boolean {
  if (patterns === undefined) return false;
  if (patterns.length === 0) return true;
  return patterns.some((each) => {
    const parts = each.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(tag);
  });
}
