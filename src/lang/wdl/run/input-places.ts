/** Where inputs are in the text they were given in. */
import type { SourceText, Span } from "../../../kernel/index.ts";
import { type JsonMember, type JsonNode, jsonSpan, parseJson } from "../../core/index.ts";

/** The text is read again only when something is wrong with it. */
export class InputPlaces {
  readonly #source: SourceText;
  #node: JsonNode | "unread" | "no-json" = "unread";
  #members: ReadonlyMap<string, JsonMember> = new Map();
  /** In a text that is not JSON: where each word is first. */
  #words: ReadonlyMap<string, number> | undefined;
  #searches = 0;

  constructor(source: SourceText) {
    this.#source = source;
  }

  /** The name of an input or of something in it, or its value. An empty path stands for the inputs as a whole. */
  spanOf(path: readonly (string | number)[], of: "name" | "value"): Span {
    const { text } = this.#source;
    const [name] = path;
    if (name === undefined) return { start: 0, end: Math.min(1, text.length) };
    if (this.#node === "unread") {
      const node = parseJson(this.#source).node ?? "no-json";
      // Of a name given twice the last counts.
      if (node !== "no-json" && node.kind === "object")
        this.#members = new Map(node.members.map((each) => [each.name, each]));
      this.#node = node;
    }
    if (this.#node === "no-json") return this.#nameSpan(String(name));
    const member = typeof name === "string" ? this.#members.get(name) : undefined;
    if (member === undefined) return jsonSpan(this.#node, path, of);
    if (path.length > 1) return jsonSpan(member.value, path.slice(1), of);
    return of === "name" ? member.nameSpan : member.value.span;
  }

  /** In YAML and on the command line: the first place where the name begins something. */
  #nameSpan(name: string): Span {
    const { text } = this.#source;
    this.#words ??= firstWords(text);
    const start = this.#words.get(name);
    if (start !== undefined) return { start, end: start + name.length };
    // Names that are not one word are rare, and each is a search through the whole text.
    if (/^[^\s"'=:{,]*$/.test(name) || ++this.#searches > mostSearches) return { start: 0, end: 0 };
    return searchName(text, name);
  }
}

const mostSearches = 100;

function firstWords(text: string): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  for (const { 0: word, index } of text.matchAll(/(?<=^|[\s"'{,])[^\s"'=:{,]+(?=[\s"'=:]|$)/g))
    if (!words.has(word)) words.set(word, index);
  return words;
}

function searchName(text: string, name: string): Span {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = at === 0 ? "\n" : text[at - 1];
    if (before !== undefined && /[\s"'{,]/.test(before) && /[\s"'=:]/.test(text[at + name.length] ?? "\n"))
      return { start: at, end: at + name.length };
  }
  return { start: 0, end: 0 };
}
