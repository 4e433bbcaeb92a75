/** `channel.of(…)` and the other factories. */
import { itemsOf } from "../eval/cast.ts";
import { Closure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { asInt } from "../values/number.ts";
import { Range } from "../values/range.ts";
import { textOf } from "../values/text.ts";
import { isList, Unique, type Value } from "../values/thing.ts";
import { fail, illegal } from "../values/throwable.ts";
import { Channel } from "./channel.ts";
import { ticking, watched } from "./endless.ts";
import { filePairs } from "./file-pairs.ts";
import { type FindOptions, filesOf } from "./find-files.ts";
import { isPattern } from "./glob.ts";
import type { Network } from "./network.ts";

type Factory = (network: Network, given: readonly Value[]) => Value;

const factories: Readonly<Record<string, Factory>> = {
  of: (network, given) =>
    Channel.of(
      network,
      given.flatMap((each) => (each instanceof Range ? each.items() : [each])),
    ),
  fromList: (network, [list = null]) => Channel.of(network, itemsOf(list)),
  from: (network, given) => {
    const [only = null] = given;
    return Channel.of(
      network,
      given.length === 1 && (isList(only) || only instanceof Range) ? itemsOf(only) : given,
    );
  },
  value: (network, given) =>
    given.length === 0 ? new Channel(network, "value") : Channel.value(network, given[0] ?? null),
  empty: (network) => Channel.of(network, []),
  fromPath: (network, given) => {
    const { options, patterns } = split(given, "fromPath");
    return later(network, () => patterns.flatMap((each) => filesOf(each, options, network.outside)));
  },
  fromFilePairs: (network, given) => {
    const closure = given.find((each) => each instanceof Closure);
    const { options, patterns, all } = split(
      given.filter((each) => !(each instanceof Closure)),
      "fromFilePairs",
    );
    const size = all.at("size");
    const flat = truthOf(all.at("flat") ?? false);
    const wanted =
      size === undefined || size === null
        ? patterns.some((each) => isPattern(textOf(each)))
          ? 2
          : 1
        : asInt(size, "the option size");
    return later(network, () =>
      filePairs(patterns, { options, size: wanted, flat, closure, outside: network.outside }),
    );
  },
  topic: (network, [name = null]) => network.topic(textOf(name)),
  interval: (network, given) => ticking(network, given),
  watchPath: (network, given) => {
    const [events] = given.filter((each) => !(each instanceof GroovyMap)).slice(1);
    const { options, patterns } = split(
      given.filter((each) => each !== events),
      "watchPath",
    );
    return watched(network, { patterns, options, events: events ?? "create" });
  },
  fromSRA: () => fail("UnsupportedOperationException", "`channel.fromSRA` is not supported"),
  fromLineage: () => fail("UnsupportedOperationException", "`channel.fromLineage` is not supported"),
};

const findOptions = [
  "glob",
  "type",
  "hidden",
  "maxDepth",
  "followLinks",
  "relative",
  "checkIfExists",
  "size",
  "flat",
];

function split(
  given: readonly Value[],
  factory: string,
): { readonly options: FindOptions; readonly all: GroovyMap; readonly patterns: readonly Value[] } {
  const all = given.find((each) => each instanceof GroovyMap) ?? new GroovyMap();
  for (const key of all.keys())
    if (!findOptions.includes(textOf(key)))
      illegal(`Unknown option \`${textOf(key)}\` of channel.${factory}`);
  const patterns = given
    .filter((each) => !(each instanceof GroovyMap))
    .flatMap((each) => (isList(each) ? each : [each]));
  if (patterns.some((each) => each === null)) illegal(`Missing \`${factory}\` parameter`);
  if (patterns.some((each) => each instanceof Channel))
    illegal(`Argument of channel.${factory} cannot be a channel`);
  return { options: optionsFrom(all), all, patterns };
}

export function optionsFrom(all: GroovyMap): FindOptions {
  const type = all.at("type");
  const depth = all.at("maxDepth");
  return {
    glob: truthOf(all.at("glob") ?? true),
    type: type === undefined || type === null ? undefined : textOf(type),
    hidden: all.at("hidden") === undefined ? undefined : truthOf(all.at("hidden") ?? null),
    maxDepth: depth === undefined || depth === null ? undefined : asInt(depth, "the option maxDepth"),
    followLinks: truthOf(all.at("followLinks") ?? true),
    relative: truthOf(all.at("relative") ?? false),
    checkIfExists: truthOf(all.at("checkIfExists") ?? false),
  };
}

/** Found when the network runs. */
function later(network: Network, find: () => readonly Value[]): Channel {
  const channel = new Channel(network, "queue");
  network.post(() => {
    for (const [index, each] of find().entries()) channel.emit(each, [index]);
    channel.close();
  });
  return channel;
}

type OtherFactory = (name: string) => ((given: readonly Value[]) => readonly Value[]) | undefined;

/** `channel` and `Channel`. */
export class ChannelFactory extends Unique {
  readonly type = "Channel";
  readonly #network: Network;
  readonly #others: OtherFactory;

  /** `others`: factories that plugins add, by name; each answers the items. */
  constructor(network: Network, others: OtherFactory = () => undefined) {
    super();
    this.#network = network;
    this.#others = others;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    const factory = Object.hasOwn(factories, name) ? factories[name] : undefined;
    if (factory === undefined) {
      const other = this.#others(name);
      return other === undefined ? undefined : later(this.#network, () => other(given));
    }
    if (name !== "topic" && given.some((each) => each instanceof Channel && name === "value"))
      illegal("A channel cannot be the value of a channel");
    return factory(this.#network, given);
  }
}

export const factoryNames: ReadonlySet<string> = new Set([...Object.keys(factories), "fromSamplesheet"]);
