/** Whether values of one type may flow into a parameter of another. */
import { membersOf, type Type } from "../model/type.ts";

/**
 * `yes`: every value fits; `maybe`: some do, and the run decides (a nullable source for a required input, a union);
 * `no`: none does.
 */
export type Assignable = "yes" | "maybe" | "no";

export function assignable(source: Type, sink: Type): Assignable {
  const from = membersOf(source);
  const answers = from.map((each) => oneAssignable(each, sink));
  if (answers.every((each) => each === "yes")) return "yes";
  // That a value may be null is for the run to find out; that it is nothing but null is a mistake.
  const some = answers.filter((_, index) => from[index]?.kind !== "null");
  if (some.length === 0) return answers.some((each) => each !== "no") ? "maybe" : "no";
  return some.some((each) => each !== "no") ? "maybe" : "no";
}

function oneAssignable(source: Type, sink: Type): Assignable {
  let best: Assignable = "no";
  for (const each of membersOf(sink)) {
    const answer = memberAssignable(source, each);
    if (answer === "yes") return "yes";
    if (answer === "maybe") best = "maybe";
  }
  return best;
}

const numbers: readonly string[] = ["int", "long", "float", "double"];

function memberAssignable(source: Type, sink: Type): Assignable {
  if (sink.kind === "Any") return source.kind === "null" ? "no" : "yes";
  if (source.kind === "Any") return sink.kind === "null" ? "no" : "maybe";
  if (source.kind === "array" && sink.kind === "array") {
    const items = assignable(source.items, sink.items);
    // Every array may be empty.
    return items === "no" ? "no" : items;
  }
  if (source.kind === "record" && sink.kind === "record") {
    let answer: Assignable = "yes";
    for (const field of sink.fields) {
      const given = source.fields.find((each) => each.name === field.name);
      const fits =
        given === undefined ? assignable({ kind: "null" }, field.type) : assignable(given.type, field.type);
      if (fits === "no") return "no";
      if (fits === "maybe") answer = "maybe";
    }
    return answer;
  }
  if (source.kind === "enum" && sink.kind === "enum") {
    const known = source.symbols.filter((each) => sink.symbols.includes(each));
    if (known.length === source.symbols.length) return "yes";
    return known.length > 0 ? "maybe" : "no";
  }
  if (source.kind === "enum" && sink.kind === "string") return "yes";
  if (source.kind === "string" && sink.kind === "enum") return "maybe";
  if (source.kind === sink.kind) return "yes";
  const [narrow, wide] = [numbers.indexOf(source.kind), numbers.indexOf(sink.kind)];
  if (narrow < 0 || wide < 0) return "no";
  return narrow < wide ? "yes" : "maybe";
}
