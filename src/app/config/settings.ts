/** What may be in a configuration file, and the reading of one file. */
import {
  type Diagnostic,
  defined,
  didYouMean,
  isAppError,
  positionAt,
  type SourceText,
  type Span,
} from "../../kernel/index.ts";
import { parseToml, type TomlEntry, type TomlItem, type TomlValue } from "./toml.ts";

export interface SettingSpec {
  /** As in the file: the long name of the flag. */
  readonly name: string;
  /** Another name for the setting called so. */
  readonly meaning?: string;
  readonly type: "text" | "texts" | "switch" | "count" | "number";
  readonly choices?: readonly string[];
  /** Relative paths are relative to the file's folder. `maybe`: text that begins with `./` or `../` is a path. */
  readonly path?: "always" | "maybe";
  /** May be set for single tasks. */
  readonly ofTasks?: true;
  /** Throws CLI_USAGE for what the type does not rule out. */
  readonly check?: (text: string) => unknown;
}

export type SettingValue = string | boolean | readonly string[];

export interface SettingSource {
  readonly file: string;
  readonly line: number;
  /** The profile in which it stands. */
  readonly profile?: string;
}

export interface Setting {
  readonly name: string;
  readonly value: SettingValue;
  readonly source: SettingSource;
}

/** Settings of the tasks that a pattern names. */
export interface TaskSettings {
  readonly pattern: string;
  readonly settings: readonly Setting[];
}

export interface Section {
  readonly settings: readonly Setting[];
  readonly tasks: readonly TaskSettings[];
}

export interface ConfigFile {
  readonly path: string;
  readonly defaultProfile?: Setting;
  readonly top: Section;
  readonly profiles: ReadonlyMap<string, Section>;
}

/** The key that names the profile which counts where none is chosen. */
export const defaultProfileKey = "default-profile";

/** Reads everything in the file, also the profiles that nobody chose: a mistake is reported before it matters. */
export async function readSettings(
  source: SourceText & { readonly path: string },
  specs: readonly SettingSpec[],
): Promise<ConfigFile | readonly Diagnostic[]> {
  const document = await parseToml(source);
  if ("code" in document) return [document];
  const reader = new SettingsReader(source, specs);
  for (const { path, span } of document.tables) reader.table(path, span);
  for (const entry of document.entries) reader.entry(entry);
  return reader.result();
}

interface OpenSection {
  readonly settings: Setting[];
  readonly tasks: Map<string, Setting[]>;
}

class SettingsReader {
  readonly #source: SourceText & { readonly path: string };
  readonly #specs: ReadonlyMap<string, SettingSpec>;
  readonly #faults: Diagnostic[] = [];
  readonly #unknown: (readonly string[])[] = [];
  readonly #top: OpenSection = { settings: [], tasks: new Map() };
  readonly #profiles = new Map<string, OpenSection>();
  #defaultProfile: Setting | undefined;

  constructor(source: SourceText & { readonly path: string }, specs: readonly SettingSpec[]) {
    this.#source = source;
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
  }

  /** A header names a profile or the tasks of a pattern; a profile without settings is one, too. */
  table(path: readonly string[], span: Span): void {
    const [kind, name, inner] = path;
    const isProfile = kind === "profile" && (path.length === 2 || (path.length === 4 && inner === "task"));
    const isTasks = kind === "task" && path.length === 2;
    // `[profile]` and `[task]` alone open what follows.
    const isOpening = path.length === 1 && (kind === "profile" || kind === "task");
    const isInnerOpening = kind === "profile" && path.length === 3 && inner === "task";
    if (isProfile && name !== undefined) this.#profile(name);
    if (isProfile || isTasks || isOpening || isInnerOpening) return;
    this.#unknown.push(path);
    const help = 'tables are [task."pattern"], [profile.name] and [profile.name.task."pattern"]';
    this.#fault("config-unknown-table", span, `there is no table ${path.join(".")}`, help);
  }

  entry(entry: TomlEntry): void {
    const { path } = entry;
    // Of a table that there is not, the header is reported.
    if (this.#unknown.some((table) => table.every((name, i) => name === path[i]))) return;
    if (path[0] === "profile" && path.length > 2) {
      const [, name = "", ...rest] = path;
      this.#inSection(this.#profile(name), rest, entry, name);
    } else this.#inSection(this.#top, path, entry, undefined);
  }

  #inSection(
    section: OpenSection,
    path: readonly string[],
    entry: TomlEntry,
    profile: string | undefined,
  ): void {
    const [first = "", second = "", third = ""] = path;
    if (first === "task" && path.length === 3) {
      const settings = section.tasks.get(second) ?? [];
      section.tasks.set(second, settings);
      this.#add(settings, third, entry, { profile, ofTasks: true });
    } else if (first === defaultProfileKey && path.length === 1 && profile === undefined) {
      if (entry.value.kind !== "text") this.#wrongType(first, entry, "text");
      else
        this.#defaultProfile = {
          name: first,
          value: entry.value.text,
          source: this.#sourceOf(entry, undefined),
        };
    } else if (path.length === 1) this.#add(section.settings, first, entry, { profile, ofTasks: false });
    else
      this.#fault(
        "config-unknown-setting",
        entry.keySpan,
        `there is no setting ${path.join(".")}`,
        undefined,
      );
  }

  #add(
    settings: Setting[],
    name: string,
    entry: TomlEntry,
    { profile, ofTasks }: { readonly profile: string | undefined; readonly ofTasks: boolean },
  ): void {
    const spec = this.#specs.get(name);
    const known = [...this.#specs.values()].filter((each) => !ofTasks || each.ofTasks === true);
    if (spec === undefined || (ofTasks && spec.ofTasks !== true)) {
      const names = known.map((each) => each.name);
      const near = didYouMean(name, names);
      const list = `settings of tasks are ${names.join(", ")}`;
      const help = near === undefined ? (ofTasks ? list : undefined) : `did you mean ${near}?`;
      const what =
        spec === undefined ? `there is no setting ${name}` : `${name} cannot be set for single tasks`;
      this.#fault("config-unknown-setting", entry.keySpan, what, help);
      return;
    }
    const value = this.#valueOf(spec, entry);
    if (value === undefined) return;
    const canonical = spec.meaning ?? name;
    if (settings.some((each) => each.name === canonical)) {
      const other = known.find((each) => each.name !== name && (each.meaning ?? each.name) === canonical);
      this.#fault(
        "config-set-twice",
        entry.keySpan,
        `${other?.name ?? canonical} and ${name} are the same setting`,
        undefined,
      );
      return;
    }
    settings.push({ name: canonical, value, source: this.#sourceOf(entry, profile) });
  }

  #valueOf(spec: SettingSpec, entry: TomlEntry): SettingValue | undefined {
    const { value } = entry;
    if (spec.type === "switch")
      return value.kind === "boolean" ? value.is : this.#wrongType(spec.name, entry, "true or false");
    if (spec.type === "texts") {
      if (value.kind !== "list") return this.#wrongType(spec.name, entry, "a list of texts");
      const texts = value.items.map((item) => this.#textOf(spec, item));
      return texts.every((text) => text !== undefined) ? (texts as readonly string[]) : undefined;
    }
    return this.#textOf(spec, entry);
  }

  #textOf(spec: SettingSpec, item: TomlItem): string | undefined {
    const { value, span } = item;
    const takes: readonly TomlValue["kind"][] =
      spec.type === "count"
        ? ["whole number"]
        : spec.type === "number"
          ? ["whole number", "number"]
          : ["text"];
    if (!takes.includes(value.kind) || !("text" in value)) {
      const expected = {
        count: "a whole number",
        number: "a number",
        text: "text",
        texts: "text",
        switch: "",
      };
      return this.#wrongType(spec.name, item, expected[spec.type]);
    }
    const { text } = value;
    if (spec.choices !== undefined && !spec.choices.includes(text)) {
      const near = didYouMean(text, spec.choices);
      this.#fault(
        "config-wrong-value",
        span,
        `${spec.name}: expected ${spec.choices.join(", ")}, got ${JSON.stringify(text)}`,
        near === undefined ? undefined : `did you mean ${near}?`,
      );
      return undefined;
    }
    try {
      spec.check?.(text);
    } catch (error) {
      if (!isAppError(error, "CLI_USAGE")) throw error;
      this.#fault("config-wrong-value", span, error.message, undefined);
      return undefined;
    }
    return text;
  }

  #wrongType(name: string, { value, span }: TomlItem, expected: string): undefined {
    const got = { text: "text", list: "a list", date: "a date", boolean: "true or false" } as const;
    const kind =
      value.kind === "whole number" || value.kind === "number" ? `a ${value.kind}` : got[value.kind];
    this.#fault("config-wrong-type", span, `${name}: expected ${expected}, got ${kind}`, undefined);
  }

  #profile(name: string): OpenSection {
    const section = this.#profiles.get(name) ?? { settings: [], tasks: new Map() };
    this.#profiles.set(name, section);
    return section;
  }

  #sourceOf({ keySpan }: TomlEntry, profile: string | undefined): SettingSource {
    const { line } = positionAt(this.#source.text, keySpan.start);
    return { file: this.#source.path, line, ...defined({ profile }) };
  }

  #fault(code: string, span: Span, message: string, help: string | undefined): void {
    const fault = { code, severity: "error", message, source: this.#source, span } as const;
    this.#faults.push(help === undefined ? fault : { ...fault, help });
  }

  result(): ConfigFile | readonly Diagnostic[] {
    if (this.#faults.length > 0) return this.#faults.sort((a, b) => a.span.start - b.span.start);
    const closed = ({ settings, tasks }: OpenSection): Section => ({
      settings,
      tasks: [...tasks].map(([pattern, own]) => ({ pattern, settings: own })),
    });
    return {
      path: this.#source.path,
      ...defined({ defaultProfile: this.#defaultProfile }),
      top: closed(this.#top),
      profiles: new Map([...this.#profiles].map(([name, section]) => [name, closed(section)])),
    };
  }
}
