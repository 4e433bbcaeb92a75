/** `new Type(…)` of the classes that scripts use. */
import { cast, itemsOf } from "../eval/cast.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { setOf } from "../values/sets.ts";
import { textOf } from "../values/text.ts";
import { isList, Unique, type Value } from "../values/thing.ts";
import { isException, Throwable } from "../values/throwable.ts";
import { VersionNumber } from "../values/version-number.ts";
import { contentOf, gunzippedStart } from "./content.ts";
import { DateValue } from "./date.ts";
import { readJson, writeJson } from "./json.ts";
import type { Outside } from "./outside.ts";
import { readerOf, TextReader } from "./text-reader.ts";
import { readYaml, writeYaml } from "./yaml.ts";

/** undefined: no such class. */
export function construct(type: string, given: readonly Value[], outside: Outside): Value | undefined {
  const simple = type.split(".").at(-1) ?? type;
  const [first = null] = given;
  if (isException(simple)) {
    const cause = given.find((each) => each instanceof Throwable) ?? null;
    return new Throwable(simple, first === null || first instanceof Throwable ? null : textOf(first), cause);
  }
  switch (simple) {
    case "ArrayList":
    case "LinkedList":
    case "Vector":
      return isList(first) || first instanceof GroovySet ? [...itemsOf(first)] : [];
    case "LinkedHashMap":
    case "HashMap":
    case "TreeMap":
    case "ConcurrentHashMap":
      return new GroovyMap(first instanceof GroovyMap ? first.entries() : []);
    case "LinkedHashSet":
    case "HashSet":
    case "TreeSet":
      return setOf(first === null || typeof first === "number" ? [] : itemsOf(first), simple);
    case "File":
      return new Path(
        given.length > 1 ? `${textOf(first)}/${textOf(given[1] ?? null)}` : textOf(first),
        outside.files,
      );
    case "Date":
      return new DateValue(first === null ? outside.nowMs() : Number(textOf(first)));
    case "String":
      return first === null ? "" : textOf(first);
    case "Integer":
    case "Long":
    case "Double":
    case "BigDecimal":
    case "BigInteger":
      return cast(first, simple);
    case "VersionNumber":
      return new VersionNumber(textOf(first));
    case "JsonSlurper":
    case "JsonSlurperClassic":
      return new Parser(simple, readJson);
    case "YamlSlurper":
    case "Yaml":
      return new Parser(simple, readYaml);
    case "JsonBuilder":
      return new Builder(
        simple,
        first,
        (value) => writeJson(value),
        (value) => writeJson(value, "pretty"),
      );
    case "YamlBuilder":
      return new Builder(simple, first, writeYaml, writeYaml);
    case "StringBuilder":
    case "StringBuffer":
    case "StringWriter":
      return new TextBuilder(first === null ? "" : textOf(first));
    case "FileInputStream":
    case "FileReader":
    case "BufferedInputStream":
      return first;
    case "GZIPInputStream":
      return first instanceof Path ? new TextReader((bytes) => gunzippedStart(first, bytes)) : first;
    case "InputStreamReader":
    case "BufferedReader":
    case "StringReader":
      if (first instanceof Path) return readerOf(first);
      return typeof first === "string" ? new TextReader(first) : first;
    default:
      return undefined;
  }
}

class Parser extends Unique {
  readonly type: string;
  readonly #read: (text: string) => Value;

  constructor(type: string, read: (text: string) => Value) {
    super();
    this.type = type;
    this.#read = read;
  }

  override invoke(name: string, [what = null]: readonly Value[]): Value | undefined {
    switch (name) {
      case "parseText":
      case "parse":
      case "load":
      case "parseFile":
        return this.#read(
          what instanceof Path ? contentOf(what) : what instanceof TextReader ? what.rest() : textOf(what),
        );
      case "dump":
      case "dumpAsMap":
        return writeYaml(what);
      default:
        return undefined;
    }
  }
}

class Builder extends Unique {
  readonly type: string;
  #content: Value;
  readonly #write: (value: Value) => string;
  readonly #pretty: (value: Value) => string;

  constructor(
    type: string,
    content: Value,
    write: (value: Value) => string,
    pretty: (value: Value) => string,
  ) {
    super();
    this.type = type;
    this.#content = content;
    this.#write = write;
    this.#pretty = pretty;
  }

  override text(): string {
    return this.#write(this.#content);
  }

  override invoke(name: string, [content = null]: readonly Value[]): Value | undefined {
    switch (name) {
      case "call":
        this.#content = content;
        return content;
      case "toPrettyString":
        return this.#pretty(this.#content);
      case "getContent":
        return this.#content;
      default:
        return undefined;
    }
  }
}

class TextBuilder extends Unique {
  readonly type = "StringBuilder";
  #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  override text(): string {
    return this.#text;
  }

  override invoke(name: string, [value = null]: readonly Value[]): Value | undefined {
    switch (name) {
      case "append":
      case "leftShift":
      case "write":
        this.#text += textOf(value);
        return this;
      case "length":
      case "size":
        return this.#text.length;
      case "setLength":
        this.#text = this.#text.slice(0, Number(value));
        return null;
      default:
        return undefined;
    }
  }
}
