/**
 * A tree that stands for the test data of nf-core: every path that test files name exists, with a content that its
 * ending promises and nothing in it.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

const webAddress = /https?:\/\/([A-Za-z0-9.-]+\/[^\s,;'"`$)\\?#]+)/g;
const below = "raw.githubusercontent.com/nf-core/test-datasets/modules/data/";

export class TestData {
  readonly folder: string;
  readonly #seen = new Set<string>();
  readonly #names = new Set<string>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Stands for `params.modules_testdata_base_path`. */
  get base(): string {
    return `${this.folder}/${below}`;
  }

  /** Makes all that the texts name; folders are known by what is below them. */
  add(texts: readonly string[]): void {
    const paths = new Set<string>();
    for (const text of texts) {
      for (const [, literal = ""] of text.matchAll(
        /(?:testdata_base_path|pipelines_testdata_base_path)\s*\+\s*['"]([^'"$]+)['"]/g,
      ))
        paths.add(below + literal);
      for (const [, literal = ""] of text.matchAll(
        /\{\s*params\.modules_testdata_base_path\s*\}([^'"$]+)['"]/g,
      ))
        paths.add(below + literal);
      // def dir = params.modules_testdata_base_path + 'a/b/' … file(dir + 'c'), file("${dir}/c")
      for (const [, name = "", start = ""] of text.matchAll(
        /(\w+)\s*=\s*["']?[\w(]*params\.modules_testdata_base_path\s*\+\s*['"]([^'"$\n]+)['"]/g,
      ))
        for (const [, rest = ""] of text.matchAll(
          new RegExp(`(?:\\$\\{?${name}\\}?|\\b${name}\\s*\\+\\s*['"])([^'"$\\s]+)['"]`, "g"),
        ))
          paths.add(below + start + rest);
      for (const [, address = ""] of text.matchAll(webAddress)) paths.add(address);
    }
    // Deeper paths first: what is below a path makes a folder of it.
    const places = [...paths]
      .map((each) => this.#placeOf(each))
      .sort((a, b) => b.split("/").length - a.split("/").length);
    for (const place of places) this.#make(place);
  }

  /** The path that a file of the tree has on the web, as nf-test records it; undefined: it is elsewhere. */
  webPath(path: string): string | undefined {
    const start = `${this.folder}/`;
    return path.startsWith(start) ? path.slice(path.indexOf("/", start.length)) : undefined;
  }

  /** Whether test data has such a name, packed or not: its content is not that of the tree. */
  names(name: string): boolean {
    return this.#names.has(name) || this.#names.has(`${name}.gz`);
  }

  /** The same text with addresses on the web as paths in the tree. */
  local(text: string): string {
    return text.replace(webAddress, (whole, address: string) =>
      this.#seen.has(this.#placeOf(address)) ? this.#placeOf(address) : whole,
    );
  }

  /** Paths that climb out stay in the tree. */
  #placeOf(path: string): string {
    return join(this.folder, normalize(`/${path}`)).replace(/\/$/, "");
  }

  #make(place: string): void {
    if (this.#seen.has(place)) return;
    this.#seen.add(place);
    this.#names.add(basename(place));
    if (existsSync(place)) return;
    try {
      mkdirSync(dirname(place), { recursive: true });
    } catch {
      // A file is where a folder would be: the tests name both.
      return;
    }
    if (/[*?{]/.test(basename(place))) {
      // A pattern: one file that it matches.
      this.#make(
        place
          .replace(/\*+/g, "x")
          .replace(/\?/g, "1")
          .replace(/\{([^,}]*)[^}]*\}/g, "$1"),
      );
      return;
    }
    const content = contentFor(basename(place));
    if (content === undefined) mkdirSync(place, { recursive: true });
    else writeFileSync(place, content);
  }
}

/** undefined: the name has no ending, as folders have none. */
function contentFor(name: string): Uint8Array | string | undefined {
  if (/\.(?:tar\.gz|tgz)$/.test(name)) return gzipSync(tarOf(name.replace(/\.(?:tar\.gz|tgz)$/, "")));
  if (/\.tar$/.test(name)) return tarOf(name.replace(/\.tar$/, ""));
  if (/\.(?:gz|bgz)$/.test(name)) return gzipSync("");
  if (/\.zip$/.test(name)) return zipOf(`${name.replace(/\.zip$/, "")}.txt`);
  if (/\.json$/.test(name)) return "{}\n";
  if (/\.ya?ml$/.test(name)) return "a: 1\n";
  if (/\.csv$/.test(name)) return "a,b,c\n";
  if (/\.tsv$/.test(name)) return "a\tb\tc\n";
  if (/\.txt$/.test(name)) return "a\n";
  return name.includes(".") ? "" : undefined;
}

/** One folder with an empty file. */
function tarOf(folder: string): Uint8Array {
  return Buffer.concat([
    tarHeader(`${folder}/`, "5"),
    tarHeader(`${folder}/file.txt`, "0"),
    Buffer.alloc(1024),
  ]);
}

function tarHeader(name: string, type: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name.slice(-99), 0);
  header.write(type === "5" ? "0000755" : "0000644", 100);
  header.write("0000000", 108);
  header.write("0000000", 116);
  header.write("00000000000", 124);
  header.write("00000000000", 136);
  header.fill(" ", 148, 156);
  header.write(type, 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** One empty file. */
function zipOf(name: string): Uint8Array {
  const bytes = Buffer.from(name);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(10, 4);
  local.writeUInt16LE(bytes.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(10, 4);
  central.writeUInt16LE(10, 6);
  central.writeUInt16LE(bytes.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + bytes.length, 12);
  end.writeUInt32LE(local.length + bytes.length, 16);
  return Buffer.concat([local, bytes, central, bytes, end]);
}
