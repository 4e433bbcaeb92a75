/** `splitFastq` */
import { truthOf } from "../../values/compare.ts";
import { GroovyMap } from "../../values/map.ts";
import type { List, Value } from "../../values/thing.ts";
import { fail, illegal } from "../../values/throwable.ts";
import { chunked, limited, type SplitOptions } from "./options.ts";

export function splitFastq(text: string, options: SplitOptions): List {
  const records = limited(readsOf(text), options);
  const wanted = options.all.at("record");
  if (wanted === true || wanted instanceof GroovyMap) {
    const made = records.map((each) => fields(each, wanted === true ? undefined : wanted));
    return options.by > 1 ? chunked<Value>(made, options.by) : made;
  }
  const chunks = chunked(records, options.by).map((each) => each.join(""));
  const { each } = options;
  return each === undefined ? chunks : chunks.map((chunk) => each.call([chunk]));
}

export function readsOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  while (lines.at(-1) === "") lines.pop();
  if (lines.length % 4 !== 0 || lines.some((line, index) => index % 4 === 0 && !line.startsWith("@")))
    fail("IllegalStateException", "Invalid FASTQ format");
  const reads: string[] = [];
  for (let at = 0; at < lines.length; at += 4) reads.push(`${lines.slice(at, at + 4).join("\n")}\n`);
  return reads;
}

function fields(read: string, wanted: GroovyMap | undefined): GroovyMap {
  const [header = "", sequence = "", qualityHeader = "", quality = ""] = read.split("\n");
  const all: Readonly<Record<string, string>> = {
    readHeader: header.slice(1),
    readString: sequence,
    qualityHeader: qualityHeader.slice(1),
    qualityString: quality,
  };
  if (wanted === undefined) return GroovyMap.of(all);
  const map = new GroovyMap();
  for (const [key, value] of wanted.entries())
    if (truthOf(value))
      map.put(key, all[String(key)] ?? illegal(`Unknown field ${String(key)} of a FASTQ record`));
  return map;
}
