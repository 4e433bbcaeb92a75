/** What the configuration says of conda, and the environments of tasks. */
import { type Ask, defined } from "../../../kernel/index.ts";
import type { FrontEndOptions, Software, SoftwareOrder } from "../../core/index.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";

export class Conda {
  readonly #settings: GroovyMap;
  readonly #make: FrontEndOptions["software"];
  readonly #ask: Ask;

  constructor(config: GroovyMap, make: FrontEndOptions["software"], ask: Ask) {
    const scope = config.at("conda");
    this.#settings = scope instanceof GroovyMap ? scope : new GroovyMap();
    this.#make = make;
    this.#ask = ask;
  }

  /** undefined: the task has none. */
  async softwareFor(directive: Value): Promise<Software | undefined> {
    if (this.#make === undefined || !truthOf(directive) || !truthOf(this.#settings.at("enabled") ?? false))
      return undefined;
    const text = (name: string) => {
      const value = this.#settings.at(name) ?? null;
      return truthOf(value) ? (value instanceof Path ? value.absolute : textOf(value)) : undefined;
    };
    const channels = this.#settings.at("channels") ?? null;
    const order: SoftwareOrder = {
      tool: this.#tool(),
      spec: directive instanceof Path ? directive.absolute : textOf(directive),
      channels: isList(channels)
        ? Array.from(channels, textOf)
        : (text("channels") ?? "conda-forge,bioconda").split(",").map((each) => each.trim()),
      createOptions: text("createOptions") ?? "",
      ...defined({ folder: text("cacheDir") }),
    };
    return this.#make(order, this.#ask);
  }

  #tool(): SoftwareOrder["tool"] {
    if (truthOf(this.#settings.at("useMicromamba") ?? false)) return "micromamba";
    return truthOf(this.#settings.at("useMamba") ?? false) ? "mamba" : "conda";
  }
}
