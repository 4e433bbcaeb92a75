/** The checker answers for whatever tree the parser made of whatever text. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { freshAsk } from "../../../kernel/index.ts";
import type { SourceTree } from "../../core/index.ts";
import { loadDocuments } from "./load.ts";

const lib = `version 1.3
struct A { Int x Array[String]? ys }
enum Color[String] { Red = "r", Green }
task t {
  input { File f Int n = 3 A? a Map[String, Pair[Int, Float]] m = {"k": (1, 2.5)} }
  Int k = if defined(a) then length(select_first([a]).x) else n
  command <<< cat ~{f} ~{sep=", " ["x"]} ~{"-n " + n} ~{task.name} >>>
  output { Array[File] out = glob("*") A b = A { x: k, ys: ["a"] } String c = read_string(stdout()) }
  requirements { container: ["a", "b"] memory: "~{k} GiB" }
  hints { inputs: input { f: hints { localization_optional: true } } }
}
`;
const main = `version 1.3
import "lib.wdl" as lib alias A as B
workflow w {
  input { Array[Int]+ xs Color c = Color.Red Object o = object { a: 1 } }
  call lib.t as first { f = "b" }
  scatter (x in xs) {
    call lib.t as u after first { f = "a", n = x }
    if (x > 1 && !(x == 2)) { Int y = u.b.x } else { String z = "~{c}" }
  }
  call lib.t as v { f = select_first(flatten(u.out)), a = B { x: 1 } }
  output { Array[B] bs = u.b Array[Int?] ys = y Int l = length(o.a) }
}
`;

function memory(text: string): SourceTree {
  return {
    name: "memory",
    read: async (uri) => ({ name: uri, text: uri === "lib.wdl" ? lib : text }),
    resolve: (reference) => (reference === "lib.wdl" ? reference : "main.wdl"),
    hostPathOf: () => undefined,
    list: async () => ["main.wdl"],
    listFolder: async () => undefined,
  };
}

const split = (text: string) => text.split(/(\s+|[^\w\s]+)/).filter((piece) => piece !== "");

test("words missing, doubled, exchanged or from elsewhere", async () => {
  const pieces = split(main);
  const foreign = [...new Set(split(lib))];
  const edit = fc.tuple(
    fc.nat(pieces.length - 1),
    fc.constantFrom("drop", "double", "swap", "replace"),
    fc.constantFrom(...foreign),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 5 }), fc.boolean(), async (edits, lenient) => {
      const words = [...pieces];
      for (const [at, kind, other] of edits) {
        if (kind === "drop") words[at] = "";
        else if (kind === "double") words[at] += ` ${words[at]}`;
        else if (kind === "swap") [words[at], words[0]] = [words[0] ?? "", words[at] ?? ""];
        else words[at] = other;
      }
      const { main: document, diagnostics } = await loadDocuments(
        memory(words.join("")),
        "main.wdl",
        { lenient },
        freshAsk(),
      );
      expect(document).toBeDefined();
      for (const each of diagnostics) {
        expect(each.span.start).toBeGreaterThanOrEqual(0);
        expect(each.span.end).toBeLessThanOrEqual(each.source.text.length);
      }
    }),
    { numRuns: 400 },
  );
});

test("the untouched documents are right", async () => {
  const { diagnostics } = await loadDocuments(memory(main), "main.wdl", { lenient: false }, freshAsk());
  expect(diagnostics.filter((each) => each.severity === "error").map((each) => each.message)).toEqual([]);
});
