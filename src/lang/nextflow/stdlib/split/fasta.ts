/** `splitFasta` */
import { truthOf } from "../../values/compare.ts";
import { GroovyMap } from "../../values/map.ts";
import { MemoryUnit } from "../../values/memory-unit.ts";
import { asInt } from "../../values/number.ts";
import type { List, Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { chunked, limited, type SplitOptions } from "./options.ts";

export function splitFasta(text: string, options: SplitOptions): List {
  const records = limited(recordsOf(text), options);
  const wanted = options.all.at("record");
  if (wanted instanceof GroovyMap) {
    const made = records.map((each) => fields(each, wanted));
    return options.by > 1 ? chunked<Value>(made, options.by) : made;
  }
  const size = options.all.at("size");
  if (size !== undefined && size !== null) return bySize(records, MemoryUnit.of(size).bytes);
  const chunks = chunked(records, options.by).map((each) => each.join(""));
  const { each } = options;
  return each === undefined ? chunks : chunks.map((chunk) => each.call([chunk]));
}

export function recordsOf(text: string): string[] {
  const records: string[] = [];
  let current: string | undefined;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.trim() === "" || line.startsWith(";")) continue;
    if (line.startsWith(">")) {
      if (current !== undefined) records.push(current);
      current = `${line}\n`;
    } else current = `${current ?? ""}${line}\n`;
  }
  if (current !== undefined) records.push(current);
  return records;
}

function bySize(records: readonly string[], size: number): List {
  const chunks: string[] = [];
  let current = "";
  for (const each of records) {
    current += each;
    if (current.length >= size) {
      chunks.push(current);
      current = "";
    }
  }
  if (current !== "") chunks.push(current);
  return chunks;
}

function fields(record: string, wanted: GroovyMap): GroovyMap {
  const [first = "", ...rest] = record.trimEnd().split("\n");
  const header = first.replace(/^>/, "");
  const id = header.split(/[\s|]/, 1)[0] ?? "";
  const at = header.search(/\s/);
  const width = asInt(wanted.at("width") ?? 0, "the option width");
  const sequence = rest.join("");
  const wrapped =
    width > 0 ? (sequence.match(new RegExp(`.{1,${width}}`, "g")) ?? []).join("\n") : rest.join("\n");
  const all: Readonly<Record<string, string | null>> = {
    id: header.includes("|") ? (header.split(/\s/, 1)[0] ?? id) : id,
    header,
    desc: at < 0 ? null : header.slice(at).trimStart(),
    text: record,
    seqString: sequence,
    sequence: `${wrapped}\n`,
    string: sequence,
  };
  const map = new GroovyMap();
  for (const [key, value] of wanted.entries()) {
    const name = String(key);
    if (name === "width" || !truthOf(value)) continue;
    map.put(
      name,
      Object.hasOwn(all, name) ? (all[name] ?? null) : illegal(`Unknown field ${name} of a FASTA record`),
    );
  }
  return map;
}
