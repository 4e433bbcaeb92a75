/** Splitting and counting the content of files, as methods of paths. */
import { Path } from "../values/path.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { unpackedContent } from "./content.ts";
import { readJson } from "./json.ts";
import type { Method, Methods } from "./method.ts";
import { splitCsv } from "./split/csv.ts";
import { recordsOf, splitFasta } from "./split/fasta.ts";
import { readsOf, splitFastq } from "./split/fastq.ts";
import { type SplitOptions, splitOptions } from "./split/options.ts";
import { splitText } from "./split/text-lines.ts";

function of(run: (text: string, options: SplitOptions) => Value): Method {
  return (self, given) =>
    self instanceof Path
      ? run(unpackedContent(self), splitOptions(given))
      : fail("ClassCastException", "not a path");
}

export const pathSplitMethods: Methods = {
  countFasta: of((text) => BigInt(recordsOf(text).length)),
  countFastq: of((text) => BigInt(readsOf(text).length)),
  countLines: of((text) => BigInt(text === "" ? 0 : text.replace(/\n$/, "").split("\n").length)),
  countText: of((text) => BigInt(text === "" ? 0 : text.replace(/\n$/, "").split("\n").length)),
  splitCsv: of((text, options) => splitCsv(text, options)),
  splitFasta: of((text, options) => splitFasta(text, options)),
  splitFastq: of((text, options) => splitFastq(text, options)),
  splitJson: of((text) => readJson(text)),
  splitText: of((text, options) => splitText(text, options)),
};
