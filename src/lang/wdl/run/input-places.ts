/** Where inputs are in the text they were given in. */
import type { SourceText, Span } from "../../../kernel/index.ts";
import { type JsonNode, jsonSpan, parseJson } from "../../core/index.ts";

/** The text is read again only when something is wrong with it. */
export class InputPlaces {
  readonly #source: SourceText;
  #node: JsonNode | "unread" | "no-json" = "unread";

  constructor(source: SourceText) {
    this.#source = source;
  }

  /** The name of an input or of something in it, or its value. An empty path stands for the inputs as a whole. */
  spanOf(path: readonly (string | number)[], of: "name" | "value"): Span {
    const { text } = this.#source;
    const [name] = path;
    if (name === undefined) return { start: 0, end: Math.min(1, text.length) };
    if (this.#node === "unread") this.#node = parseJson(this.#source).node ?? "no-json";
    return this.#node === "no-json" ? nameSpan(text, String(name)) : jsonSpan(this.#node, path, of);
  }
}

/** In YAML and on the command line: the first place where the name begins something. */
function nameSpan(text: string, name: string): Span {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = at === 0 ? "\n" : text[at - 1];
    if (before !== undefined && /[\s"'{,]/.test(before) && /[\s"'=:]/.test(text[at + name.length] ?? "\n"))
      return { start: at, end: at + name.length };
  }
  return { start: 0, end: 0 };
}
