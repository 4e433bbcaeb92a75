/** The configuration as data: for a command that shows it, and for options that it may set. */
import { type Diagnostic, defined, type SourceText } from "../../../kernel/index.ts";
import { ScriptClosure } from "../eval/script-closure.ts";
import { Params } from "../run/params.ts";
import { scriptFiles } from "../run/script-files.ts";
import { Secrets } from "../run/secrets.ts";
import { namedParameters } from "../run/start-session.ts";
import { fromPlain } from "../stdlib/json.ts";
import { Duration } from "../values/duration.ts";
import { GroovyMap } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { isNumber } from "../values/number.ts";
import { Path } from "../values/path.ts";
import { inspected, textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import type { Rules } from "../versions.ts";
import { blockType, evaluateConfig } from "./evaluate.ts";
import { quotedName } from "./quoted-name.ts";

export interface ConfigurationRequest {
  readonly rules: Rules;
  /** Absolute files, in the order in which they count; those that are not there are left out. */
  readonly files: readonly string[];
  readonly profiles: readonly string[];
  /** Profiles are shown, and none is chosen. */
  readonly showProfiles?: boolean;
  /** Parameters that were given from outside. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly projectDir: string;
  readonly launchDir: string;
  readonly workDir: string;
  /** What the user keeps under names. Default: none, and secrets show as null. */
  readonly secrets?: () => Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute folders that the configuration may read from, where it is other people's. Default: everything. */
  readonly readable?: readonly string[];
  /** Reads a configuration file; undefined = it cannot be read. Not a promise: files include others in expressions. */
  readonly read: (path: string) => SourceText | undefined;
}

export interface ShownConfiguration {
  readonly settings: SettingBlock;
  /** Names of all profiles. */
  readonly profiles: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** A setting names a secret. */
  readonly usesSecrets: boolean;
}

export interface SettingBlock {
  readonly kind: "block";
  readonly members: ReadonlyMap<string, Setting>;
}

export type Setting =
  | SettingBlock
  | {
      readonly kind: "value";
      /** As a configuration file has it. */
      readonly text: string;
      /** As `println` has it. */
      readonly plain: string;
      /** As JSON has it. */
      readonly data: unknown;
    };

export function showConfiguration(request: ConfigurationRequest): ShownConfiguration {
  const { launchDir, environment } = request;
  const params = new Params([], blockType);
  params.converts = !request.rules.detectsTypes;
  const given = fromPlain(namedParameters(request.params));
  if (given instanceof GroovyMap) params.protect(given);
  const secrets = new Secrets(request.secrets);
  const { settings, profiles, diagnostics } = evaluateConfig(request.files, {
    ...request,
    secrets,
    params,
    outside: {
      files: scriptFiles({ launchDir, writable: [], ...defined({ readable: request.readable }) }),
      env: (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined),
      environment,
      nowMs: () => Date.now(),
      print: () => undefined,
      newFolder: () => launchDir,
      log: () => undefined,
    },
    late: () => undefined,
  });
  return { settings: shownBlock(settings), profiles, diagnostics, usesSecrets: secrets.wereRead };
}

/** Plugins are shown as their list. */
function shownBlock(map: GroovyMap, level = 0): SettingBlock {
  const members = Array.from(map.entries(), ([key, value]): [string, Setting] => [
    textOf(key),
    level === 0 && key === "plugins" && value instanceof GroovyMap ? shown(value.keys()) : shown(value),
  ]);
  return { kind: "block", members: new Map(members) };
}

function shown(value: Value): Setting {
  if (value instanceof GroovyMap && value.type === blockType) return shownBlock(value, 1);
  return { kind: "value", text: written(value), plain: plain(value), data: data(value) };
}

function plain(value: Value): string {
  return value instanceof ScriptClosure ? value.source : textOf(value);
}

function written(value: Value): string {
  if (value === null) return "null";
  if (value instanceof ScriptClosure) return value.source;
  if (value instanceof MemoryUnit || value instanceof Duration || value instanceof Path)
    return `'${textOf(value)}'`;
  if (value instanceof GroovyMap)
    return value.size === 0
      ? "[:]"
      : `[${Array.from(value.entries(), ([key, each]) => `${quotedName(textOf(key))}:${written(each)}`).join(", ")}]`;
  if (isList(value)) return `[${Array.from(value, written).join(", ")}]`;
  return inspected(value);
}

function data(value: Value): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return value;
  if (isNumber(value)) return Number(textOf(value));
  if (value instanceof GroovyMap)
    return Object.fromEntries(Array.from(value.entries(), ([key, each]) => [textOf(key), data(each)]));
  if (isList(value)) return Array.from(value, data);
  return plain(value);
}
