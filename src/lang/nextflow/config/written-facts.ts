/**
 * What configuration files say without being evaluated, which has to be known before they are: the version of Nextflow
 * that the pipeline asks for, and its switches.
 */
import { dirname, resolve } from "node:path";
import type { SourceText } from "../../../kernel/index.ts";
import type { ConfigItem, Expression } from "../syntax/ast.ts";
import { parseConfig } from "../syntax/config.ts";
import { ScriptFailure } from "../values/throwable.ts";

export interface WrittenFacts {
  /** `manifest.nextflowVersion` of the last file that has it; that of a chosen profile comes before all others. */
  readonly nextflowVersion?: string;
  /** `nextflow.preview.topic` and the like that are set to true. */
  readonly switches: ReadonlySet<string>;
}

/** A configuration that has more is read as far as this. */
const mostFiles = 200;

export function writtenFacts(
  paths: readonly string[],
  read: (path: string) => SourceText | undefined,
  profiles: readonly string[] = [],
): WrittenFacts {
  let nextflowVersion: string | undefined;
  let ofProfile: string | undefined;
  let isProfile = false;
  const switches = new Set<string>();
  const seen = new Set<string>();
  const file = (path: string): void => {
    if (seen.has(path) || seen.size >= mostFiles) return;
    seen.add(path);
    const source = readable(path);
    // Most files say nothing of this, and need not be parsed for it.
    if (source === undefined || !/nextflowVersion|includeConfig|\bnextflow\b/.test(source.text)) return;
    items(parseConfig(source).file.items, "", dirname(path));
  };
  // What cannot be read is reported when the configuration is evaluated.
  const readable = (path: string) => {
    try {
      return read(path);
    } catch (error) {
      if (error instanceof ScriptFailure) return undefined;
      throw error;
    }
  };
  const items = (all: readonly ConfigItem[], prefix: string, folder: string): void => {
    for (const item of all) {
      if (item.kind === "include" && prefix === "" && item.from.kind === "string")
        file(resolve(folder, item.from.value));
      else if (item.kind === "block" && prefix === "" && pathText(item.path) === "profiles")
        for (const each of item.body) profile(each, folder);
      else if (item.kind === "block") items(item.body, `${prefix}${pathText(item.path)}.`, folder);
      else if (item.kind === "assign") {
        const name = prefix + pathText(item.path);
        if (name === "manifest.nextflowVersion" && isProfile) ofProfile = wordOf(item.value) ?? ofProfile;
        else if (name === "manifest.nextflowVersion") nextflowVersion = wordOf(item.value) ?? nextflowVersion;
        else if (name.startsWith("nextflow.") && item.value.kind === "boolean" && item.value.value)
          switches.add(name);
      }
    }
  };
  /** `test { … }`, `test.manifest.x = 1` and what they include, where the profile is chosen. */
  const profile = (item: ConfigItem, folder: string): void => {
    if (item.kind !== "block" && item.kind !== "assign") return;
    const [name, ...rest] = item.path;
    const isChosen = profiles.length === 0 ? name?.text === "standard" : profiles.includes(name?.text ?? "");
    if (!isChosen) return;
    const outer = isProfile;
    isProfile = true;
    if (rest.length > 0) items([{ ...item, path: rest }], "", folder);
    else if (item.kind === "block") items(item.body, "", folder);
    isProfile = outer;
  };
  for (const path of paths) file(path);
  const version = ofProfile ?? nextflowVersion;
  return version === undefined ? { switches } : { nextflowVersion: version, switches };
}

function pathText(path: readonly { readonly text: string }[]): string {
  return path.map(({ text }) => text).join(".");
}

function wordOf(node: Expression): string | undefined {
  if (node.kind === "string") return node.value;
  return node.kind === "gstring" && node.parts.length === 1 && typeof node.parts[0] === "string"
    ? node.parts[0]
    : undefined;
}
