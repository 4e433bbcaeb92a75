/** `collectFile(name, storeDir, newLine, seed, sort, keepHeader, skip)`: items as the content of files. */
import { contentOf } from "../../stdlib/content.ts";
import { comparing } from "../../stdlib/iterate.ts";
import { Closure } from "../../values/closure.ts";
import { truthOf } from "../../values/compare.ts";
import { GroovyMap } from "../../values/map.ts";
import { asInt } from "../../values/number.ts";
import { lastPart, Path } from "../../values/path.ts";
import { textOf } from "../../values/text.ts";
import { isList, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { murmurOrder } from "../murmur.ts";
import { closureOf, flagOption, type Operator, optionsOf } from "../operator.ts";
import { byRank, compareRanks, type Rank } from "../rank.ts";
import { through } from "../through.ts";

const known = [
  "cache",
  "deleteTempFilesOnClose",
  "keepHeader",
  "name",
  "newLine",
  "seed",
  "skip",
  "sliceMaxItems",
  "sliceMaxSize",
  "sort",
  "storeDir",
  "tempDir",
];

interface Entry {
  readonly value: Value;
  readonly rank: Rank;
}

export const collectFile: Operator = (source, given) => {
  const options = optionsOf(given, "collectFile", known);
  const closure = closureOf(given);
  const { outside } = source.network;
  const named = options.at("name") ?? null;
  const nameText = named === null ? undefined : named instanceof Path ? named.location : textOf(named);
  let fileName = nameText === undefined ? undefined : lastPart(nameText);
  const folderOfName = nameText?.includes("/") ? nameText.slice(0, nameText.lastIndexOf("/")) : undefined;
  const storeDir = options.at("storeDir") ?? null;
  const header = headerOf(options);
  return through(source, "queue", (out) => {
    const files = new Map<string, Entry[]>();
    const add = (name: string, value: Value, rank: Rank) => {
      const found = files.get(name);
      if (found === undefined) files.set(name, [{ value, rank }]);
      else found.push({ value, rank });
    };
    return {
      next: (item, rank) => {
        const value = closure === undefined ? item : closure.call([item]);
        if (isList(value) && value.length > 1)
          for (const each of value.slice(1)) add(textOf(value[0] ?? null), each, rank);
        else if (value instanceof Path) add(fileName ?? value.fileName, value, rank);
        else if (value !== null) {
          fileName ??= "collect-file.data";
          add(fileName, value, rank);
        }
      },
      end: () => {
        const place =
          storeDir !== null
            ? new Path(storeDir instanceof Path ? storeDir.location : textOf(storeDir), outside.files)
                .absolute
            : folderOfName !== undefined
              ? new Path(folderOfName === "" ? "/" : folderOfName, outside.files).absolute
              : undefined;
        const names = [...files.keys()].sort((a, b) => (a < b ? -1 : 1));
        for (const [index, name] of names.entries()) {
          const content = contentOfFile(name, files.get(name) ?? [], options, header);
          const target = `${place ?? outside.newFolder()}/${name}`;
          outside.files.makeFolders(target.slice(0, target.lastIndexOf("/")));
          outside.files.write(target, content, "replace");
          out.emit(new Path(target, outside.files), [index]);
        }
        out.close();
      },
    };
  });
};

interface Header {
  readonly keep: boolean;
  readonly skip: number;
}

function headerOf(options: GroovyMap): Header {
  const keep = flagOption(options, "keepHeader");
  const skip = options.at("skip") ?? null;
  if (keep && (options.at("seed") ?? null) !== null)
    illegal("Parameter `keepHeader` and `seed` conflict -- check operator `collectFile`");
  if (keep && skip !== null && asInt(skip, "the option skip") < 1)
    illegal(
      "Parameter `skip` must be greater than zero when `keepHeader` is specified -- check operator `collectFile`",
    );
  return { keep, skip: skip === null ? (keep ? 1 : 0) : asInt(skip, "the option skip") };
}

function contentOfFile(name: string, entries: readonly Entry[], options: GroovyMap, header: Header): string {
  const newLine = flagOption(options, "newLine") ? "\n" : "";
  let content = seedOf(options, name);
  if (content !== "" && newLine !== "") content += newLine;
  for (const [index, { value }] of sorted(entries, options.at("sort") ?? null).entries()) {
    const text = value instanceof Path ? contentOf(value) : textOf(value);
    const rest = header.skip > 0 ? withoutLines(text, header.skip) : text;
    if (header.keep && index === 0) content += text.slice(0, text.length - rest.length);
    content += rest + newLine;
  }
  return content;
}

function seedOf(options: GroovyMap, name: string): string {
  const seed = options.at("seed") ?? null;
  const own = seed instanceof GroovyMap ? (seed.at(name) ?? null) : seed;
  if (own === null) return "";
  const value = own instanceof Closure ? own.call([name]) : own;
  return value instanceof Path ? contentOf(value) : textOf(value);
}

function withoutLines(text: string, count: number): string {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const next = text.indexOf("\n", at);
    if (next < 0) return "";
    at = next + 1;
  }
  return text.slice(at);
}

function sorted(entries: readonly Entry[], how: Value): readonly Entry[] {
  const inOrder = [...entries].sort(byRank);
  if (how === false || how === "none" || how === "index") return inOrder;
  if (how instanceof Closure || how === true || how === "true" || how === "natural") {
    const order = comparing(how instanceof Closure ? how : undefined);
    return inOrder.sort((a, b) => order(a.value, b.value));
  }
  if (how !== null && how !== "hash" && how !== "deep" && truthOf(how))
    illegal(`Not a valid collectFile \`sort\` parameter: ${textOf(how)}`);
  // Files have no hash there: their order is that of where they come from.
  const keys = new Map(
    inOrder.map((each) => [each, each.value instanceof Path ? 0n : murmurOrder(each.value)] as const),
  );
  return inOrder.sort((a, b) => {
    const [x, y] = [keys.get(a) ?? 0n, keys.get(b) ?? 0n];
    return x < y ? -1 : x > y ? 1 : compareRanks(a.rank, b.rank);
  });
}
