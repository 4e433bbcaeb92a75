/** The plugin nf-core-utils, as far as pipelines call it: versions of tools as YAML. */

import { Channel } from "../channels/channel.ts";
import { asChannel } from "../channels/channel-out.ts";
import { noRank } from "../channels/rank.ts";
import { Manifest } from "../run/metadata.ts";
import type { Session } from "../run/session.ts";
import { contentOf } from "../stdlib/content.ts";
import { readYaml, writeYaml } from "../stdlib/yaml.ts";
import { GroovyMap } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";

/** Of a list or channel of files, texts and [process, tool, version]; the pipeline itself comes last. */
export function softwareVersionsToYAML(given: readonly Value[], session: Session): Value {
  const [options = null] = given;
  const source =
    options instanceof GroovyMap
      ? (options.at("softwareVersions") ?? options.at("versions") ?? null)
      : options;
  const channel = asChannel(source);
  if (channel === undefined) return versionsText(isList(source) ? source : [source], session);
  const out = new Channel(session.network, "value");
  const found: Value[] = [];
  channel.subscribe({
    next: (value) => {
      found.push(value);
    },
    end: () => out.emit(versionsText(found, session), noRank),
  });
  return out;
}

function versionsText(items: readonly Value[], session: Session): string {
  const all = new Map<string, Map<string, string>>();
  const add = (process: string, tool: string, version: string) => {
    const name = process.slice(process.lastIndexOf(":") + 1);
    const tools = all.get(name) ?? new Map<string, string>();
    tools.set(tool, version);
    all.set(name, tools);
  };
  for (const item of items) {
    if (isList(item) && item.length === 3) {
      add(textOf(item[0] ?? null), textOf(item[1] ?? null), textOf(item[2] ?? null));
      continue;
    }
    if (item === null) continue;
    const read = readYaml(item instanceof Path ? contentOf(item) : textOf(item));
    if (!(read instanceof GroovyMap)) continue;
    for (const [process, tools] of read.entries())
      if (tools instanceof GroovyMap)
        for (const [tool, version] of tools.entries()) add(textOf(process), textOf(tool), textOf(version));
  }
  const sorted = new GroovyMap(
    [...all]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([process, tools]): [Value, Value] => [
        process,
        new GroovyMap([...tools].sort(([a], [b]) => (a < b ? -1 : 1))),
      ]),
  );
  const manifest = session.workflow.get("manifest");
  const fact = (name: string) => (manifest instanceof Manifest ? (manifest.get(name) ?? null) : null);
  const own = new GroovyMap();
  if (fact("name") !== null) own.put(textOf(fact("name")), textOf(fact("version")));
  own.put("Nextflow", textOf(session.nextflow.get("version") ?? null));
  sorted.put("Workflow", own);
  return writeYaml(sorted);
}
